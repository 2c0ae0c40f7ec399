// The contract of commands: each row of the table of lanes, what a batch makes of commands that depend on each other,
// and the bound of lanes in rooms of others.

import { expect, it } from 'vitest'
import type { CommandOp, Outcome, Store } from '../../../packages/server/src/core/store.ts'
import { ack, ackAgain, commit, commitAll, failed, join, leave, NOW, readLog, send, skip } from './harness.ts'

/** In the lane of `alice` in `room` four were decided: 1 and 2 acknowledged, 3 refused, 4 skipped. */
async function fourDecided(store: Store): Promise<void> {
  const outcomes = await commit(
    store,
    join(),
    join('alice', 'other'),
    send(1),
    send(2),
    send(3, { refusal: 'VALIDATION_ERROR', entry: undefined }),
    skip(4),
    send(1, { room: 'other', messageId: 'message-elsewhere' }),
  )
  expect(outcomes.slice(2)).toEqual([ack(2), ack(3), failed('VALIDATION_ERROR'), failed('SKIPPED'), ack(2)])
}

const later = NOW + 5_000

/** The command, its outcome, and the next place in the lane afterwards. */
const TABLE: readonly (readonly [what: string, command: CommandOp, outcome: Outcome, next: number])[] = [
  ['acknowledges a retry with the seq and time it had', send(2), ackAgain(3), 5],
  [
    'acknowledges a retry whose content was changed since, by its digest',
    send(2, { entry: undefined }),
    ackAgain(3),
    5,
  ],
  ['acknowledges a skip of what was accepted after all', skip(2), ackAgain(3), 5],
  ['answers VOID to a retry of what was refused', send(3), failed('VOID'), 5],
  ['answers VOID to a retry of what was skipped', skip(4), failed('VOID'), 5],
  [
    'answers VOID to another message at a decided place',
    send(1, { messageId: 'message-new' }),
    failed('VOID'),
    5,
  ],
  [
    'answers VOID to another message at a decided place whose id is used in another room',
    send(1, { messageId: 'message-elsewhere' }),
    failed('VOID'),
    5,
  ],
  ['answers GAP beyond the next place', send(6), failed('GAP'), 5],
  ['answers GAP to a skip beyond the next place', skip(7), failed('GAP'), 5],
  [
    'answers GAP beyond the next place even to what would be refused',
    send(6, { refusal: 'FORBIDDEN' }),
    failed('GAP'),
    5,
  ],
  ['appends at the next place', send(5), ack(4, later), 6],
  [
    'acknowledges at the next place what is in the log already',
    send(5, { messageId: 'message-2', content: 'words 2' }),
    ackAgain(3),
    6,
  ],
  [
    'acknowledges at the next place a skip of what is in the log already',
    skip(5, { messageId: 'message-2' }),
    ackAgain(3),
    6,
  ],
  [
    'answers ID_CONFLICT to an id used for other content',
    send(5, { messageId: 'message-2' }),
    failed('ID_CONFLICT'),
    6,
  ],
  [
    'answers ID_CONFLICT to an id used in another room',
    send(5, { messageId: 'message-elsewhere', content: 'words 1' }),
    failed('ID_CONFLICT'),
    6,
  ],
  [
    'answers ID_CONFLICT to a skip of an id used in another room',
    skip(5, { messageId: 'message-elsewhere' }),
    failed('ID_CONFLICT'),
    6,
  ],
  ['gives the place up for a skip', skip(5), failed('SKIPPED'), 6],
  ['records a refusal', send(5, { refusal: 'MESSAGE_TOO_LONG' }), failed('MESSAGE_TOO_LONG'), 6],
  [
    'records a refusal of what has no entry',
    send(5, { refusal: 'VALIDATION_ERROR', entry: undefined }),
    failed('VALIDATION_ERROR'),
    6,
  ],
  [
    'leaves the lane alone where the refusal is one to retry',
    send(5, { refusal: 'RATE_LIMIT' }),
    failed('RATE_LIMIT'),
    5,
  ],
]

export function describeLanes(open: () => Promise<Store>): void {
  it.each(TABLE)('foresees that it %s, and changes nothing', async (_, command, outcome, next) => {
    const store = await open()
    await fourDecided(store)
    const logBefore = await readLog(store)
    expect(await store.preview([command, command], later)).toMatchObject([outcome, {}])
    expect(await store.preview([command], later)).toEqual([outcome])
    expect(await readLog(store)).toEqual(logBefore)
    expect(await commit(store, send(6), send(5), skip(next === 5 ? 6 : 7))).toMatchObject([
      failed('GAP'),
      { outcome: 'acknowledged', seq: 4 },
      {},
    ])
  })

  it('foresees each command of a batch after those before it, rooms and members too', async () => {
    const store = await open()
    const ops = [join(), send(1), send(2), leave(), send(3)]
    const outcomes = [...(await store.preview(ops, NOW))]
    expect(outcomes).toMatchObject([
      { outcome: 'joined' },
      ack(2),
      ack(3),
      { outcome: 'left' },
      failed('FORBIDDEN'),
    ])
    expect(
      await store.readMembers({ user: 'alice', room: 'room', after: undefined, limit: 9 }),
    ).toBeUndefined()
    expect(await commit(store, ...ops)).toEqual(outcomes)
  })

  it('appends nothing that was not reviewed, and tells all else as ever', async () => {
    const store = await open()
    await fourDecided(store)
    const unreviewed = (op: CommandOp) => ({ ...op, isUnreviewed: true })
    expect(
      await commit(
        store,
        unreviewed(send(5)),
        unreviewed(send(6)),
        unreviewed(send(2)),
        unreviewed(send(3)),
        send(5, { refusal: 'FORBIDDEN' }),
        unreviewed(send(6, { messageId: 'message-2' })),
        unreviewed(send(7)),
      ),
    ).toEqual([
      failed('UNAVAILABLE'),
      failed('GAP'),
      ackAgain(3),
      failed('VOID'),
      failed('FORBIDDEN'),
      failed('ID_CONFLICT'),
      failed('UNAVAILABLE'),
    ])
    expect(await commit(store, send(7))).toEqual([ack(4, NOW)])
  })

  it.each(TABLE)('%s', async (_, command, outcome, next) => {
    const store = await open()
    await fourDecided(store)
    const logBefore = await readLog(store)
    const result = await commitAll(store, [command], later)
    expect(result.outcomes).toEqual([outcome])

    const appended = outcome.outcome === 'acknowledged' && outcome.appended
    expect(result.appended.map(({ room }) => room)).toEqual(appended ? ['room'] : [])
    expect(await readLog(store)).toEqual(appended ? [...logBefore, `4 ${command.messageId}`] : logBefore)
    const probe = { messageId: 'message-probe' }
    expect(await commit(store, send(next + 1, probe))).toEqual([failed('GAP')])
    expect(await commit(store, send(next, probe))).toMatchObject([
      { outcome: 'acknowledged', appended: true },
    ])
  })

  it('answers a retry the same, however often', async () => {
    const store = await open()
    await commit(store, join())
    expect(await commit(store, send(1))).toEqual([ack(2)])
    for (const _ of [1, 2, 3]) expect(await commit(store, send(1))).toEqual([ackAgain(2)])
    expect(await readLog(store)).toEqual(['1 join-room-alice', '2 message-1'])
  })

  it('acknowledges from another lane what the first one accepted', async () => {
    const store = await open()
    await commit(store, join(), send(1), send(2))
    const sid = 'lane-after-a-reload'
    expect(await commit(store, send(1, { sid, messageId: 'message-2', content: 'words 2' }))).toEqual([
      ackAgain(3),
    ])
    expect(await commit(store, send(2, { sid, messageId: 'message-3' }))).toEqual([ack(4)])
  })

  it('lets two users use the same message id', async () => {
    const store = await open()
    await commit(store, join(), join('bob'), send(1))
    expect(await commit(store, send(1, { user: 'bob' }))).toEqual([ack(4)])
  })

  it('decides each command of a batch after those before it', async () => {
    const store = await open()
    const { outcomes, appended } = await commitAll(store, [
      send(1, { messageId: 'message-too-early' }),
      join(),
      send(1, { sid: 'second-tab', messageId: 'message-x' }),
      send(3, { sid: 'second-tab', messageId: 'message-z' }),
      send(2, { sid: 'second-tab', messageId: 'message-y' }),
      send(2, { sid: 'second-tab', messageId: 'message-y' }),
      send(3, { sid: 'second-tab', messageId: 'message-x' }),
      leave(),
      send(4, { sid: 'second-tab', messageId: 'message-too-late' }),
    ])
    expect(outcomes).toEqual([
      failed('FORBIDDEN'),
      { outcome: 'joined', role: 'owner' },
      ack(2),
      failed('GAP'),
      ack(3),
      ackAgain(3),
      failed('ID_CONFLICT'),
      { outcome: 'left' },
      failed('FORBIDDEN'),
    ])
    expect(appended.map(({ room }) => room)).toEqual(['room', '~alice'])
    expect(appended[0]?.entries.map((entry) => `${entry.seq} ${entry.messageId}`)).toEqual([
      '1 join-room-alice',
      '2 message-x',
      '3 message-y',
      '4 leave-room-alice',
    ])
  })

  it('gives one message its place once where a batch holds it twice', async () => {
    const store = await open()
    await commit(store, join())
    expect(await commit(store, send(1), send(1), send(1, { sid: 'other-lane' }))).toEqual([
      ack(2),
      ackAgain(2),
      ackAgain(2),
    ])
  })

  it('keeps the lanes of two rooms, two tabs and two users apart', async () => {
    const store = await open()
    await commit(store, join(), join('alice', 'other'), join('bob'))
    const lanes = [{}, { sid: 'second-tab' }, { room: 'other' }, { user: 'bob' }]
    for (const [index, lane] of lanes.entries()) {
      expect(
        await commit(store, send(2, lane), send(1, { ...lane, messageId: `message-${index}` })),
      ).toMatchObject([failed('GAP'), { outcome: 'acknowledged', appended: true }])
    }
  })

  it('answers the same, durably, in rooms that do not exist and in rooms of others', async () => {
    const store = await open()
    await commit(store, join('bob'))
    for (const room of ['room', 'nowhere', '~alice', '~bob', '~bob~carol']) {
      const to = { room, messageId: `message-to-${room.replaceAll('~', '-')}` }
      expect(await commit(store, send(1, to))).toEqual([failed('FORBIDDEN')])
      expect(await commit(store, send(1, to))).toEqual([failed('VOID')])
      expect(await commit(store, send(3, to), send(2, to), skip(3, to))).toEqual([
        failed('GAP'),
        failed('FORBIDDEN'),
        failed('SKIPPED'),
      ])
    }
    expect(await readLog(store, 'room', 'bob')).toEqual(['1 join-room-bob'])
  })

  it('acknowledges to a former member what was accepted while they were one', async () => {
    const store = await open()
    await commit(store, join(), send(1), leave())
    expect(await commit(store, send(1), send(2))).toEqual([ackAgain(2), failed('FORBIDDEN')])
  })

  it('makes at most 1,000 lanes of a user in rooms of which they are no member', async () => {
    const store = await open()
    await commit(store, join(), join('bob', 'of-bob'))
    const strange = (i: number) => send(1, { room: `room-${i}`, messageId: `message-${i}` })
    const outcomes = await commit(store, ...Array.from({ length: 1_001 }, (_, i) => strange(i)))
    expect(outcomes.slice(0, 1_000).every((outcome) => isFailure(outcome, 'FORBIDDEN'))).toBe(true)
    expect(outcomes[1_000]).toEqual(failed('UNAVAILABLE'))

    expect(await commit(store, strange(1_000), skip(1, { room: 'of-bob' }))).toEqual([
      failed('UNAVAILABLE'),
      failed('UNAVAILABLE'),
    ])
    // What has its lane goes on, and so do one's own rooms and other users.
    expect(await commit(store, strange(7), send(2, { room: 'room-7' }))).toEqual([
      failed('VOID'),
      failed('FORBIDDEN'),
    ])
    expect(await commit(store, send(1))).toEqual([ack(2)])
    expect(await commit(store, send(1, { user: 'bob' }))).toEqual([failed('FORBIDDEN')])
    // A room that one joins does not count any longer.
    expect(await commit(store, join('alice', 'room-7'))).toEqual([{ outcome: 'joined', role: 'owner' }])
    expect(await commit(store, strange(1_000), strange(1_001))).toEqual([
      failed('FORBIDDEN'),
      failed('UNAVAILABLE'),
    ])
  })

  it('forgets a lane that nobody used for 30 days, and no younger one', async () => {
    const store = await open()
    const day = 86_400_000
    await commitAll(store, [join(), send(1), send(1, { sid: 'second-tab', messageId: 'message-x' })], NOW)
    await commitAll(store, [send(2)], NOW + 20 * day)
    await commitAll(store, [join('bob')], NOW + 31 * day)
    expect(await commit(store, send(3), send(2, { sid: 'second-tab' }))).toMatchObject([
      { outcome: 'acknowledged' },
      failed('GAP'),
    ])
    // Its messages keep their ids.
    expect(await commit(store, send(1, { sid: 'third-tab' }))).toEqual([ackAgain(2)])
  })
}

function isFailure(outcome: Outcome, code: string): boolean {
  return outcome.outcome === 'failed' && outcome.code === code
}
