/** Who belongs to a room, and what we may do in it; asked again when somebody comes or goes. */
import type { Member, Room, RoomDescription } from '@tautline/client'
import { admin } from '@tautline/client/admin'
import { useMemo } from 'react'
import { type Source, useAsked } from './use-asked.ts'

export interface Members {
  readonly about: RoomDescription | undefined
  /** The first hundred by name. */
  readonly members: readonly Member[]
  readonly hasMore: boolean
}

const CHANGES = new Set(['member_joined', 'member_left', 'role_changed', 'room_updated'])
const NOBODY: Members = { about: undefined, members: [], hasMore: false }

export function useMembers(room: Room): Members {
  const [known = NOBODY] = useAsked(useMemo(() => membersOf(room), [room]))
  return known
}

function membersOf(room: Room): Source<Members> {
  const { client } = room
  const { info, members } = admin(room)
  return {
    // Of a direct room that nobody wrote in yet there are none.
    async ask() {
      const [about, list] = await Promise.all([info(), members()])
      return { about, ...list }
    },
    watch(askAgain) {
      if (client.status === 'connected') askAgain()
      const stops = [
        client.on('status', ({ status }) => status === 'connected' && askAgain()),
        room.on('entry', ({ type }) => CHANGES.has(type) && askAgain()),
      ]
      return () => {
        for (const stop of stops) stop()
      }
    },
  }
}
