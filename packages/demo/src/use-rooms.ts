/**
 * The rooms of the user: as the server lists them, asked again after each connect and whenever one of our devices joins or
 * leaves one; before that, those that this browser remembers. All of them are followed, so that what is unread is known at
 * once. Who belongs to none yet joins the first ones.
 */
import type { Client, RoomDescription } from '@tautline/client'
import { useClient } from '@tautline/react'
import { useEffect, useState } from 'react'
import { rememberedRooms, rememberRooms } from './remembered.ts'

/** Where everybody begins. */
export const FIRST_ROOM = 'general'
const FIRST_ROOMS = [FIRST_ROOM, 'tea-kitchen', 'workshop']

export interface KnownRoom {
  readonly id: string
  /** Undefined until the server has said it. */
  readonly about: RoomDescription | undefined
}

export function useRooms(): readonly KnownRoom[] {
  const client = useClient()
  const [rooms, setRooms] = useState(() => remembered(client))

  useEffect(() => {
    let isOver = false

    async function look(): Promise<void> {
      const own = await listAll(client)
      if (isOver) return
      // Each that is joined is told as an admission, after which we look again.
      if (own.length === 0) return void (await client.rooms.join(FIRST_ROOMS))
      setRooms(own)
      rememberRooms(
        client.userId ?? '',
        own.map(({ id }) => id),
      )
    }
    // Where it fails there is no connection: with the next one we look again.
    const lookAgain = () => void look().catch(() => {})

    const stops = [
      client.on('status', ({ status }) => status === 'connected' && lookAgain()),
      client.on('admitted', lookAgain),
      client.on('removed', lookAgain),
      client.on('missed', lookAgain),
    ]
    if (client.status === 'connected') lookAgain()
    return () => {
      isOver = true
      for (const stop of stops) stop()
    }
  }, [client])

  useEffect(() => {
    for (const { id } of rooms) {
      const room = client.room(id)
      // Where it is refused the room shows it, and the server's list tells why.
      if (room.getSnapshot().phase === 'idle') room.follow().catch(() => {})
    }
  }, [client, rooms])

  return rooms
}

const remembered = (client: Client): readonly KnownRoom[] =>
  rememberedRooms(client.userId ?? '').map((id) => ({ id, about: undefined }))

async function listAll(client: Client): Promise<readonly KnownRoom[]> {
  const all: KnownRoom[] = []
  for (let hasMore = true; hasMore; ) {
    const page = await client.rooms.list({ after: all.at(-1)?.id })
    all.push(...page.rooms.map((about) => ({ id: about.room, about })))
    hasMore = page.hasMore
  }
  return all
}
