// What users are called, from the application's function to the page: real clients against the real server.

import { type Client, createClient } from '@tautline/client'
import { admin } from '@tautline/client/admin'
import { notifications } from '@tautline/client/notifications'
import { presence } from '@tautline/client/presence'
import { users } from '@tautline/client/users'
import { createServer, type Hooks, memory, type Server } from '@tautline/server'
import { afterEach, describe, expect, it, vi } from 'vitest'

let server: Server
const clients: Client[] = []

afterEach(async () => {
  for (const client of clients.splice(0)) await client.close()
  await server.close()
})

async function start(hooks?: Hooks): Promise<void> {
  server = await createServer({
    port: 0,
    auth: { verify: (token) => ({ userId: token }) },
    store: memory(),
    logger: false,
    hooks,
  })
}

async function member(userId: string, room = 'general'): Promise<Client> {
  const client = createClient({ url: String(server.url), userId, getToken: () => userId })
  clients.push(client)
  await client.connect()
  await client.room(room).join()
  return client
}

describe('the names of users', () => {
  it('are those that the application says, of whom one shares a room with, and nobody else', async () => {
    const asked: string[] = []
    await start({
      async describeUsers(userIds) {
        asked.push(...userIds)
        return Object.fromEntries(
          userIds
            .filter((id) => id !== 'cy')
            .map((id) => [id, { name: id.toUpperCase(), avatarUrl: `/${id}.png` }]),
        )
      },
    })
    const ada = await member('ada')
    for (const userId of ['bob', 'cy']) await member(userId)
    await member('eve', 'elsewhere')
    const names = await users(ada).get(['ada', 'bob', 'cy', 'eve', 'nobody', 'system'])
    expect(Object.fromEntries(names)).toEqual({
      ada: { userId: 'ada', name: 'ADA', avatarUrl: '/ada.png' },
      bob: { userId: 'bob', name: 'BOB', avatarUrl: '/bob.png' },
      system: { userId: 'system', name: 'SYSTEM', avatarUrl: '/system.png' },
    })
    // Of whom one may not know the application is not even asked.
    expect(asked.toSorted()).toEqual(['ada', 'bob', 'cy', 'system'])
  })

  it('are asked for together, once, and are there for who looks', async () => {
    const calls: (readonly string[])[] = []
    const callOf = (userIds: readonly string[]) => new Map(userIds.map((id) => [id, { name: `The ${id}` }]))
    await start({
      describeUsers(userIds) {
        calls.push(userIds)
        return callOf(userIds)
      },
    })
    const ada = await member('ada')
    await member('bob')
    const names = users(ada)
    expect(users(ada)).toBe(names)
    const before = names.getSnapshot()
    const changed = new Promise<void>((resolve) => {
      names.subscribe(resolve)
    })
    expect([names.look('ada'), names.look('bob'), names.look('bob')]).toEqual([
      undefined,
      undefined,
      undefined,
    ])
    await changed
    expect(names.look('bob')).toEqual({ userId: 'bob', name: 'The bob' })
    await names.get(['bob', 'ada'])
    expect(calls).toEqual([['ada', 'bob']])
    expect(names.getSnapshot()).not.toBe(before)
    expect(names.getSnapshot()).toBe(names.getSnapshot())
  })

  it('change when the application says so, for who asks anew', async () => {
    let name = 'Bob'
    await start({ describeUsers: () => ({ bob: { name } }) })
    const ada = await member('ada')
    await member('bob')
    const names = users(ada)
    expect((await names.get(['bob'])).get('bob')?.name).toBe('Bob')
    name = 'Robert'
    server.forgetUsers(['bob'])
    names.forget()
    expect((await names.get(['bob'])).get('bob')?.name).toBe('Robert')
  })

  it('are whom the application lets one see, where it decides', async () => {
    await start({
      describeUsers: () => ({ eve: { name: 'Eve' }, bob: { name: 'Bob' } }),
      maySee: ({ userId }) => userId === 'eve',
    })
    const ada = await member('ada')
    await member('bob')
    expect([...(await users(ada).get(['bob', 'eve'])).keys()]).toEqual(['eve'])
  })

  it('are absent where the function fails, and where there is none', async () => {
    let isDown = true
    await start({
      describeUsers() {
        if (isDown) throw new Error('the directory is down')
        return { ada: { name: 'Ada' } }
      },
    })
    const ada = await member('ada')
    expect(await users(ada).get(['ada'])).toEqual(new Map())
    isDown = false
    users(ada).forget()
    expect((await users(ada).get(['ada'])).get('ada')?.name).toBe('Ada')
    await ada.close()
    await server.close()
    await start()
    expect(await users(await member('ada')).get(['ada'])).toEqual(new Map())
  })

  it('are asked for again after a request that failed', async () => {
    await start({ describeUsers: () => ({ ada: { name: 'Ada' } }) })
    const ada = createClient({
      url: String(server.url),
      userId: 'ada',
      getToken: () => 'ada',
      requestTimeoutMs: 1,
    })
    clients.push(ada)
    await expect(users(ada).get(['ada'])).rejects.toMatchObject({ name: 'TautlineError' })
    const later = await member('ada')
    expect((await users(later).get(['ada'])).size).toBe(1)
  })

  it('hold up nothing else that their asker wants, however long the application takes', async () => {
    const answers: (() => void)[] = []
    await start({
      describeUsers: () =>
        new Promise((resolve) => {
          answers.push(() => resolve({ bob: { name: 'Bob' } }))
        }),
      maySee: () => true,
    })
    const ada = await member('ada')
    await member('bob', 'elsewhere')
    const bobs = users(ada).get(['bob'])
    await vi.waitUntil(() => answers.length > 0)
    await ada.room('general').follow()
    await admin(ada.room('general')).members()
    await notifications(ada).loadOlder()
    const bob = presence(ada).watch(['bob'])
    await vi.waitUntil(() => bob.getSnapshot().users.get('bob')?.status === 'online')
    answers.pop()?.()
    expect((await bobs).get('bob')?.name).toBe('Bob')
  })
})
