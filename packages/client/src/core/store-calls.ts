/**
 * Calls of the store that wait for their answers, by id and the oldest first, for that is the order in which the answers
 * come; and by when there must be one. Not here: how a call leaves, and what becomes of a store that does not answer.
 */
import { NEVER } from './alarms.ts'
import type { StoreResult } from './keeper.ts'

/** A store that does not answer a call in this time is given up: what waits for it would be saved forever. */
const CALL_TIMEOUT_MS = 10_000
/** Who looks so late was asleep, and what was said meanwhile may come only now. */
export const LATE_MS = 1_000

export type StoreCalls = Map<number, Awaited>

/** What is done with the answer to a call, and by when there must be one. */
interface Awaited {
  readonly then: (result: StoreResult) => void
  dueAt: number
  /** From then on it is us who are late. */
  lateAt: number
}

export function awaitAnswer(calls: StoreCalls, id: number, then: Awaited['then'], now: number): void {
  const dueAt = now + CALL_TIMEOUT_MS
  calls.set(id, { then, dueAt, lateAt: dueAt + LATE_MS })
}

export function takeAnswer(calls: StoreCalls, id: number, result: StoreResult): void {
  const call = calls.get(id)
  calls.delete(id)
  call?.then(result)
}

/** When the oldest call has had its time; Infinity: none waits. */
export function answerDueAt(calls: StoreCalls): number {
  for (const { dueAt } of calls.values()) return dueAt
  return NEVER
}

/** Whether the oldest call had its time. A machine that slept gives it once more: the answer may come only now. */
export function isOverdue(calls: StoreCalls, now: number): boolean {
  for (const call of calls.values()) {
    if (now < call.lateAt) return now >= call.dueAt
    call.dueAt = now + CALL_TIMEOUT_MS
    call.lateAt = NEVER
    break
  }
  return false
}
