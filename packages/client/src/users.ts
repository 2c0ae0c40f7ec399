/**
 * What users are called, as the server's application says it. Asked for together, once, and remembered: whoever shows a list
 * of messages asks for each of its senders, and one request goes out for all of them.
 */

import { MAX_DESCRIBED_USERS, type PayloadOf, type UserDescription } from '@tautline/protocol/wire'
import type { Client } from './client.ts'
import { onePerClient } from './one-per-client.ts'
import { createStore, type Readable } from './store.ts'
import { USER_CHECKS } from './subject-checks.ts'

export type { UserDescription } from '@tautline/protocol/wire'

/** What is known of users, by id; the same object until more is known. Who is not in it has no name here (yet). */
export type UsersSnapshot = ReadonlyMap<string, UserDescription>

export interface Users extends Readable<UsersSnapshot> {
  /**
   * What is said of these users. Those of whom nothing is, and those whom one may not know, are not in it. Rejects with
   * TIMEOUT, DISCONNECTED, CLOSED or RATE_LIMIT where it could not be asked.
   */
  get(userIds: readonly string[]): Promise<UsersSnapshot>
  /** What is known of the user; where it was never asked, it is asked now, and the snapshot changes when it is known. */
  look(userId: string): UserDescription | undefined
  /** Everything is asked anew when it is wanted: somebody has another name. */
  forget(): void
}

/** Users that are remembered, those of whom there is nothing to say included; beyond them the first to be asked for go. */
const MAX_KNOWN_USERS = 10_000

const usersOf = onePerClient(createUsers)

/** The names of users for this client: the same object each time. */
export function users(client: Client): Users {
  return usersOf(client, undefined)
}

function createUsers({ port }: Client): Users {
  port.learn(USER_CHECKS)
  const store = createStore<{ readonly all: UsersSnapshot }>({ all: new Map() })
  /** In the order of asking. */
  const asked = new Map<string, Promise<void>>()
  let batch: { readonly ids: string[]; readonly answer: Promise<void> } | undefined

  async function request(ids: readonly string[]): Promise<void> {
    try {
      const payload = (await port.request({
        type: 'get_users',
        payload: { users: [...ids] },
      })) as PayloadOf<'user_list'>
      // What was forgotten meanwhile is of before.
      const told = payload.users.filter(({ userId }) => asked.has(userId))
      if (told.length > 0) keep(told)
    } catch (error) {
      for (const id of ids) asked.delete(id)
      throw error
    }
  }

  function keep(told: readonly UserDescription[]): void {
    const all = new Map(store.getSnapshot().all)
    for (const user of told) all.set(user.userId, user)
    for (const id of all.keys()) if (!asked.has(id)) all.delete(id)
    store.update({ all })
  }

  function ask(userId: string): Promise<void> {
    const open = asked.get(userId)
    if (open) return open
    if (batch?.ids.length === MAX_DESCRIBED_USERS) batch = undefined
    batch ??= nextBatch()
    batch.ids.push(userId)
    asked.set(userId, batch.answer)
    for (const oldest of asked.keys()) {
      if (asked.size <= MAX_KNOWN_USERS) break
      asked.delete(oldest)
    }
    return batch.answer
  }

  /** Whatever is asked for in one turn goes together. */
  function nextBatch() {
    const ids: string[] = []
    const answer = Promise.resolve().then(() => {
      if (batch?.ids === ids) batch = undefined
      return request(ids)
    })
    return { ids, answer }
  }

  return {
    getSnapshot: () => store.getSnapshot().all,
    subscribe: store.subscribe,
    async get(userIds) {
      await Promise.all(userIds.map(ask))
      const { all } = store.getSnapshot()
      return new Map(
        userIds.flatMap((userId) => {
          const user = all.get(userId)
          return user ? [[userId, user] as const] : []
        }),
      )
    },
    look(userId) {
      // Who wants to know why looks at `get`.
      ask(userId).catch(() => {})
      return store.getSnapshot().all.get(userId)
    },
    forget() {
      asked.clear()
      batch = undefined
      store.update({ all: new Map() })
    },
  }
}
