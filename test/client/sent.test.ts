import { DEFAULT_LIMITS, MAX_FRAME_BYTES } from '@tautline/protocol'
import { describe, expect, it } from 'vitest'
import { createSending } from '../../packages/client/src/sent.ts'
import { rowOf } from './support/drive.ts'
import { local, localInDen } from './support/local.ts'
import { idle } from './support/virtual-time.ts'

const sending = () => createSending(rowOf('den', 'm-000001'))

describe('a message on its way', () => {
  it('goes from saving to acknowledged', () => {
    const { sent, progress, settle } = sending()
    const seen = [sent.status]
    const stop = sent.subscribe(() => seen.push(sent.status))
    progress('queued')
    progress('sent')
    progress('queued')
    progress('sent')
    settle({ status: 'acknowledged', seq: 3, timestamp: 5 })
    expect(seen).toEqual(['saving', 'queued', 'sent', 'queued', 'sent', 'acknowledged'])
    expect(sent.acknowledgement).toEqual({ seq: 3, timestamp: 5 })
    expect(sent.error).toBeUndefined()
    stop()
  })

  it('can be awaited before and after, by many', async () => {
    const { sent, settle } = sending()
    const early = [sent, sent].map(async (one) => (await one).seq)
    settle({ status: 'acknowledged', seq: 3, timestamp: 5 })
    expect(await Promise.all(early)).toEqual([3, 3])
    expect((await sent).seq).toBe(3)
    expect(await sent.then(({ seq }) => seq * 2)).toBe(6)
  })

  it('rejects with the code of its failure', async () => {
    const { sent, settle } = sending()
    const early = expect(Promise.resolve(sent)).rejects.toMatchObject({ code: 'FORBIDDEN', retryable: false })
    settle({ status: 'failed', code: 'FORBIDDEN' })
    await early
    await expect(Promise.resolve(sent)).rejects.toBe(sent.error)
    expect(await sent.then(undefined, () => 'handled')).toBe('handled')
    expect(await sent.catch((error: unknown) => error)).toBe(sent.error)
    expect(sent.acknowledgement).toBeUndefined()
  })

  it('that fails with nobody waiting raises nothing: it is the event `failed`', async () => {
    const rejections: unknown[] = []
    const note = (error: unknown): void => void rejections.push(error)
    process.on('unhandledRejection', note)
    const { client } = local()
    await client.connect()
    const failed: string[] = []
    client.on('failed', ({ error }) => failed.push(error?.code ?? ''))
    const sent = client.room('den').send({ content: 'x'.repeat(5_001) })
    await idle()
    await idle()
    process.off('unhandledRejection', note)
    expect(rejections).toEqual([])
    expect(failed).toEqual(['MESSAGE_TOO_LONG'])
    expect(sent.status).toBe('failed')
  })

  it('calls each listener until it is told to stop, also the same one twice', () => {
    const { sent, progress } = sending()
    let calls = 0
    const count = (): void => void calls++
    const stop = sent.subscribe(count)
    sent.subscribe(count)
    progress('queued')
    expect(calls).toBe(2)
    stop()
    stop()
    progress('sent')
    expect(calls).toBe(3)
  })
})

describe('what cannot be said', () => {
  const cycle: Record<string, unknown> = {}
  cycle['self'] = cycle
  let deep: Record<string, unknown> = {}
  for (let i = 0; i < 12; i++) deep = { deep }

  it.each<[string, string, Record<string, unknown> | undefined]>([
    ['nothing', '', undefined],
    ['a NUL', 'a\0b', undefined],
    ['half a character', '\ud83d', undefined],
    ['no text', 7 as unknown as string, undefined],
    ['a cycle', 'x', cycle],
    ['a bigint', 'x', { n: 1n }],
    ['a NUL in the metadata', 'x', { note: 'a\0' }],
    ['half a character in a key', 'x', { '\udc00': 1 }],
    ['what nests too deep', 'x', deep],
    ['the name of a prototype', 'x', JSON.parse('{"__proto__": 1}') as Record<string, unknown>],
  ])('%s fails at once, and everything else goes on', async (_what, content, metadata) => {
    const { client, server, room } = await localInDen()
    const sent = room.send({ content, metadata })
    expect([sent.status, sent.error?.code]).toEqual(['failed', 'VALIDATION_ERROR'])
    expect((await room.send({ content: 'fine' })).seq).toBe(1)
    expect(server.payloads('commands')).toHaveLength(1)
    expect(client.status).toBe('connected')
  })

  it('is little: the deepest metadata that a server takes goes through', async () => {
    let metadata: Record<string, unknown> = {}
    for (let i = 0; i < 8; i++) metadata = { metadata }
    const { room } = await localInDen()
    expect((await room.send({ content: 'x', metadata })).seq).toBe(1)
  })
})

describe('what is said before the first connection', () => {
  const said = (maxMessageChars: number) => {
    const all = local()
    all.server.limits = { ...DEFAULT_LIMITS, maxMessageChars }
    const sent = all.client.room('den').send({ content: 'x'.repeat(6_000) })
    return { ...all, sent }
  }

  it('waits for the server that is met: a larger one takes it', async () => {
    const { client, sent } = said(10_000)
    expect(sent.status).toBe('queued')
    await client.connect()
    expect((await sent).seq).toBe(1)
  })

  it('fails at a server that takes less, and what stands behind it goes on', async () => {
    const { client, sent } = said(5_000)
    const next = client.room('den').send({ content: 'short' })
    const failed = expect(Promise.resolve(sent)).rejects.toMatchObject({ code: 'MESSAGE_TOO_LONG' })
    await client.connect()
    await failed
    expect((await next).seq).toBe(1)
  })

  it('fails at once where no server takes it', () => {
    const sent = local()
      .client.room('den')
      .send({ content: 'x'.repeat(MAX_FRAME_BYTES) })
    expect(sent.error?.code).toBe('MESSAGE_TOO_LONG')
  })

  it('does not expire because the clock of the device is weeks behind', async () => {
    const { client, time } = local()
    time.jump(-30 * 24 * 3_600_000)
    const sent = client.room('den').send({ content: 'x' })
    await client.connect()
    expect((await sent).seq).toBe(1)
  })
})

describe('what was said', () => {
  it('is what it was when it was said, whatever becomes of the objects', async () => {
    const { client, server } = local()
    const metadata = { tags: ['a'], at: new Date(0), gone: undefined }
    const sent = client.room('den').send({ content: 'x', metadata })
    metadata.tags.push('b')
    await client.connect()
    await sent
    const expected = { tags: ['a'], at: '1970-01-01T00:00:00.000Z' }
    expect(server.logs.get('den')?.[0]?.payload).toEqual({ content: 'x', metadata: expected })
    expect(sent.metadata).toEqual(expected)
  })

  it('has an id of its own, in the order of saying', () => {
    const { client } = local()
    const sents = Array.from({ length: 50 }, () => client.room('den').send({ content: 'x' }))
    expect(new Set(sents.map(({ messageId }) => messageId)).size).toBe(50)
    for (const { messageId } of sents) expect(messageId).toMatch(/^[0-9a-z]{9}[A-Za-z0-9_-]{12}$/)
  })
})
