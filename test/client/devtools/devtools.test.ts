// What the devtools record of a real client in virtual time against the real server: what happened and why, the frames, the
// outbox and the latency; bounded, without secrets, and without what is hidden.

import { createClient } from '@tautline/client'
import { devtools } from '@tautline/client/devtools'
import { afterEach, describe, expect, it } from 'vitest'
import { createVirtualTime } from '../support/virtual-time.ts'
import { type Bench, openBench, pass } from './stage.ts'

let bench: Bench | undefined

afterEach(async () => {
  await bench?.close()
  bench = undefined
})

const TOKEN = 'token-of-ada-which-nobody-is-to-see'

const lines = ({ tools }: Bench, kind: string) =>
  tools
    .getSnapshot()
    .happenings.filter((happening) => happening.kind === kind)
    .map(({ what, reason, detail }) => [what, reason, detail].filter(Boolean).join(' '))

const bodies = ({ tools }: Bench) => tools.getSnapshot().frames.map(({ body }) => body)

describe('the time line', () => {
  it('tells each change of the status with its reason, its time and how long the one before had lasted', async () => {
    bench = await openBench()
    expect(lines(bench, 'status')).toEqual([
      'idle → connecting',
      'connecting → authenticating',
      'authenticating → connected',
    ])
    await pass(bench, 5_000)
    bench.tools.cut()
    await bench.settle()
    const { at, what, reason, afterMs, retryInMs } = bench.tools.getSnapshot().happenings.at(-1) ?? {}
    expect({ what, reason, afterMs }).toEqual({
      what: 'connected → waiting',
      reason: 'GOING_AWAY',
      afterMs: 5_000,
    })
    expect(at).toBe(bench.time.scheduler.unixTime())
    expect(retryInMs).toBeCloseTo((bench.client.getSnapshot().retryAt ?? 0) - (at ?? 0), 2)
  })

  it('tells of connections with their close codes, of tokens, of switches, and of what failed', async () => {
    bench = await openBench()
    bench.server.cut()
    await pass(bench, 5_000)
    expect(lines(bench, 'socket')).toEqual([
      'connection 1 is dialled',
      'connection 1 is open',
      'connection 1 is closed 1006',
      'connection 2 is dialled',
      'connection 2 is open',
    ])
    expect(lines(bench, 'token')).toEqual(['a token is asked for', 'a token is asked for'])
    bench.tools.set('stall', true)
    bench.tools.set('stall', true)
    bench.tools.restore()
    expect(lines(bench, 'switch')).toEqual(['stall on', 'stall off'])
    const sent = bench.client.room('den').send({ content: 'x'.repeat(6_000) })
    await sent.catch(() => {})
    expect(lines(bench, 'outbox')).toEqual([`${sent.messageId} to den failed MESSAGE_TOO_LONG`])
    bench.client.outbox.discard(sent.messageId)
    expect(lines(bench, 'outbox')[1]).toBe(`${sent.messageId} is discarded`)
  })

  it('is bounded, and so are the frames: the oldest go first', async () => {
    bench = await openBench({ maxHappenings: 5, maxFrames: 7 })
    for (let round = 0; round < 4; round++) {
      bench.tools.cut()
      await pass(bench, 3_000)
    }
    const { happenings, frames } = bench.tools.getSnapshot()
    expect([happenings.length, frames.length]).toEqual([5, 7])
    expect(happenings.at(-1)?.what).toBe('authenticating → connected')
    expect(bench.client.status).toBe('connected')
  })

  it('stands still while it is paused, says how much it left out, and can be cleared', async () => {
    bench = await openBench()
    bench.tools.clear()
    bench.tools.pause(true)
    bench.say('unseen')
    await bench.settle()
    expect(bench.heard).toEqual(['unseen'])
    const { frames, happenings, latency } = bench.tools.getSnapshot()
    expect(frames).toEqual([])
    expect(happenings.map(({ what }) => what)).toEqual(['paused'])
    expect(latency.samples.map(({ kind }) => kind)).toEqual(['ack'])
    bench.tools.pause(false)
    expect(lines(bench, 'recorder')[1]).toMatch(/^goes on; [1-9]\d* lines and frames were not recorded$/)
    bench.say('seen')
    await bench.settle()
    expect(bodies(bench).join('')).toContain('seen')
    bench.tools.clear()
    expect(bench.tools.getSnapshot()).toMatchObject({ frames: [], happenings: [], latency: { samples: [] } })
  })
})

describe('the frames', () => {
  it('are those of the wire in both directions, with their size, their types and their room', async () => {
    bench = await openBench()
    bench.tools.clear()
    bench.say('one', 'two')
    await bench.settle()
    const [out, back] = bench.tools.getSnapshot().frames
    expect(out).toMatchObject({
      link: 1,
      direction: 'out',
      types: ['commands: send_message ×2'],
      room: 'den',
      fate: 'passed',
    })
    expect(out?.bytes).toBe(out?.body?.length)
    expect(JSON.parse(out?.body ?? '')).toMatchObject({
      type: 'commands',
      payload: { commands: [{ payload: { content: 'one' } }, {}] },
    })
    expect(back).toMatchObject({ direction: 'in', types: ['ack', 'entries: new_message ×2'], room: 'den' })
  })

  it('hold no token, in whatever way it comes', async () => {
    bench = await openBench()
    const { tools, client } = bench
    client
      .room('den')
      .send({ content: `look: ${TOKEN}`, metadata: { accessToken: 'short', nested: [{ Password: 'p' }] } })
    bench.tools.set('refuseToken', true)
    await pass(bench, 5_000)
    bench.tools.set('refuseToken', false)
    await pass(bench, 5_000)
    expect(
      tools.getSnapshot().frames.filter(({ types }) => types.includes('authenticate')).length,
    ).toBeGreaterThan(2)
    for (const text of [tools.report('json'), tools.report('text'), JSON.stringify(tools.getSnapshot())]) {
      expect(text).not.toContain(TOKEN)
      expect(text).not.toContain('refused on purpose')
      expect(text).not.toContain('"short"')
      expect(text).toContain('[redacted]')
    }
    expect(bodies(bench).join('')).toContain('"nested":[{"Password":"[redacted]"}]')
  })

  it('whose bodies are hidden keep none, and what was hidden does not come back', async () => {
    bench = await openBench()
    const { tools } = bench
    bench.say('private')
    await bench.settle()
    expect(tools.report('text')).toContain('private')
    tools.showBodies(false)
    bench.say('also private')
    await bench.settle()
    tools.showBodies(true)
    for (const text of [tools.report('json'), tools.report('text')]) expect(text).not.toContain('private')
    expect(new Set(bodies(bench))).toEqual(new Set([undefined]))
    bench.say('not any more')
    await bench.settle()
    expect(tools.report('text')).toContain('not any more')
  })

  it('may have their bodies hidden from the beginning', async () => {
    bench = await openBench({ bodies: false })
    bench.say('private')
    await bench.settle()
    expect(bench.tools.report('json')).not.toContain('private')
    expect(bench.tools.getSnapshot().frames.length).toBeGreaterThan(3)
  })

  it('are shown as what they are where they are nothing of the protocol, however deep or long', () => {
    const said: ((data: unknown) => void)[] = []
    const tools = devtools()
    const { transport } = tools.instrument({
      getToken: () => '',
      transport({ onMessage }) {
        said.push(onMessage)
        return { send() {}, close() {} }
      },
    })
    transport?.({ onOpen() {}, onMessage() {}, onClose() {} })
    const [say = () => {}] = said
    const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`
    say('{"token":"secret-secret-secret')
    say(new Uint8Array(3))
    say(deep)
    say(JSON.stringify({ type: 'x', payload: JSON.parse(deep.slice(19_900, -19_900)) }))
    say(JSON.stringify({ type: 'y'.repeat(10_000), payload: { room: 'z'.repeat(10_000), constructor: 1 } }))
    say('[]')
    say(
      '{"type":"entries","payload":{"room":{},"entries":[{"type":{"toString":1,"valueOf":1}},{"type":[]}]}}',
    )
    say('{"type":"pong","payload":{"ref":{"toString":1,"valueOf":1}}}')
    say('{"type":"ack","payload":{"acks":[{"ref":{"toString":1,"valueOf":1}}]}}')
    say(`"${'token'.repeat(200_000)}`)
    say(`${'"token":'.repeat(100_000)} "x"token":"a \\" secret"`)
    const { frames } = tools.getSnapshot()
    const bodyOf = (text: string) => {
      say(text)
      return tools.getSnapshot().frames.at(-1)?.body
    }
    expect(frames.map(({ types }) => types[0]?.slice(0, 16))).toEqual([
      'not of the proto',
      'not text',
      'not of the proto',
      'x',
      'yyyyyyyyyyyyyyyy',
      undefined,
      'entries: not a w',
      'pong',
      'ack',
      'not of the proto',
      'not of the proto',
    ])
    expect(frames.at(-1)?.body).not.toContain('secret')
    expect(frames[0]?.body).toBe('{"token":"[redacted]')
    expect(bodyOf('"a":"x"token":"a \\" secret", "tokens": 5')).toBe(
      '"a":"x"token":"[redacted]", "tokens": 5',
    )
    for (const frame of frames) expect(JSON.stringify(frame).length).toBeLessThan(6_000)
  })
})

describe('the outbox', () => {
  it('says of each message its lane and place, how often it was sent, and why it failed', async () => {
    bench = await openBench()
    const { tools, client } = bench
    tools.set('halfOpen', true)
    bench.say('one', 'two')
    expect(tools.outbox()).toMatchObject([{ room: 'den', status: 'queued', attempts: 0, n: undefined }, {}])
    await bench.settle()
    expect(tools.outbox()).toMatchObject([
      { type: 'send_message', status: 'sent', attempts: 1, n: 1, createdAt: bench.time.scheduler.unixTime() },
      { attempts: 1, n: 2 },
    ])
    expect(new Set(tools.outbox().map(({ sid }) => sid)).size).toBe(1)
    const bad = client.room('den').send({ content: '' })
    expect(tools.outbox()[2]).toMatchObject({
      messageId: bad.messageId,
      status: 'failed',
      reason: 'VALIDATION_ERROR',
    })
    tools.restore()
    await pass(bench, 5_000)
    expect(tools.outbox().map(({ status }) => status)).toEqual(['failed'])
    client.outbox.discard(bad.messageId)
    expect(tools.outbox()).toEqual([])
  })
})

describe('the latency', () => {
  it('is what passes between a word and its answer, also where a stall is the reason', async () => {
    bench = await openBench()
    bench.tools.clear()
    bench.say('quick')
    await bench.settle()
    bench.tools.set('stall', true)
    bench.say('slow')
    await bench.settle()
    await bench.time.advance(3_000)
    bench.tools.set('stall', false)
    await bench.settle()
    const { samples, lastMs, medianMs, worstMs } = bench.tools.getSnapshot().latency
    expect(samples.map(({ kind, ms }) => [kind, ms])).toEqual([
      ['ack', 0],
      ['ack', 3_000],
    ])
    expect({ lastMs, medianMs, worstMs }).toEqual({ lastMs: 3_000, medianMs: 0, worstMs: 3_000 })
  })
})

describe('the client', () => {
  it('is let go of when it is closed, and may be followed by another', async () => {
    bench = await openBench()
    const { tools, client } = bench
    await client.close()
    expect(lines(bench, 'status').at(-1)).toBe('connected → closed')
    const next = tools.watch(
      createClient(
        tools.instrument({ userId: 'ada', getToken: () => TOKEN, transport: bench.server.transport }),
      ),
    )
    await next.connect()
    expect(tools.getSnapshot().happenings.at(-1)?.what).toBe('authenticating → connected')
    await next.close()
  })

  it('is refused by what it says where nothing carries its frames', () => {
    expect(() => devtools().instrument({ getToken: () => '' })).toThrow('give a url or a transport')
  })

  it('is not told twice, and who listens is told of each change until he stops', async () => {
    const time = createVirtualTime()
    const tools = devtools()
    let told = 0
    const stop = tools.subscribe(() => told++)
    const transport = () => ({ send() {}, close() {} })
    const client = tools.watch(
      createClient(tools.instrument({ getToken: () => TOKEN, transport, scheduler: time.scheduler })),
    )
    const first = tools.getSnapshot()
    expect(tools.getSnapshot()).toBe(first)
    client.connect().catch(() => {})
    await time.advance(0)
    expect(told).toBeGreaterThan(2)
    expect(tools.getSnapshot()).not.toBe(first)
    stop()
    const before = told
    await client.close()
    expect(told).toBe(before)
  })
})
