/** Hands one client to everything below. It neither connects nor closes: who made the client does that. */
import type { Client } from '@tautline/client'
import { createContext, createElement, type ReactElement, type ReactNode } from 'react'

export const ClientContext = createContext<Client | undefined>(undefined)

export interface TautlineProviderProps {
  readonly client: Client
  readonly children?: ReactNode
}

export function TautlineProvider({ client, children }: TautlineProviderProps): ReactElement {
  return createElement(ClientContext.Provider, { value: client }, children)
}
