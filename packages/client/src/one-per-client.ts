/**
 * A subject of a client (presence, notifications …) is made once for it: two components that ask share what they are
 * told. What was closed is forgotten, and made anew for who asks next.
 */
import type { Client } from './client.ts'

/** `forget`: to be called when it is closed, as often as that happens; one made since stays. */
export function onePerClient<T extends object, O = undefined>(
  create: (client: Client, forget: () => void, options: O) => T,
): (client: Client, options: O) => T {
  const made = new WeakMap<Client, T>()
  return (client, options) => {
    const known = made.get(client)
    if (known) return known
    const created: T = create(
      client,
      () => {
        if (made.get(client) === created) made.delete(client)
      },
      options,
    )
    made.set(client, created)
    return created
  }
}
