/** Hands one client to everything below. It neither connects nor closes: who made the client does that. */
import type { Client } from '@tautline/client'
import { type App, defineComponent, type InjectionKey, type PropType, provide } from 'vue'

export const CLIENT: InjectionKey<Client> = Symbol('tautline client')

/** In `setup`: for the components below. With an app: for all of it, `provideTautline(client, app)`. */
export function provideTautline(client: Client, app?: App): void {
  if (app) app.provide(CLIENT, client)
  else provide(CLIENT, client)
}

export interface TautlineProviderProps {
  readonly client: Client
}

/** The same as a component: `<TautlineProvider :client="client">`. Another client needs another `key`. */
export const TautlineProvider = defineComponent({
  name: 'TautlineProvider',
  props: { client: { type: Object as PropType<Client>, required: true } },
  setup(props: TautlineProviderProps, { slots }) {
    provideTautline(props.client)
    return () => slots.default?.()
  },
})
