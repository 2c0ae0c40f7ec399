/** Hands one client to everything below. It neither connects nor closes: who made the client does that. */
import type { Client } from '@tautline/client'
import { type App, type InjectionKey, provide } from 'vue'

export const CLIENT: InjectionKey<Client> = Symbol('tautline client')

/** In `setup`: for the components below. With an app: for all of it, `provideTautline(client, app)`. */
export function provideTautline(client: Client, app?: App): void {
  if (app) app.provide(CLIENT, client)
  else provide(CLIENT, client)
}
