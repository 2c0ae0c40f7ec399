// Random batches, the same to three stores: the naive one, that in memory and that on SQLite. They must agree on every
// outcome and on everything that can be read afterwards. Names are few, so that what can collide does.

import * as fc from 'fast-check'
import { afterAll, expect, it } from 'vitest'
import type { Outcome, Store, StoreOp } from '../../../packages/server/src/core/store.ts'
import { memory } from '../../../packages/server/src/stores/memory.ts'
import { ask, join as joinRoom, markRead } from '../../contracts/store/harness.ts'
import { NaiveStore } from './naive-store.ts'
import { startSqlite } from './sqlite-harness.ts'

const SEED = 20_260_714
const USERS = ['alice', 'bob', 'carol']
const KINDS = [
  'FORBIDDEN',
  'GAP',
  'ID_CONFLICT',
  'RATE_LIMIT',
  'SKIPPED',
  'VALIDATION_ERROR',
  'VOID',
  'acknowledged',
  'appended',
  'joined',
  'left',
  'read',
]
const ROOMS = ['red', 'green', '~alice']

const user = fc.constantFrom('alice', 'alice', 'bob', 'carol')
const room = fc.constantFrom('red', 'red', 'red', 'red', 'red', 'red', 'green', 'green', '~alice')
const command = fc
  .record({
    user,
    room,
    sid: fc.constantFrom('first-tab', 'first-tab', 'second-tab'),
    // From the next place in the lane: made a place where the batches are run.
    n: fc.constantFrom(0, 0, 0, 0, 0, 0, -1, -2, 1),
    messageId: fc.integer({ min: 1, max: 12 }).map((i) => `message-${i}`),
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
// The server's ids never collide; `id` is made unique where the batches are run.
const join = fc.record({
  op: fc.constant('join' as const),
  user,
  room,
  messageId: fc.constant('id'),
  create: fc.boolean(),
})
const leave = fc.record({
  op: fc.constant('leave' as const),
  user,
  room,
  messageId: fc.constant('id'),
  reason: fc.constantFrom('left' as const, 'removed' as const),
})
const read = fc
  .record({ user, room, seq: fc.integer({ min: 1, max: 8 }) })
  .map((op) => markRead(op.seq, op.user, op.room))
const op: fc.Arbitrary<StoreOp> = fc.oneof(
  { arbitrary: command, weight: 14 },
  { arbitrary: join, weight: 3 },
  { arbitrary: leave, weight: 1 },
  { arbitrary: read, weight: 1 },
)
/** Batches, each with whether the stores are closed and opened again after it. */
const batches = fc.array(fc.tuple(fc.array(op, { maxLength: 12 }), fc.boolean()), {
  minLength: 1,
  maxLength: 6,
})

/** Every run begins with two rooms and their members. */
const MEMBERS: readonly [StoreOp[], boolean] = [
  [joinRoom('alice', 'red'), joinRoom('bob', 'red'), joinRoom('alice', 'green')],
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
          const namedOp = rename(drawnOp, run, naive, () => `server-id-${++ids}`)
          named.push(namedOp)
          expected.push(naive.run(namedOp, now))
        }
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
    { seed: SEED, numRuns: 300 },
  )
  // The draw is worth something only if it meets every kind of outcome often.
  expect([...seen.keys()].sort()).toEqual(KINDS)
  expect(Math.min(...seen.values())).toBeGreaterThan(100)
}, 20_000)

function nameOf(outcome: Outcome): string {
  if (outcome.outcome === 'failed') return outcome.code
  return outcome.outcome === 'acknowledged' && outcome.appended ? 'appended' : outcome.outcome
}

function rename(drawn: StoreOp, run: string, naive: NaiveStore, serverId: () => string): StoreOp {
  const names = { user: drawn.user + run, room: drawn.room + run }
  if (drawn.op === 'join' || drawn.op === 'leave') return { ...drawn, ...names, messageId: serverId() }
  if (drawn.op === 'mark_read') return { ...drawn, ...names }
  const n = naive.lastN(names.user, drawn.sid, names.room) + 1 + drawn.n
  return { ...drawn, ...names, n: Math.max(1, n) }
}

async function expectSameReads(store: Store, naive: NaiveStore, run: string): Promise<void> {
  for (const reader of USERS.map((name) => name + run)) {
    for (const id of ROOMS.map((name) => name + run)) {
      const page = await store.readPage(ask({ user: reader, room: id }))
      const members = await store.readMembers(reader, id)
      const receipts = await store.readReceipts(reader, id)
      if (!naive.isMember(id, reader)) {
        expect([page, members, receipts]).toEqual([{ result: 'forbidden' }, undefined, undefined])
        continue
      }
      const log = naive.log(id)
      expect(page).toEqual({
        result: 'page',
        after: { seq: 0, h: '' },
        entries: log.map(({ room: _room, digest: _digest, ...entry }) => entry),
        h: naive.h(id),
        head: log.length,
        oldest: 1,
      })
      const inRoom = naive.members.filter((member) => member.room === id)
      expect(members).toEqual(
        inRoom.map(({ user: userId, role, at: joinedAt }) => ({ userId, role, joinedAt })),
      )
      expect(receipts).toEqual(
        USERS.map((name) => name + run)
          .map((userId) => ({
            userId,
            position: naive.isMember(id, userId) ? naive.read(id, userId) : undefined,
          }))
          .flatMap(({ userId, position }) =>
            position ? [{ userId, seq: position.seq, timestamp: position.at }] : [],
          ),
      )
    }
  }
}
