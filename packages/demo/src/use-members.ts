/** Who belongs to a room, and what we may do in it; asked again when somebody comes or goes. */
import type { Member, Room, RoomDescription } from '@tautline/client'
import { admin } from '@tautline/client/admin'
import { useConnection } from '@tautline/react'
import { useEffect, useState } from 'react'

export interface Members {
  readonly about: RoomDescription | undefined
  /** The first hundred by name. */
  readonly members: readonly Member[]
  readonly hasMore: boolean
}

const CHANGES = new Set(['member_joined', 'member_left', 'role_changed', 'room_updated'])
const NOBODY: Members = { about: undefined, members: [], hasMore: false }

export function useMembers(room: Room): Members {
  const isConnected = useConnection(({ status }) => status === 'connected')
  const [known, setKnown] = useState(NOBODY)

  useEffect(() => {
    if (!isConnected) return undefined
    let isOver = false
    const { info, members } = admin(room)
    const look = () =>
      Promise.all([info(), members()]).then(
        ([about, list]) => {
          if (!isOver) setKnown({ about, ...list })
        },
        () => {}, // a direct room that nobody wrote in yet has none; else the next connect asks again
      )
    void look()
    const stop = room.on('entry', ({ type }) => CHANGES.has(type) && void look())
    return () => {
      isOver = true
      stop()
    }
  }, [room, isConnected])

  return known
}
