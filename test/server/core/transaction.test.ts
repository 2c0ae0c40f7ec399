import { describe, expect, it } from 'vitest'
import { Batch, type LogRow, type View } from '../../../packages/server/src/core/batch.ts'
import { MAX_STRANGE_LANES, runBatch, transact } from '../../../packages/server/src/core/transaction.ts'
import { ack, ackAgain, failed, join, leave, markRead, NOW, send } from '../../contracts/store/harness.ts'

/** Nothing was ever committed. */
const EMPTY: View = {
  room: () => undefined,
  member: () => undefined,
  lastN: () => undefined,
  entry: () => undefined,
  message: () => undefined,
  payload: () => undefined,
  reacted: () => false,
  threadFollow: () => undefined,
  threadFollowers: () => [],
  ordinal: () => undefined,
  readMark: () => undefined,
  delivery: () => undefined,
  invitation: () => undefined,
  sanction: () => undefined,
  everyMember: () => [],
  fingerprint: () => undefined,
  notice: () => undefined,
  unreadNotices: () => 0,
  noticeSetting: () => undefined,
  listeners: () => [],
  strangeLanes: () => 0,
}
const keep = () => true

describe('one operation', () => {
  it('changes nothing by itself', () => {
    const batch = runBatch(EMPTY, [join()], NOW, keep)
    const first = transact(batch, send(1), NOW)
    expect(transact(batch, send(1), NOW)).toEqual(first)
    expect(batch.result().outcomes).toHaveLength(1)
  })

  it('comes to an outcome, an entry and the place in its lane', () => {
    const batch = runBatch(EMPTY, [join()], NOW, keep)
    const { h } = batch.result().appended[0]!
    const step = transact(batch, send(1), NOW + 1)
    expect(step).toMatchObject({
      outcome: ack(2, NOW + 1),
      append: [
        {
          room: 'room',
          entry: { type: 'new_message', seq: 2, sender: 'alice', messageId: 'message-1', timestamp: NOW + 1 },
          digest: 'digest of words 1',
          ordinal: 1,
        },
      ],
      lane: { user: 'alice', room: 'room', lastN: 1 },
      isStrange: false,
    })
    expect(step.append?.[0]?.h).not.toBe(h)
  })

  it('counts messages alone', () => {
    const rows: LogRow[] = []
    const other = { type: 'new_poll', payload: {} }
    runBatch(
      EMPTY,
      [join(), send(1), send(2, { entry: other }), join('bob'), send(3), leave('bob')],
      NOW,
      (added) => {
        rows.push(...added.filter(({ room }) => room === 'room'))
        return true
      },
    )
    expect(rows.map(({ entry, ordinal }) => [entry.type, ordinal])).toEqual([
      ['member_joined', 0],
      ['new_message', 1],
      ['new_poll', 1],
      ['member_joined', 1],
      ['new_message', 2],
      ['member_left', 2],
    ])
  })
})

describe('a batch', () => {
  it('goes on without the operation whose row could not be kept, as if it had not been', () => {
    const refuses = new Set(['join-room-bob', 'message-2'])
    const batch = runBatch(
      EMPTY,
      [join(), join('bob'), send(1, { user: 'bob' }), send(1), send(2), send(3), markRead(9)],
      NOW,
      (rows) => !rows.some(({ entry }) => refuses.has(entry.messageId)),
    )
    expect(batch.result()).toMatchObject({
      outcomes: [
        { outcome: 'joined', role: 'owner' },
        failed('INTERNAL_ERROR'),
        failed('FORBIDDEN'),
        ack(2),
        failed('INTERNAL_ERROR'),
        failed('GAP'),
        { outcome: 'read', seq: 2, timestamp: NOW, head: 2, unread: 0 },
      ],
      appended: [
        {
          room: 'room',
          entries: [{ seq: 1 }, { seq: 2 }],
          h: batch.rooms.get('room')?.lastH,
          memberCount: 1,
        },
        { room: '~alice', entries: [{ seq: 1 }] },
      ],
    })
    expect([...batch.lanes.values()].map(({ user, lastN }) => [user, lastN])).toEqual([
      ['bob', 1],
      ['alice', 1],
    ])
  })

  it('tries nothing again after a row for which it must be given up', () => {
    const rows: string[] = []
    const full = new Error('the disk is full')
    const run = () =>
      runBatch(EMPTY, [join(), send(1), send(2)], NOW, ([row]) => {
        rows.push(String(row?.entry.messageId))
        if (row?.entry.messageId === 'message-1') throw full
        return true
      })
    expect(run).toThrow(full)
    expect(rows).toEqual(['join-room-alice', 'message-1'])
  })

  it('leaves what was committed as it was, and is seen over it', () => {
    const first = runBatch(EMPTY, [join(), send(1)], NOW, keep)
    const second = runBatch(first, [leave(), send(2), send(1), markRead(1)], NOW, keep)
    expect(second.result().outcomes).toEqual([
      { outcome: 'left' },
      failed('FORBIDDEN'),
      ackAgain(2),
      failed('FORBIDDEN'),
    ])
    expect(second.member('room', 'alice')).toBeUndefined()
    expect(first.member('room', 'alice')).toMatchObject({ role: 'owner' })
    expect(first.room('room')?.lastSeq).toBe(2)
  })

  it('writes each head, lane, member and read position once, as it was last', () => {
    const batch = runBatch(EMPTY, [join(), send(1), send(2), markRead(1), markRead(3), leave()], NOW, keep)
    expect([...batch.rooms]).toMatchObject([
      ['room', { lastSeq: 4, lastOrdinal: 2, oldest: 1, visibility: 'public', memberCount: 0 }],
      ['~alice', { lastSeq: 2, lastOrdinal: 0, visibility: 'own' }],
    ])
    expect([...batch.lanes.values()]).toMatchObject([{ lastN: 2 }])
    expect(batch.members).toEqual(new Map([['room', new Map([['alice', undefined]])]]))
    expect(batch.readMarks).toEqual(
      new Map([['room', new Map([['alice', { seq: 3, ordinal: 2, timestamp: NOW }]])]]),
    )
  })

  it('bounds the lanes of one who is no member, those of the batch included', () => {
    const almost: View = { ...EMPTY, strangeLanes: () => MAX_STRANGE_LANES - 2 }
    const to = (room: string) => send(1, { room, messageId: `message-${room}` })
    const batch = runBatch(
      almost,
      [to('a'), to('a'), to('b'), to('c'), to('a'), send(2, { room: 'b' })],
      NOW,
      keep,
    )
    expect(batch.result().outcomes).toEqual([
      failed('FORBIDDEN'),
      failed('VOID'),
      failed('FORBIDDEN'),
      failed('UNAVAILABLE'),
      failed('VOID'),
      failed('FORBIDDEN'),
    ])
    expect(new Batch(batch).strangeLanes('alice')).toBe(MAX_STRANGE_LANES)
  })
})
