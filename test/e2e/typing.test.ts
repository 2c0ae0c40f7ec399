// Typing from end to end: real clients against the real server, whose store is watched.

import { createServer, memory, type Store } from '@tautline/server'
import { expect, it } from 'vitest'
import { localClients } from '../support/local-server.ts'

it('is told to who is there and kept nowhere: the store is not even asked', async () => {
  const calls: string[] = []
  const watch = (store: Store): Store =>
    new Proxy(store, {
      get(target, name, receiver) {
        const part: unknown = Reflect.get(target, name, receiver)
        if (typeof part !== 'function') return part
        return (...args: unknown[]): unknown => {
          calls.push(String(name))
          return Reflect.apply(part, target, args)
        }
      },
    })
  const server = await createServer({
    auth: { verify: (token) => ({ userId: token }) },
    store: { open: async () => watch(await memory().open()) },
    logger: false,
  })
  const { client, close } = localClients(server)
  const [ada, bob] = [client('ada').room('pier'), client('bob', { deliveryReceipts: false }).room('pier')]
  for (const room of [ada, bob]) {
    await room.client.connect()
    await room.join()
  }
  const { seq } = await ada.send({ content: 'before' })
  const heard: (readonly string[])[] = []
  const typed = new Promise<void>((resolve) => {
    let last: readonly string[] = []
    bob.subscribe(() => {
      const { typing } = bob.getSnapshot()
      if (typing === last) return
      last = typing
      heard.push(typing)
      if (heard.length === 2) resolve()
    })
  })
  calls.length = 0
  ada.typing(true)
  ada.typing(false)
  await typed
  expect(heard).toEqual([['ada'], []])
  expect(calls).toEqual([])
  // What comes next has the next position: there was nothing between.
  expect((await ada.send({ content: 'after' })).seq).toBe(seq + 1)
  expect(calls).toContain('commit')
  await close()
  await server.close()
})
