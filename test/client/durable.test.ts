// An outbox that survives its client, through the public API: reloads, tabs, and stores that fail.

import { type ClientOptions, durable, type OutboxStorage, TautlineError } from '@tautline/client'
import { memoryStore } from '@tautline/client/memory'
import { timeline as openTimeline } from '@tautline/client/timeline'
import { describe, expect, it } from 'vitest'
import { local, transportTo } from './support/local.ts'
import { ScriptedServer } from './support/scripted-server.ts'
import { idle } from './support/virtual-time.ts'

const URL = 'ws://chat.example/ws'
const DAY_MS = 86_400_000

/** A tab of a browser: several with the same store and server are one user's. */
function tab(
  store: OutboxStorage = memoryStore(),
  server = new ScriptedServer(),
  more: Partial<ClientOptions> = {},
) {
  const own = local({ url: URL, transport: transportTo(server), outbox: { store: durable(store) }, ...more })
  return { ...own, server }
}

const contents = (server: ScriptedServer, room = 'den') =>
  (server.logs.get(room) ?? []).map(({ payload }) => (payload as { content: string }).content)

const codeOf = (error: unknown): string => (error instanceof TautlineError ? error.code : String(error))

/** Refuses every message, for good. */
function refuseAll(server: ScriptedServer): void {
  server.intercept = (message, reply) => {
    if (message.type !== 'commands') return false
    const { ref, commands } = message.payload
    for (let i = 0; i < commands.length; i++)
      reply({ type: 'error', payload: { ref: ref + i, code: 'FORBIDDEN', message: 'no' } })
    return true
  }
}

describe('a reload', () => {
  it('loses nothing that was queued: it is shown, sent once and in order, and then forgotten', async () => {
    const store = memoryStore()
    const before = tab(store)
    const said = ['one', 'two', 'three'].map((content) => before.client.room('den').send({ content }))
    expect(said.map(({ status }) => status)).toEqual(['saving', 'saving', 'saving'])
    await idle()
    expect(said.map(({ status }) => status)).toEqual(['queued', 'queued', 'queued'])
    await before.client.close()

    const { client, server, time } = tab(store)
    await time.advance(5)
    const room = client.room('den')
    const shown: string[] = []
    room.on('sending', ({ content }) => shown.push(content))
    const late = room.send({ content: 'four' })
    const timeline = openTimeline(room)
    await idle()
    expect(shown).toEqual(['four', 'one', 'two', 'three'])
    expect(client.outbox.list().map(({ content }) => content)).toEqual(['one', 'two', 'three', 'four'])
    const { items } = timeline.getSnapshot()
    expect(items.map(({ content, status }) => `${content} ${status}`)).toEqual(
      ['one', 'two', 'three', 'four'].map((content) => `${content} queued`),
    )
    await client.connect()
    await late
    expect(contents(server)).toEqual(['one', 'two', 'three', 'four'])
    expect(client.outbox.list()).toEqual([])
    await client.close()
    const last = tab(store, server)
    await last.client.connect()
    await idle()
    expect(last.client.outbox.list()).toEqual([])
    expect(contents(server)).toHaveLength(4)
  })

  it('keeps failed messages until they are tried again or discarded', async () => {
    const store = memoryStore()
    const before = tab(store)
    refuseAll(before.server)
    await before.client.connect()
    const failures: string[] = []
    before.client.on('failed', ({ content }) => failures.push(content))
    for (const content of ['one', 'two']) before.client.room('den').send({ content })
    await before.time.advance(100)
    expect(failures).toEqual(['one', 'two'])
    await before.client.close()

    const { client, server } = tab(store)
    client.on('failed', ({ content }) => failures.push(content))
    await client.connect()
    await idle()
    const [one, two] = client.outbox.list()
    expect([one?.status, two?.status]).toEqual(['failed', 'failed'])
    expect(one?.error).toEqual(new TautlineError('FORBIDDEN', 'no'))
    expect(failures).toEqual(['one', 'two'])
    const again = client.outbox.retry(one?.messageId ?? '')
    await again
    expect(again?.messageId).not.toBe(one?.messageId)
    client.outbox.discard(two?.messageId ?? '')
    expect(contents(server)).toEqual(['one'])
    await client.close()

    const last = tab(store)
    await last.client.connect()
    await idle()
    expect(last.client.outbox.list()).toEqual([])
  })

  it('keeps a failed message that could not be tried again, since the outbox was full', async () => {
    const store = memoryStore()
    const before = tab(store, undefined, { outbox: { store: durable(store), maxRows: 1 } })
    refuseAll(before.server)
    await before.client.connect()
    const { messageId } = before.client.room('den').send({ content: 'precious' })
    await before.time.advance(100)
    await before.client.disconnect()
    before.client.room('den').send({ content: 'fills it' })
    await idle()
    const again = before.client.outbox.retry(messageId)
    expect(again?.error?.code).toBe('OUTBOX_FULL')
    const left = () => before.client.outbox.list().map(({ content, status }) => `${content} ${status}`)
    expect(left()).toEqual(['precious failed', 'fills it queued'])
    await before.client.close()

    const { client } = tab(store)
    await client.connect()
    await idle()
    expect(client.outbox.list().map(({ messageId: id }) => id)).toEqual([messageId])
  })

  it('shows a message once whose acknowledgement was lost', async () => {
    const store = memoryStore()
    const before = tab(store)
    await before.client.connect()
    before.server.intercept = (message) => message.type === 'commands'
    const { messageId } = before.client.room('den').send({ content: 'one' })
    await idle()
    await before.client.close()

    const { client, server } = tab(store, before.server)
    server.intercept = (message) => message.type === 'commands'
    server.logs.set('den', [
      { type: 'new_message', seq: 1, sender: 'ada', messageId, timestamp: 1, payload: { content: 'one' } },
    ])
    await client.connect()
    const timeline = openTimeline(client.room('den'))
    await client.room('den').follow()
    await idle()
    expect(client.outbox.list()).toHaveLength(1)
    expect(timeline.getSnapshot().items.map(({ status }) => status)).toEqual(['acknowledged'])
  })

  it('of another user finds nothing', async () => {
    const store = memoryStore()
    const ada = tab(store)
    ada.client.room('den').send({ content: 'one' })
    await idle()
    await ada.client.close()
    const bob = tab(store, ada.server, { userId: 'bob', getToken: () => 'bob' })
    await bob.client.connect()
    await idle()
    expect(bob.client.outbox.list()).toEqual([])
    expect(contents(bob.server)).toEqual([])
  })
})

describe('two tabs', () => {
  it('send what both say, once each, and both learn what became of it', async () => {
    const store = memoryStore()
    const one = tab(store)
    const two = tab(store, one.server)
    await Promise.all([one.client.connect(), two.client.connect()])
    await idle()
    const said = [one, two, one, two].map(({ client }, i) =>
      client.room('den').send({ content: `number ${i}` }),
    )
    const places = await Promise.all(said)
    expect(new Set(places.map(({ seq }) => seq)).size).toBe(4)
    expect(contents(one.server)).toHaveLength(4)
    await idle()
    expect([...one.client.outbox.list(), ...two.client.outbox.list()]).toEqual([])
  })

  it('go on when the one that sent is closed', async () => {
    const store = memoryStore()
    const one = tab(store)
    const two = tab(store, one.server)
    await Promise.all([one.client.connect(), two.client.connect()])
    await one.client.close()
    expect((await two.client.room('den').send({ content: 'still here' })).seq).toBe(1)
  })

  it('go on when the one that should send does not', async () => {
    const store = memoryStore()
    const one = tab(store)
    const two = tab(store, one.server)
    await Promise.all([one.client.connect(), two.client.connect()])
    await one.client.disconnect()
    const sent = two.client.room('den').send({ content: 'hello?' })
    await two.time.advance(4_900)
    expect(sent.status).toBe('queued')
    await two.time.advance(200)
    expect(sent.status).toBe('acknowledged')
  })
})

describe('where the outbox is kept', () => {
  it('is told: opening, then durable', async () => {
    const { client } = tab()
    const told: string[] = []
    client.on('storage', ({ status }) => told.push(status))
    expect(client.getSnapshot().storage).toBe('opening')
    await client.connect()
    expect(told).toEqual(['durable'])
    expect(client.getSnapshot().storage).toBe('durable')
  })

  it('is told when it has been read: what a former load left counts as queued by then', async () => {
    const store = memoryStore()
    const before = tab(store)
    for (const content of ['one', 'two']) before.client.room('den').send({ content })
    await idle()
    await before.client.close()

    const { client } = tab(store)
    const told: unknown[] = []
    const look = () => {
      const { storage, queued } = client.getSnapshot()
      if (storage === 'durable') told.push(queued)
    }
    client.subscribe(look)
    client.on('storage', look)
    await client.connect()
    expect(told.slice(0, 2)).toEqual([2, 2])
    await client.close()
  })

  it('is memory without a store, and without a user id', async () => {
    expect(local().client.getSnapshot().storage).toBe('memory')
    const { client, server } = tab(memoryStore(), new ScriptedServer(), { userId: undefined })
    expect(client.getSnapshot().storage).toBe('memory')
    await client.connect()
    await client.room('den').send({ content: 'one' })
    expect(contents(server)).toEqual(['one'])
  })

  it('needs a name for the server', () => {
    expect(() => tab(memoryStore(), new ScriptedServer(), { url: undefined })).toThrow('it names the server')
  })

  it('is one place for all tickets of a server', async () => {
    const scopes: string[] = []
    const store: OutboxStorage = {
      open(scope, events) {
        scopes.push(scope.server)
        return memoryStore().open(scope, events)
      },
    }
    await tab(store, new ScriptedServer(), { url: `${URL}?ticket=1` }).client.connect()
    expect(scopes).toEqual([URL])
  })

  it.each([30 * DAY_MS, Number.POSITIVE_INFINITY, Number.NaN])(
    'keeps nothing for as long as %d ms: the server would have forgotten the lane',
    (timeToLiveMs) => {
      expect(() => local({ outbox: { timeToLiveMs } })).toThrow('less than 30 days')
    },
  )

  it('tells how full it is', async () => {
    const { client } = local({ outbox: { maxRows: 4 } })
    client.room('den').send({ content: 'one' })
    expect(client.getSnapshot()).toMatchObject({ queued: 1, pressure: 0.25 })
    await client.connect()
    expect(client.getSnapshot()).toMatchObject({ queued: 0, pressure: 0 })
  })
})

describe('a store that fails', () => {
  const failing = (what: 'open' | 'add' | 'list', error = new Error('the disk is full')): OutboxStorage => ({
    async open(scope, events) {
      if (what === 'open') throw error
      const store = await memoryStore().open(scope, events)
      return { ...store, [what]: () => Promise.reject(error) }
    },
  })

  it.each(['open', 'add', 'list'] as const)(
    'in %s is given up: everything goes on in memory',
    async (what) => {
      const { client, server } = tab(failing(what))
      const told: unknown[] = []
      client.on('storage', (change) => told.push(change))
      const sent = client.room('den').send({ content: 'one' })
      await client.connect()
      expect((await sent).seq).toBe(1)
      expect(contents(server)).toEqual(['one'])
      expect(told.at(-1)).toEqual({ status: 'lost', detail: 'the disk is full' })
      expect(client.getSnapshot().storage).toBe('lost')
      expect((await client.room('den').send({ content: 'two' })).seq).toBe(2)
      await client.close()
    },
  )

  it('at once, without a promise, is given up as well', async () => {
    const thrower: OutboxStorage = {
      open() {
        throw new Error('no store today')
      },
    }
    const { client } = tab(thrower)
    const details: (string | undefined)[] = []
    client.on('storage', ({ detail }) => details.push(detail))
    await client.connect()
    expect(details).toEqual(['no store today'])
    await client.close()
  })

  it('by never opening is given up after five seconds, and closed when it opens after all', async () => {
    let isClosed = false
    let open = (): void => {}
    const { client, time } = tab({
      async open(scope, events) {
        await new Promise<void>((resolve) => {
          open = resolve
        })
        const store = await memoryStore().open(scope, events)
        return {
          ...store,
          async close() {
            isClosed = true
          },
        }
      },
    })
    const sent = client.room('den').send({ content: 'one' })
    await client.connect()
    await time.advance(4_900)
    expect(sent.status).toBe('saving')
    await time.advance(200)
    expect(sent.status).toBe('acknowledged')
    open()
    await idle()
    expect(isClosed).toBe(true)
  })

  it.each(['add', 'list', 'remove'] as const)(
    'by never answering %s is given up after ten seconds: everything goes on in memory',
    async (what) => {
      const server = new ScriptedServer()
      const { client, time } = tab(
        {
          async open(scope, events) {
            const store = await memoryStore().open(scope, events)
            return { ...store, [what]: () => new Promise(() => {}) }
          },
        },
        server,
      )
      await client.connect()
      const sent = client.room('den').send({ content: 'one' })
      await time.advance(9_900)
      expect(client.getSnapshot().storage).toBe(what === 'list' ? 'opening' : 'durable')
      await time.advance(1_000)
      expect(client.getSnapshot().storage).toBe('lost')
      expect(sent.status).toBe('acknowledged')
      expect(contents(server)).toEqual(['one'])
      await Promise.all([client.close(), time.advance(5_000)])
      expect(time.timers()).toBe(0)
    },
  )

  it('by going away leaves what it had: it is sent from memory', async () => {
    let lose = (): void => {}
    const { client, server } = tab({
      open(scope, events) {
        lose = events.lost
        return memoryStore().open(scope, events)
      },
    })
    const sent = client.room('den').send({ content: 'one' })
    await idle()
    lose()
    expect(client.getSnapshot().storage).toBe('lost')
    await client.connect()
    await sent
    expect(contents(server)).toEqual(['one'])
  })
})

describe('a logout', () => {
  it('keeps what is queued for the next login of the same user, and for nobody else', async () => {
    const store = memoryStore()
    const before = tab(store)
    before.client.room('den').send({ content: 'one' })
    await before.client.logout()
    const bob = tab(store, before.server, { userId: 'bob', getToken: () => 'bob' })
    await bob.client.connect()
    await idle()
    expect(contents(bob.server)).toEqual([])
    await bob.client.logout()
    const after = tab(store, before.server)
    await after.client.connect()
    await idle()
    expect(contents(after.server)).toEqual(['one'])
  })

  it('keeps nothing where that is asked for: neither what is queued nor what has failed', async () => {
    const store = memoryStore()
    const { client, server, time } = tab(store)
    await client.connect()
    refuseAll(server)
    const refused = client.room('den').send({ content: 'one' })
    await idle()
    await client.disconnect()
    const unsent = client.room('den').send({ content: 'two' })
    await idle()
    const failures: string[] = []
    client.on('failed', ({ content, error }) => failures.push(`${content} ${error?.code}`))
    await client.logout({ keepOutbox: false })
    expect([refused.status, unsent.status]).toEqual(['failed', 'failed'])
    expect(failures).toEqual(['two CANCELLED'])
    expect(time.timers()).toBe(0)
    const after = tab(store)
    await after.client.connect()
    await idle()
    expect(after.client.outbox.list()).toEqual([])
    expect(contents(after.server)).toEqual([])
  })

  it('leaves nothing behind where that is asked for, neither here nor in another tab', async () => {
    const store = memoryStore()
    const { client, server } = tab(store)
    const other = tab(store, server)
    const said = other.client.room('den').send({ content: 'one' })
    client.room('den').send({ content: 'two' })
    await idle()
    await client.logout({ keepOutbox: false })
    const after = tab(store, server)
    await after.client.connect()
    await idle()
    expect(after.client.outbox.list()).toEqual([])
    await other.client.connect()
    await expect(Promise.resolve(said)).rejects.toMatchObject({ code: 'VOID' })
    expect(contents(server)).toEqual([])
  })

  it('empties a store that was never opened', async () => {
    const store = memoryStore()
    const before = tab(store)
    before.client.room('den').send({ content: 'one' })
    await before.client.close()
    await tab(store).client.logout({ keepOutbox: false })
    const after = tab(store)
    await after.client.connect()
    await idle()
    expect(after.client.outbox.list()).toEqual([])
  })

  it.each([true, false])('is bounded where the store never opens (keepOutbox: %s)', async (keepOutbox) => {
    const { client, time } = tab({ open: () => new Promise(() => {}) })
    const sent = client.room('den').send({ content: 'one' })
    let end = ''
    client.logout({ keepOutbox }).then(
      () => {
        end = 'done'
      },
      (error: unknown) => {
        end = codeOf(error)
      },
    )
    await time.advance(10_000)
    expect(end).toBe(keepOutbox ? 'done' : 'UNAVAILABLE')
    expect(sent.error?.code).toBe(keepOutbox ? undefined : 'CANCELLED')
    expect(time.timers()).toBe(0)
  })

  it.each(['add', 'clear', 'close'] as const)('is bounded where the store hangs in %s', async (what) => {
    const { client, time } = tab({
      async open(scope, events) {
        const store = await memoryStore().open(scope, events)
        return { ...store, [what]: () => new Promise(() => {}) }
      },
    })
    await client.connect()
    client.room('den').send({ content: 'one' })
    await idle()
    const leaving = client.logout({ keepOutbox: false })
    const end = leaving.then(() => 'done', codeOf)
    await time.advance(15_000)
    expect(await end).toBe(what === 'close' ? 'done' : 'UNAVAILABLE')
    expect(time.timers()).toBe(0)
  })

  it('says so where the store could not be emptied', async () => {
    const { client, time } = tab({
      async open(scope, events) {
        const store = await memoryStore().open(scope, events)
        return { ...store, clear: () => Promise.reject(new Error('the disk is full')) }
      },
    })
    await client.connect()
    await expect(client.logout({ keepOutbox: false })).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    expect(client.status).toBe('closed')
    expect(time.timers()).toBe(0)
  })
})

describe('closing a client', () => {
  it.each(['open', 'add', 'list', 'close'] as const)(
    'is bounded where the store hangs in %s',
    async (what) => {
      const never = () => new Promise<never>(() => {})
      const { client, time } = tab({
        async open(scope, events) {
          if (what === 'open') return never()
          return { ...(await memoryStore().open(scope, events)), [what]: never }
        },
      })
      client.room('general').send({ content: 'x' })
      await idle()
      let isDone = false
      void client.close().then(() => {
        isDone = true
      })
      await time.advance(5_000)
      expect(isDone).toBe(true)
      expect(time.timers()).toBe(0)
    },
  )

  it('is done when the store has everything and was let go of', async () => {
    const store = memoryStore()
    const { client } = tab(store)
    const said = ['one', 'two'].map((content) => client.room('den').send({ content }))
    await client.close()
    expect(said.map(({ status }) => status)).toEqual(['queued', 'queued'])
    const after = tab(store)
    await after.client.connect()
    expect((await after.client.room('den').send({ content: 'three' })).seq).toBe(3)
  })

  it('makes what is said later fail', async () => {
    for (const { client } of [tab(), local()]) {
      await client.close()
      const sent = client.room('den').send({ content: 'too late' })
      expect(sent.error?.code).toBe('CLOSED')
      await expect(Promise.resolve(sent)).rejects.toMatchObject({ code: 'CLOSED' })
    }
  })

  it('arms no timer any more', async () => {
    const { client, time } = tab()
    await client.connect()
    client.room('den').send({ content: 'one' })
    await client.close()
    await idle()
    expect(time.timers()).toBe(0)
  })
})
