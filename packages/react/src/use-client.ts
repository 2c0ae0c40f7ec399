import type { Client, Room } from '@tautline/client'
import { useContext } from 'react'
import { ClientContext } from './provider.ts'

/** The client of the nearest provider. Throws where there is none. */
export function useClient(): Client {
  return given(useContext(ClientContext))
}

/** A room, or that of this id of the client of the nearest provider. */
export function useRoomOf(room: Room | string): Room {
  const client = useContext(ClientContext)
  return typeof room === 'string' ? given(client).room(room) : room
}

function given(client: Client | undefined): Client {
  if (client) return client
  throw new Error('There is no client here: put a <TautlineProvider client={…}> around this component.')
}
