import type { Client } from '@tautline/client'
import { useContext } from 'react'
import { ClientContext } from './provider.ts'

/** The client of the nearest provider. Throws where there is none. */
export function useClient(): Client {
  const client = useContext(ClientContext)
  if (!client)
    throw new Error('There is no client here: put a <TautlineProvider client={…}> around this component.')
  return client
}
