import type { Message } from '@tautline/client'
import { readMessages } from '@tautline/client/messages'
import { describe, expect, it } from 'vitest'
import { EPOCH } from './support/drive.ts'
import { local, localInDen } from './support/local.ts'
import { idle } from './support/virtual-time.ts'

/** Collects what the reader gives, until it ends. */
function collect(reader: AsyncIterableIterator<Message>) {
  const seqs: number[] = []
  const ended = (async () => {
    for await (const { seq } of reader) seqs.push(seq)
  })()
  return { seqs, ended }
}

const upTo = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i)

describe('reading a room from a position', () => {
  it('gives all pages of history, then what comes live', async () => {
    const { server, room } = await localInDen()
    for (let i = 1; i <= 250; i++) server.say('den', `${i}`)
    const { seqs } = collect(readMessages(room, { after: 20 }))
    await idle()
    expect(seqs).toEqual(upTo(21, 250))
    expect(server.payloads('get_page')).toHaveLength(3)
    server.say('den', 'live')
    await idle()
    expect(seqs).toEqual(upTo(21, 251))
  })

  it('follows the room where nobody does', async () => {
    const { client, server } = local()
    await client.connect()
    server.say('den', '1')
    const { seqs } = collect(readMessages(client.room('den'), { after: 0 }))
    await idle()
    server.say('den', '2')
    await idle()
    expect(seqs).toEqual([1, 2])
    expect(server.payloads('subscribe').length).toBeGreaterThan(0)
  })

  it('misses nothing that comes while a page is on its way', async () => {
    const { server, room } = await localInDen()
    for (let i = 1; i <= 5; i++) server.say('den', `${i}`)
    await idle()
    server.intercept = (message) => {
      if (message.type !== 'get_page') return false
      server.intercept = () => false
      for (let i = 6; i <= 9; i++) server.say('den', `${i}`)
      return false
    }
    const { seqs } = collect(readMessages(room, { after: 0 }))
    await idle()
    server.say('den', '10')
    await idle()
    expect(seqs).toEqual(upTo(1, 10))
  })

  it('leaves a slow reader its time: what does not fit is read from the log', async () => {
    const { server, room } = await localInDen()
    server.say('den', '1')
    const reader = readMessages(room, { after: 0 })
    expect((await reader.next()).value).toMatchObject({ seq: 1 })
    const waiting = reader.next()
    for (let i = 2; i <= 2_600; i++) server.say('den', `${i}`)
    await idle()
    expect((await waiting).value).toMatchObject({ seq: 2 })
    for (let seq = 3; seq <= 2_600; seq++) expect((await reader.next()).value).toMatchObject({ seq })
    await reader.return?.()
  })

  it('loses nothing around a gap, however late it reads on', async () => {
    const { server, room, time } = await localInDen()
    for (let i = 1; i <= 2; i++) server.say('den', `${i}`)
    const reader = readMessages(room, { after: 0 })
    expect((await reader.next()).value).toMatchObject({ seq: 1 })
    for (let i = 3; i <= 4; i++) server.say('den', `${i}`)
    await idle()
    const pageFrom = (ref: number, after: number) => {
      const log = server.logs.get('den') ?? []
      const payload = {
        ref,
        room: 'den',
        epoch: EPOCH,
        after: { seq: after, h: 'x' },
        entries: log.slice(after),
        h: 'y',
      }
      return { type: 'page', payload: { ...payload, head: log.length, live: true, oldest: 1 } } as const
    }
    server.intercept = (message, reply) => {
      if (message.type === 'subscribe') {
        for (const session of server.sessions) session.rooms.add('den')
        reply(pageFrom(message.payload.ref, 28))
      }
      if (message.type === 'get_page') {
        const page = pageFrom(message.payload.ref, message.payload.after.seq)
        // One more comes while the page is on its way.
        if (server.logs.get('den')?.length === 30) server.say('den', '31')
        reply(page)
      }
      return message.type === 'subscribe' || message.type === 'get_page'
    }
    server.drop()
    for (let i = 5; i <= 30; i++) server.say('den', `${i}`)
    await time.advance(3_000)
    for (let seq = 2; seq <= 31; seq++) expect((await reader.next()).value).toMatchObject({ seq })
  })

  it('goes on over a lost connection', async () => {
    const { server, room, time } = await localInDen()
    const { seqs } = collect(readMessages(room, { after: 0 }))
    server.say('den', '1')
    await idle()
    server.drop()
    for (let i = 2; i <= 5; i++) server.say('den', `${i}`)
    await time.advance(3_000)
    server.say('den', '6')
    await idle()
    expect(seqs).toEqual(upTo(1, 6))
  })

  it('waits through a long time without a connection', async () => {
    const { client, server, room, time } = await localInDen()
    for (let i = 1; i <= 3; i++) server.say('den', `${i}`)
    await idle()
    server.isSilent = true
    const { seqs } = collect(readMessages(room, { after: 0 }))
    await time.advance(200_000)
    server.isSilent = false
    await time.advance(60_000)
    expect(client.status).toBe('connected')
    expect(seqs).toEqual([1, 2, 3])
  })

  it('gives calls of next that overlap their turn', async () => {
    const { server, room } = await localInDen()
    for (let i = 1; i <= 3; i++) server.say('den', `${i}`)
    const reader = readMessages(room, { after: 0 })
    const results = await Promise.all([reader.next(), reader.next(), reader.next()])
    expect(results.map(({ value }) => (value as Message).seq)).toEqual([1, 2, 3])
  })

  it('ends at a break, and is listened to no more', async () => {
    const { server, room } = await localInDen()
    for (let i = 1; i <= 3; i++) server.say('den', `${i}`)
    const reader = readMessages(room, { after: 0 })
    for await (const { seq } of reader) if (seq === 2) break
    const asked = server.payloads('get_page').length
    server.say('den', '4')
    await idle()
    expect(await reader.next()).toEqual({ done: true, value: undefined })
    expect(server.payloads('get_page')).toHaveLength(asked)
  })

  it('ends while it waits, by return', async () => {
    const { room } = await localInDen()
    const reader = readMessages(room, { after: 0 })
    const waiting = reader.next()
    await idle()
    await reader.return?.()
    expect(await waiting).toEqual({ done: true, value: undefined })
  })

  it('gives nothing any more once return was called, whatever was on its way', async () => {
    const { server, room } = await localInDen()
    server.say('den', '1')
    await idle()
    const reader = readMessages(room, { after: 0 })
    const waiting = [reader.next(), reader.next()]
    server.intercept = (message) => {
      if (message.type === 'get_page') queueMicrotask(() => void reader.return?.())
      return false
    }
    await idle()
    void reader.return?.()
    expect(await Promise.all(waiting)).toEqual([
      { done: true, value: undefined },
      { done: true, value: undefined },
    ])
  })

  it.each(['FETCH_ERROR', 'UNAVAILABLE', 'INTERNAL_ERROR', 'RATE_LIMIT'] as const)(
    'waits where the server cannot read just now (%s), as long as it asks',
    async (code) => {
      const { server, room, time } = await localInDen()
      for (let i = 1; i <= 3; i++) server.say('den', `${i}`)
      await idle()
      let refusals = 0
      server.intercept = (message, reply) => {
        if (message.type !== 'get_page' || refusals === 3) return false
        const retryAfterMs = refusals++ === 0 ? 5_000 : undefined
        reply({ type: 'error', payload: { ref: message.payload.ref, code, message: 'no', retryAfterMs } })
        return true
      }
      const { seqs } = collect(readMessages(room, { after: 0 }))
      await time.advance(4_999)
      expect(refusals).toBe(1)
      // Told entries are no reason to ask sooner.
      server.say('den', '4')
      await time.advance(1)
      expect(refusals).toBe(2)
      await time.advance(1_999)
      expect(refusals).toBe(2)
      await time.advance(1 + 4_000)
      expect(seqs).toEqual([1, 2, 3, 4])
    },
  )

  it('ends at once while it waits for that', async () => {
    const { server, room, time } = await localInDen()
    server.intercept = (message, reply) => {
      if (message.type !== 'get_page') return false
      reply({ type: 'error', payload: { ref: message.payload.ref, code: 'UNAVAILABLE', message: 'no' } })
      return true
    }
    const reader = readMessages(room, { after: 0 })
    const waiting = reader.next()
    await idle()
    const timers = time.timers()
    await reader.return?.()
    expect(await waiting).toEqual({ done: true, value: undefined })
    expect(time.timers()).toBe(timers - 1)
  })

  it('follows only while it reads, unless others do too', async () => {
    const { client, server } = local()
    await client.connect()
    server.say('den', '1')
    const room = client.room('den')
    const readers = [
      readMessages(room, { after: 0 }),
      readMessages(room, { after: 0 }),
      readMessages(room, { after: 0 }),
    ]
    expect(server.payloads('subscribe').at(-1)).not.toMatchObject({ rooms: [{ room: 'den' }] })
    await Promise.all(readers.slice(1).map((reader) => reader.next()))
    for (const reader of readers.slice(1)) {
      expect(server.payloads('unsubscribe')).toEqual([])
      expect(room.getSnapshot().phase).toBe('live')
      await reader.return?.()
    }
    expect(server.payloads('unsubscribe')).toMatchObject([{ rooms: ['den'] }])
    expect(room.getSnapshot().phase).toBe('idle')
    const last = readers[0] as AsyncIterableIterator<Message>
    await last.next()
    await room.follow()
    await last.return?.()
    expect(room.getSnapshot().phase).toBe('live')
  })

  it('fails where the server refuses it', async () => {
    const { server, room } = await localInDen()
    server.intercept = (message, reply) => {
      if (message.type !== 'get_page') return false
      reply({ type: 'error', payload: { ref: message.payload.ref, code: 'FORBIDDEN', message: 'no' } })
      return true
    }
    await expect(collect(readMessages(room, { after: 0 })).ended).rejects.toMatchObject({ code: 'FORBIDDEN' })
  })

  it('fails where the room is another one now', async () => {
    const { server, room, time } = await localInDen()
    for (let i = 1; i <= 3; i++) server.say('den', `${i}`)
    const { seqs, ended } = collect(readMessages(room, { after: 0 }))
    const failed = expect(ended).rejects.toMatchObject({ code: 'FETCH_ERROR' })
    await idle()
    server.epoch = 'epoch-2'
    server.drop()
    await time.advance(3_000)
    await failed
    expect(seqs).toEqual([1, 2, 3])
  })

  it('ends where the room is left', async () => {
    const { server, room } = await localInDen()
    const { ended } = collect(readMessages(room, { after: 0 }))
    await idle()
    server.tell({ type: 'room_left', payload: { room: 'den', reason: 'removed' } })
    await ended
  })
})
