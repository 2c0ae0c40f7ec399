/**
 * Direct rooms are made by what is said in them first, and count like rooms that are made in any other way (usage.ts).
 * Whether there is such a room only the commit knows. So before it, what might open more of them than its user still
 * may says so, and is refused there if it would: nothing that is said in a room that is there is ever kept waiting. What
 * was opened is counted when it is committed.
 */
import { APPLICATION, type Connection } from './connection.ts'
import type { CommandOp, Outcome, StoreOp } from './store.ts'
import type { Usage } from './usage.ts'

/** What is committed together: arrays of one length. */
interface Run {
  readonly ops: StoreOp[]
  readonly connections: readonly Connection[]
}

/** Marks what might open too many, in its place. */
export function boundOpenings({ ops, connections }: Run, usage: Usage): void {
  /** By user: the rooms that they may open here, without a look at whether those are there. */
  const rooms = new Map<string, Set<string>>()
  for (const [i, op] of ops.entries()) {
    if (!mightOpen(op, connections[i])) continue
    const those = rooms.get(op.user) ?? new Set()
    rooms.set(op.user, those)
    if (those.has(op.room)) continue
    if (those.size < usage.roomsLeft(op.user)) those.add(op.room)
    else ops[i] = { ...op, openWaitMs: usage.msUntilRoom(op.user) }
  }
}

/** Counts what was opened. */
export function countOpenings({ ops, connections }: Run, outcomes: readonly Outcome[], usage: Usage): void {
  for (const [i, op] of ops.entries()) {
    const outcome = mightOpen(op, connections[i]) ? outcomes[i] : undefined
    if (outcome?.outcome === 'acknowledged' && outcome.appended && outcome.seq === 1) usage.takeRoom(op.user)
  }
}

/** No rate binds the application. */
function mightOpen(op: StoreOp, connection: Connection | undefined): op is CommandOp {
  const isSaid = op.op === 'command' && op.entry !== undefined && op.room.startsWith('~')
  return isSaid && connection?.id !== APPLICATION
}
