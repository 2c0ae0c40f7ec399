// Random batches, the same to three stores: the naive one, that in memory and that on SQLite. They must agree on every
// outcome and on everything that can be read afterwards. Names are few, so that what can collide does.

import * as fc from 'fast-check'
import { afterAll, expect, it } from 'vitest'
import type { Outcome, Store, StoreOp } from '../../../packages/server/src/core/store.ts'
import { memory } from '../../../packages/server/src/stores/memory.ts'
import {
  accept as acceptInto,
  ask,
  create as createRoom,
  invite as inviteTo,
  join as joinRoom,
  markRead,
  membersOf,
  mute as muteIn,
} from '../../contracts/store/harness.ts'
import { NaiveStore } from './naive-store.ts'
import { startSqlite } from './sqlite-harness.ts'

const SEED = 20_260_714
const USERS = ['alice', 'bob', 'carol']
const KINDS = [
  'FORBIDDEN',
  'GAP',
  'ID_CONFLICT',
  'MUTED',
  'RATE_LIMIT',
  'SKIPPED',
  'VALIDATION_ERROR',
  'VOID',
  'acknowledged',
  'appended',
  'created',
  'deleted',
  'delivered',
  'done',
  'invited',
  'joined',
  'left',
  'noticed',
  'notices_set',
  'read',
  'removed',
  'updated',
]
const ROOMS = ['red', 'green', 'blue', '~alice', 'alice~bob']

const user = fc.constantFrom('alice', 'alice', 'bob', 'carol')
const room = fc.constantFrom(
  'red',
  'red',
  'red',
  'red',
  'red',
  'red',
  'green',
  'blue',
  'blue',
  '~alice',
  'alice~bob',
)
const command = fc
  .record({
    user,
    room,
    sid: fc.constantFrom('first-tab', 'first-tab', 'second-tab'),
    // From the next place in the lane: made a place where the batches are run.
    n: fc.constantFrom(0, 0, 0, 0, 0, 0, -1, -2, 1),
    messageId: fc.integer({ min: 1, max: 8 }).map((i) => `message-${i}`),
    digest: fc.constantFrom('same', 'same', 'other'),
    kind: fc.constantFrom('send', 'send', 'send', 'send', 'send', 'send', 'skip', 'refused', 'postponed'),
  })
  .map(({ kind, ...op }): StoreOp => {
    const entry = { type: 'new_message', payload: { content: op.digest } }
    if (kind === 'skip') return { op: 'command', ...op, entry: undefined, refusal: undefined }
    if (kind === 'refused') return { op: 'command', ...op, entry: undefined, refusal: 'VALIDATION_ERROR' }
    if (kind === 'postponed') return { op: 'command', ...op, entry, refusal: 'RATE_LIMIT' }
    return { op: 'command', ...op, entry, refusal: undefined }
  })
// The server's ids never collide: they are made unique where the batches are run.
const noIds = { messageId: fc.constant(''), noticeId: fc.constant('') }
const join = fc.record({ op: fc.constant('join' as const), user, room, ...noIds, create: fc.boolean() })
const leave = fc.record({ op: fc.constant('leave' as const), user, room, ...noIds })
const accept = fc.record({ op: fc.constant('accept' as const), user, room, ...noIds })
const target = fc.constantFrom('alice', 'bob', 'bob', 'carol', 'carol')
const remove = fc.record({ op: fc.constant('remove' as const), user, room, ...noIds, target })
const bySystem = { ...noIds, user: fc.constant('system'), room, target }
const admit = fc.record({
  op: fc.constant('admit' as const),
  ...bySystem,
  role: fc.constantFrom('member' as const, 'moderator' as const, 'owner' as const),
})
const putOut = fc.record({ op: fc.constant('remove' as const), ...bySystem })
const invite = fc.record({
  op: fc.constant('invite' as const),
  user,
  room,
  ...noIds,
  target,
  role: fc.constantFrom('owner', 'moderator', 'member', 'member', 'member'),
})
const about = { ...noIds, user, room, target }
const update = fc.record({
  op: fc.constant('update' as const),
  user,
  room,
  ...noIds,
  visibility: fc.constantFrom(undefined, 'private' as const, 'public' as const),
  about: fc.constantFrom('{}', '{"name":"a"}', '{"name":""}'),
})
const destroy = fc.record({
  op: fc.constant('delete' as const),
  user: fc.constantFrom('alice', 'bob'),
  room: fc.constantFrom('green', 'blue'),
  ...noIds,
})
const setRole = fc.record({
  op: fc.constant('set_role' as const),
  ...about,
  role: fc.constantFrom('owner' as const, 'moderator' as const, 'member' as const),
})
const ban = fc.record({ op: fc.constant('ban' as const), ...about, lift: fc.boolean() })
const mute = fc.record({
  op: fc.constant('mute' as const),
  ...about,
  user: fc.constantFrom('alice', 'alice', 'alice', 'bob'),
  target: fc.constantFrom('bob', 'bob', 'bob', 'alice', 'carol'),
  room: fc.constantFrom('red', 'red', 'red', 'blue', 'alice~bob'),
  durationMs: fc.constantFrom(0, 1, 2, 50, 50, 50),
})
const create = fc.record({
  op: fc.constant('create' as const),
  user,
  room: fc.constantFrom('blue', 'blue', 'red', 'alice~bob'),
  ...noIds,
  visibility: fc.constantFrom('private', 'private', 'public'),
  about: fc.constant('{}'),
})
const read = fc
  .record({ user, room, seq: fc.integer({ min: 1, max: 8 }) })
  .map((op) => markRead(op.seq, op.user, op.room))
const delivered = fc.record({
  op: fc.constant('mark_delivered' as const),
  user,
  room,
  seq: fc.integer({ min: 1, max: 8 }),
})
const marked = fc
  .record({
    user,
    change: fc.constantFrom('read' as const, 'cleared' as const),
    seqs: fc.option(fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 3 })),
    upTo: fc.integer({ min: 1, max: 8 }),
  })
  .map(({ seqs, upTo, ...rest }): StoreOp => {
    const named = seqs ? { seqs } : { upTo }
    return { op: 'mark_notices', ...rest, room: `~${rest.user}`, ...named }
  })
const set = fc.record({
  op: fc.constant('set_notices' as const),
  user,
  room,
  level: fc.constantFrom(undefined, 'all' as const, 'mentions' as const, 'none' as const),
  silenceMs: fc.constantFrom(undefined, 0, 1, 3),
})
const notify = fc
  .record({
    user: fc.constant('system'),
    room: fc.constantFrom('~alice', '~alice', '~bob'),
    messageId: fc.integer({ min: 1, max: 12 }).map((i) => `notice-${i}`),
    digest: fc.constantFrom('same', 'same', 'other'),
  })
  .map((rest): StoreOp => ({ op: 'notify', ...rest, type: 'notice', payload: { title: rest.digest } }))
const op: fc.Arbitrary<StoreOp> = fc.oneof(
  { arbitrary: command, weight: 36 },
  { arbitrary: create, weight: 1 },
  { arbitrary: join, weight: 3 },
  { arbitrary: invite, weight: 2 },
  { arbitrary: accept, weight: 2 },
  { arbitrary: remove, weight: 2 },
  { arbitrary: admit, weight: 1 },
  { arbitrary: putOut, weight: 1 },
  { arbitrary: leave, weight: 2 },
  { arbitrary: update, weight: 3 },
  { arbitrary: destroy, weight: 3 },
  { arbitrary: setRole, weight: 1 },
  { arbitrary: ban, weight: 1 },
  { arbitrary: mute, weight: 3 },
  { arbitrary: read, weight: 2 },
  { arbitrary: delivered, weight: 2 },
  { arbitrary: marked, weight: 4 },
  { arbitrary: set, weight: 2 },
  { arbitrary: notify, weight: 3 },
)
/** Batches, each with whether the stores are closed and opened again after it. */
const batches = fc.array(fc.tuple(fc.array(op, { maxLength: 16 }), fc.boolean()), {
  minLength: 1,
  maxLength: 6,
})

/** Every run begins with three rooms and their members. */
const MEMBERS: readonly [StoreOp[], boolean] = [
  [
    joinRoom('alice', 'red'),
    joinRoom('bob', 'red'),
    joinRoom('alice', 'green'),
    createRoom('alice', 'blue'),
    inviteTo('bob', 'alice', 'blue', { role: 'moderator' }),
    acceptInto('bob', 'blue'),
    muteIn('bob', 'alice', 'red', { durationMs: 5 }),
  ],
  false,
]

// One file for all runs: the names of each are its own. Unsynced, since nothing here depends on the power.
const sqlite = startSqlite({ configure: (db) => db.pragma('synchronous = off') })
const onMemory = memory()
const stores: Store[] = []
afterAll(async () => {
  await Promise.all(stores.map((store) => store.close()))
  await sqlite.dispose()
})

it('agrees with the naive store, in memory and on SQLite', async () => {
  const seen = new Map<string, number>()
  let runs = 0
  let reopened = 0
  stores.push(await onMemory.open(), await sqlite.open())
  await fc.assert(
    fc.asyncProperty(batches, async (drawn) => {
      const run = `-${++runs}`
      const naive = new NaiveStore()
      let now = runs * 1_000
      let ids = 0
      for (const [ops, reopens] of [MEMBERS, ...drawn]) {
        now += 1
        const named: StoreOp[] = []
        const expected: Outcome[] = []
        for (const drawnOp of ops) {
          const namedOp = rename(drawnOp, run, naive, () => `server-id${run}-${++ids}`)
          named.push(namedOp)
          expected.push(naive.run(namedOp, now))
        }
        naive.endBatch()
        for (const outcome of expected) seen.set(nameOf(outcome), (seen.get(nameOf(outcome)) ?? 0) + 1)
        for (const store of stores) {
          const { outcomes, appended } = await store.commit(named, now)
          expect(outcomes).toEqual(expected)
          for (const { room: id, entries, h } of appended) {
            expect(entries.map(({ seq }) => seq)).toEqual(
              naive
                .log(id)
                .slice(-entries.length)
                .map(({ seq }) => seq),
            )
            expect(h).toBe(naive.h(id))
          }
        }
        if (reopens && reopened++ % 10 === 0) {
          await Promise.all(stores.splice(0).map((store) => store.close()))
          stores.push(await onMemory.open(), await sqlite.open())
        }
      }
      for (const store of stores) await expectSameReads(store, naive, run)
    }),
    { seed: SEED, numRuns: 700 },
  )
  // The draw is worth something only if it meets every kind of outcome often.
  expect([...seen.keys()].sort()).toEqual(KINDS)
  expect(Math.min(...seen.values())).toBeGreaterThan(100)
}, 120_000)

function nameOf(outcome: Outcome): string {
  if (outcome.outcome === 'failed') return outcome.code
  return outcome.outcome === 'acknowledged' && outcome.appended ? 'appended' : outcome.outcome
}

function rename(drawn: StoreOp, run: string, naive: NaiveStore, serverId: () => string): StoreOp {
  const names = {
    user: drawn.user === 'system' ? 'system' : drawn.user + run,
    room: roomName(drawn.room, run),
  }
  if (drawn.op === 'follow_thread') throw new Error('no threads here')
  if (drawn.op === 'notify') return { ...drawn, ...names, messageId: drawn.messageId + run }
  const isMark = drawn.op === 'mark_read' || drawn.op === 'mark_delivered'
  if (isMark || drawn.op === 'mark_notices' || drawn.op === 'set_notices') return { ...drawn, ...names }
  const noticeId = serverId()
  if (drawn.op === 'command') {
    const n = naive.lastN(names.user, drawn.sid, names.room) + 1 + drawn.n
    return { ...drawn, ...names, noticeId, n: Math.max(1, n) }
  }
  const change = { ...names, messageId: serverId(), noticeId }
  return 'target' in drawn ? { ...drawn, ...change, target: drawn.target + run } : { ...drawn, ...change }
}

/** `alice~bob` is their direct room. */
function roomName(name: string, run: string): string {
  const [a, b] = name.split('~')
  return a && b ? `~${a}${run}~${b}${run}` : name + run
}

async function expectSameReads(store: Store, naive: NaiveStore, run: string): Promise<void> {
  for (const reader of USERS.map((name) => name + run)) {
    const own = naive.notices(reader)
    expect(await store.readNotices({ user: reader, before: undefined, limit: 100 })).toMatchObject({
      notices: own.map(({ seq, isRead }) => ({ entry: { seq }, isRead })),
      unread: own.filter(({ isRead }) => !isRead).length,
      head: naive.log(`~${reader}`).length,
      hasOlder: false,
    })
    for (const id of ROOMS.map((name) => roomName(name, run))) {
      const page = await store.readPage(ask({ user: reader, room: id }))
      const members = await membersOf(store, id, reader)
      const receipts = await store.readReceipts(reader, id)
      if (!naive.mayRead(id, reader)) {
        expect([page, members, receipts]).toEqual([{ result: 'forbidden' }, undefined, undefined])
        continue
      }
      const log = naive.log(id)
      const first = naive.members.find((one) => one.room === id && one.user === reader)?.from ?? 1
      expect(page).toEqual({
        result: 'page',
        after: { seq: first - 1, h: naive.h(id, first - 1) },
        entries: log.slice(first - 1).map(({ room: _room, digest: _digest, ...entry }) => entry),
        h: naive.h(id),
        head: log.length,
        oldest: first,
      })
      const inRoom = naive.members
        .filter((member) => member.room === id)
        .sort((a, b) => (a.user < b.user ? -1 : 1))
      expect(members).toEqual(
        inRoom.map(({ user: userId, role, at: joinedAt }) => ({ userId, role, joinedAt })),
      )
      expect(receipts).toEqual({
        memberCount: inRoom.length,
        positions: USERS.map((name) => name + run).flatMap((userId) => {
          const position = naive.isMember(id, userId) ? naive.read(id, userId) : undefined
          return position ? [{ userId, seq: position.seq, timestamp: position.at }] : []
        }),
        deliveries: USERS.map((name) => name + run).flatMap((userId) => {
          const position = naive.isMember(id, userId) ? naive.delivery(id, userId) : undefined
          const isFurther = position && position.seq > (naive.read(id, userId)?.seq ?? 0)
          return isFurther ? [{ userId, seq: position.seq, timestamp: position.at }] : []
        }),
        own: {
          seq: naive.read(id, reader)?.seq ?? 0,
          head: log.length,
          unread: naive.unread(id, reader),
        },
      })
    }
  }
}
