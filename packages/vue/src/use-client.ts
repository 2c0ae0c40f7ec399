import type { Client, Room } from '@tautline/client'
import { hasInjectionContext, inject, type MaybeRefOrGetter, toValue } from 'vue'
import { CLIENT } from './provide.ts'

/** The client that was provided. Throws where there is none. */
export function useClient(): Client {
  return given(inject(CLIENT, undefined))
}

/** A room, or that of this id of the client that was provided; call it in `setup`, and what it returns whenever. */
export function useRoomOf(room: MaybeRefOrGetter<Room | string>): () => Room {
  const client = hasInjectionContext() ? inject(CLIENT, undefined) : undefined
  return () => {
    const named = toValue(room)
    return typeof named === 'string' ? given(client).room(named) : named
  }
}

function given(client: Client | undefined): Client {
  if (client) return client
  throw new Error(
    'There is no client here: put a <TautlineProvider :client="…"> around this component, or call provideTautline(client).',
  )
}
