// The store of the simulated servers: the real one in memory, behind the ways in which a database lets one down. Commits
// take time, fail, succeed without an answer, or meet the death of who asked; snapshots are taken and put back.
//
// What it decides is written into the history at the moment at which it becomes durable.

import {
  type Code,
  type Entry,
  type MessageBody,
  type Role,
  saidAfter,
  standingBody,
} from '@tautline/protocol/wire'
import type { ReadAnswer, ReadQuery } from '../../packages/server/src/core/contract.ts'
import type { CommitResult, Outcome, Store, StoreOp } from '../../packages/server/src/core/store.ts'
import { ask, askAllowed, type ReadPolicy } from '../../packages/server/src/queries.ts'
import { type MemoryRow, type MemoryStoreFactory, memory } from '../../packages/server/src/stores/memory.ts'
import type { Dice } from './dice.ts'
import type { Belonging, History, Line } from './history.ts'
import type { World } from './world.ts'

/** What is to become of the next commit. */
export type CommitFault =
  | 'crash_before_commit'
  | 'crash_after_commit'
  | 'unknown_and_kept'
  | 'unknown_and_lost'
  | 'commit_failed'
  | 'slow_commit'
  | 'restore_after_commit'

/** Who asks; when it dies, nobody hears the answer. */
export interface Asker {
  crash(): void
}

export interface StoreModel {
  epoch(): string
  /** `done` gets the result, or nothing where the commit failed. */
  commit(
    asker: Asker,
    ops: readonly StoreOp[],
    unixMs: number,
    done: (result: CommitResult | undefined) => void,
  ): void
  /** What a commit would make of it; nothing where the store failed. */
  preview(
    ops: readonly StoreOp[],
    unixMs: number,
    done: (outcomes: readonly Outcome[] | undefined) => void,
  ): void
  read(query: ReadQuery, policy: ReadPolicy | undefined, done: (answer: ReadAnswer) => void): void
  /** The next commit goes wrong so. */
  arm(fault: CommitFault): void
  /** Everything fails for so long. */
  fail(ms: number): void
  /** What was armed and has met no commit does not happen any more. */
  calm(): void
  takeSnapshot(): void
  /** Puts the snapshot back, if there is one. `newEpoch`: deliberately, so that all know. */
  restore(newEpoch: boolean): boolean
  /** What it holds, for the history. */
  finish(): void
}

/** A message that begins so makes the store fail on its row, always. */
const POISON = 'poison'

interface Snapshot {
  readonly tables: ReadonlyMap<string, unknown>
  readonly lengths: ReadonlyMap<string, number>
}

type Tables = MemoryStoreFactory['tables']

export async function createStoreModel(
  world: World,
  history: History,
  dice: Dice,
  count: (fault: string) => void,
  /** Somebody puts the snapshot back, and all servers start anew; false: there is none. */
  setBack: () => boolean,
): Promise<StoreModel> {
  const factory = memory({ epoch: 'epoch-1' })
  const { tables } = factory
  const store: Store = await factory.open()
  const armed: CommitFault[] = []
  let failsUntil = 0
  let snapshot: Snapshot | undefined

  function line(): Line {
    return history.lines[history.lines.length - 1]!
  }

  function write(ops: readonly StoreOp[], unixMs: number, then: (result: CommitResult) => void): void {
    world.settleSoon()
    store.commit(ops.map(poisoned), unixMs).then(
      (result) => {
        record(ops, result)
        then(result)
      },
      (error: unknown) => {
        history.broken.push({ at: world.now, what: `the store threw: ${String(error)}` })
      },
    )
  }

  function record(ops: readonly StoreOp[], { outcomes, appended }: CommitResult): void {
    const at = world.now
    const current = line()
    for (const { room, entries } of appended) {
      const log = current.logs.get(room) ?? []
      current.logs.set(room, log)
      for (const entry of entries) log.push({ at, entry })
    }
    ops.forEach((op, i) => {
      const outcome = outcomes[i]!
      if (outcome.outcome === 'failed' && outcome.code === 'INTERNAL_ERROR') count('internal_error')
      history.decisions.push({
        at,
        line: history.lines.length - 1,
        op: op.op,
        user: op.user,
        room: op.room,
        messageId: 'messageId' in op ? op.messageId : undefined,
        outcome: outcome.outcome,
        code: outcome.outcome === 'failed' ? outcome.code : undefined,
        seq: 'seq' in outcome ? outcome.seq : undefined,
      })
    })
    world.note(
      () =>
        `store: ${ops.map((op, i) => `${op.op} ${op.user} ${op.room} ${'n' in op ? `${op.sid}/${op.n} ${op.messageId}` : ''} = ${textOf(outcomes[i])}`).join('; ')}`,
    )
  }

  return {
    epoch: () => line().epoch,

    commit(asker, ops, unixMs, done) {
      const fault = world.now < failsUntil ? 'commit_failed' : armed.shift()
      const latency = fault === 'slow_commit' ? dice.between(2_000, 15_000) : dice.between(0.2, 8)
      if (fault) {
        count(fault)
        world.note(() => `store: ${fault}`)
      }
      world.after(latency / 2, () => {
        switch (fault) {
          case undefined:
          case 'slow_commit':
            write(ops, unixMs, (result) => world.after(latency / 2, () => done(result)))
            return
          case 'crash_before_commit':
            asker.crash()
            return
          case 'crash_after_commit':
            write(ops, unixMs, () => asker.crash())
            return
          case 'restore_after_commit':
            write(ops, unixMs, () => {
              if (!setBack()) asker.crash()
            })
            return
          case 'unknown_and_kept':
            write(ops, unixMs, () => world.after(latency / 2, () => done(undefined)))
            return
          case 'unknown_and_lost':
          case 'commit_failed':
            world.after(latency / 2, () => done(undefined))
            return
          default:
            fault satisfies never
        }
      })
    },

    preview(ops, unixMs, done) {
      const latency = dice.between(0.2, 6)
      world.after(latency / 2, () => {
        if (world.now < failsUntil) return world.after(latency / 2, () => done(undefined))
        world.settleSoon()
        store.preview(ops.map(poisoned), unixMs).then(
          (outcomes) => world.after(latency / 2, () => done(outcomes)),
          (error: unknown) => {
            history.broken.push({ at: world.now, what: `a preview threw: ${String(error)}` })
          },
        )
      })
    },

    read(query, policy, done) {
      const latency = dice.between(0.2, 6)
      world.after(latency / 2, () => {
        if (world.now < failsUntil) {
          count('read_failed')
          world.after(latency / 2, () => done({ of: 'failure', code: 'FETCH_ERROR' satisfies Code }))
          return
        }
        world.settleSoon()
        const asked = policy ? askAllowed(store, query, policy) : ask(store, query)
        asked.then(
          (answer) => world.after(latency / 2, () => done(answer)),
          (error: unknown) => {
            history.broken.push({ at: world.now, what: `a read threw: ${String(error)}` })
          },
        )
      })
    },

    arm(fault) {
      armed.push(fault)
    },

    fail(ms) {
      failsUntil = Math.max(failsUntil, world.now + ms)
    },

    calm() {
      armed.length = 0
    },

    takeSnapshot() {
      const lengths = new Map([...line().logs].map(([room, log]) => [room, log.length]))
      snapshot = { tables: copyOf(tables), lengths }
      world.note(() => 'store: a snapshot is taken')
    },

    restore(newEpoch) {
      if (!snapshot) return false
      const { lengths } = snapshot
      putBack(tables, snapshot.tables)
      const logs = new Map(
        [...line().logs].map(([room, log]) => [room, log.slice(0, lengths.get(room) ?? 0)]),
      )
      const epoch = newEpoch ? `epoch-${history.lines.length + 1}` : line().epoch
      history.lines.push({ epoch, from: world.now, logs })
      world.note(() => `store: the snapshot is put back, as ${epoch}`)
      return true
    },

    finish() {
      history.stored = new Map(tables.logs)
      history.belonging = new Map([...tables.logs.keys()].map((room) => [room, belongingIn(tables, room)]))
      history.stood = new Map([...tables.logs].map(([room, log]) => [room, stoodIn(tables, room, log)]))
    },
  }
}

function belongingIn({ membersOf, invitationsOf, sanctionsOf }: Tables, room: string): Belonging {
  const rolesIn = (of: ReadonlyMap<string, { readonly role: Role }> = new Map()) =>
    new Map([...of].map(([user, { role }]) => [user, role]))
  const sanctions = [...(sanctionsOf.get(room) ?? [])]
  return {
    roles: rolesIn(membersOf.get(room)),
    invited: rolesIn(invitationsOf.get(room)),
    banned: new Set(sanctions.filter(([, { isBanned }]) => isBanned).map(([user]) => user)),
  }
}

/** What a page of history would say of each message, to who has not reacted. */
function stoodIn(tables: Tables, room: string, log: readonly MemoryRow[]): Map<number, MessageBody> {
  const stood = new Map<number, MessageBody>()
  for (const { type, seq, payload } of log) {
    if (type !== 'new_message') continue
    const { editSeq, isDeleted: _isDeleted, ...standing } = tables.standingsOf.get(room)?.get(seq) ?? {}
    const original = JSON.parse(payload) as MessageBody
    const row = editSeq === undefined ? undefined : log.find((entry) => entry.seq === editSeq)
    const edit = row && { ...row, payload: JSON.parse(row.payload) as Entry['payload'] }
    stood.set(seq, standingBody(edit ? saidAfter(original, edit) : original, standing))
  }
  return stood
}

function poisoned(op: StoreOp): StoreOp {
  if (op.op !== 'command' || !op.entry) return op
  const { content } = op.entry.payload as { readonly content?: unknown }
  if (typeof content !== 'string' || !content.startsWith(POISON)) return op
  const toJSON = () => {
    throw new Error('a row that the store cannot write')
  }
  return { ...op, entry: { ...op.entry, payload: { toJSON } } }
}

function copyOf(tables: Tables): ReadonlyMap<string, unknown> {
  return new Map(Object.entries(tables).map(([name, table]) => [name, structuredClone(table) as unknown]))
}

function putBack(tables: Tables, copy: ReadonlyMap<string, unknown>): void {
  for (const [name, table] of Object.entries(tables) as [string, Map<string, unknown>][]) {
    table.clear()
    // Once more a copy: it may be put back again.
    for (const [key, value] of structuredClone(copy.get(name)) as Map<string, unknown>) table.set(key, value)
  }
}

function textOf(outcome: CommitResult['outcomes'][number] | undefined): string {
  if (outcome?.outcome === 'failed') return outcome.code
  if (outcome?.outcome === 'acknowledged') return `${outcome.seq}${outcome.appended ? '' : ' (again)'}`
  return outcome?.outcome ?? 'nothing'
}
