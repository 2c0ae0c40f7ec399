import type { Client } from '@tautline/client'
import { inject } from 'vue'
import { CLIENT } from './provide.ts'

/** The client that was provided. Throws where there is none. */
export function useClient(): Client {
  const client = inject(CLIENT, undefined)
  if (!client)
    throw new Error(
      'There is no client here: call provideTautline(client) in a component above, or on the app.',
    )
  return client
}
