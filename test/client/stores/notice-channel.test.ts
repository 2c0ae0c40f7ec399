// With the real BroadcastChannel of Node.

import type { OutboxNotice } from '@tautline/client'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type NoticeChannel, openNoticeChannel } from '../../../packages/client/src/stores/notice-channel.ts'
import { eventually } from '../../support/eventually.ts'

let names = 0
const open: (NoticeChannel | BroadcastChannel)[] = []

afterEach(() => {
  for (const channel of open.splice(0)) channel.close()
  vi.unstubAllGlobals()
})

function newName(): string {
  names++
  return `channel ${names}`
}

function join(name: string): { readonly channel: NoticeChannel; readonly told: readonly OutboxNotice[] } {
  const told: OutboxNotice[] = []
  const channel = openNoticeChannel(name, (notice) => told.push(notice))
  open.push(channel)
  return { channel, told }
}

const nudge: OutboxNotice = { settled: [], isChanged: true, isHolder: false }
const outcomes: OutboxNotice = {
  isChanged: false,
  isHolder: true,
  settled: [
    { messageId: 'm1', outcome: { status: 'acknowledged', seq: 7, timestamp: 1_750_000_000_000 } },
    { messageId: 'm2', outcome: { status: 'failed', code: 'FORBIDDEN' } },
    { messageId: 'm3', outcome: { status: 'failed', code: 'VALIDATION_ERROR', detail: 'empty' } },
  ],
}

describe('what tabs tell each other', () => {
  it('reaches all others, and not who told it', async () => {
    const name = newName()
    const [a, b, c] = [join(name), join(name), join(name)]
    const other = join(newName())
    a.channel.tell(outcomes)
    a.channel.tell(nudge)
    await eventually(() =>
      expect([b.told, c.told]).toEqual([
        [outcomes, nudge],
        [outcomes, nudge],
      ]),
    )
    expect([a.told, other.told]).toEqual([[], []])
  })

  it('is not heard by who left', async () => {
    const name = newName()
    const [a, b, c] = [join(name), join(name), join(name)]
    b.channel.close()
    a.channel.tell(nudge)
    await eventually(() => expect(c.told).toEqual([nudge]))
    expect(b.told).toEqual([])
  })

  const settled = (outcome: unknown, messageId: unknown = 'm1') => ({
    tautline: 1,
    ...nudge,
    settled: [{ messageId, outcome }],
  })
  const acknowledged = { status: 'acknowledged', seq: 1, timestamp: 1 }

  it.each<[what: string, data: unknown]>([
    ['nothing', null],
    ['a text', 'settled'],
    ['a list', [1]],
    ['no version', nudge],
    ['another version', { tautline: 2, ...nudge }],
    ['no word of whether there is something to read', { tautline: 1, settled: [], isHolder: true }],
    ['a holder that is neither yes nor no', { tautline: 1, ...nudge, isHolder: 1 }],
    ['no list', { tautline: 1, ...nudge, settled: { length: 0 } }],
    ['a hole in the list', { tautline: 1, ...nudge, settled: [null] }],
    ['no id', settled(acknowledged, 7)],
    ['no outcome', settled(undefined)],
    ['an outcome that is none', settled({ status: 'queued' })],
    ['no place', settled({ status: 'acknowledged', timestamp: 1 })],
    ['a place before the first', settled({ ...acknowledged, seq: 0 })],
    ['a place between two', settled({ ...acknowledged, seq: 1.5 })],
    ['a place beyond all', settled({ ...acknowledged, seq: 2 ** 53 })],
    ['a time that is none', settled({ ...acknowledged, timestamp: Number.NaN })],
    ['no code', settled({ status: 'failed' })],
    ['a code that nobody knows', settled({ status: 'failed', code: 'toString' })],
    ['a detail that is no text', settled({ status: 'failed', code: 'FORBIDDEN', detail: {} })],
    ['one bad among good', { tautline: 1, ...nudge, settled: [...outcomes.settled, { messageId: 'm4' }] }],
  ])('is nothing where it is not a notice: %s', async (_what, data) => {
    const name = newName()
    const { told } = join(name)
    const stranger = new BroadcastChannel(name)
    open.push(stranger)
    stranger.postMessage(data)
    stranger.postMessage({ tautline: 1, ...nudge, more: true })
    await eventually(() => expect(told).not.toEqual([]))
    expect(told).toEqual([nudge])
  })

  it.each([
    ['there is no BroadcastChannel', undefined],
    [
      'it is forbidden',
      () => {
        throw new DOMException('no', 'SecurityError')
      },
    ],
  ])('is lost, where %s', (_where, BroadcastChannel) => {
    vi.stubGlobal('BroadcastChannel', BroadcastChannel)
    const { channel, told } = join(newName())
    channel.tell(nudge)
    expect(told).toEqual([])
  })
})
