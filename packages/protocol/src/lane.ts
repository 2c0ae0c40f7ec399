/**
 * The decision of a lane: what becomes of one durable command. A lane is (user, sid, room); its `lastN` counts the
 * commands that were decided in it. This is the whole of exactly-once and of the sender's order, as one pure function,
 * so that a server in any language can be held to the same table (see docs/protocol.md, "Lanes").
 *
 * A store runs it inside the transaction that also writes the outcome. Nothing here knows rooms, rights or storage.
 */
import type { Code } from './codes.ts'

/** The log entry, in whatever room, that already carries the command's (sender, messageId). */
export interface ExistingEntry {
  readonly room: string
  readonly seq: number
  readonly timestamp: number
  /** Of the command as it was first sent, not of what the entry holds now. */
  readonly digest: string
}

export interface LaneCommand {
  readonly room: string
  /** The place in the lane: 1, 2, 3 … */
  readonly n: number
  readonly digest: string
  /** True for `skip`: the sender gives the place up. */
  readonly skip: boolean
  /** Why the command cannot be accepted (validation, rights); undefined where nothing speaks against it. */
  readonly refusal: Code | undefined
}

export type LaneDecision =
  /** A predecessor is undecided: nothing changes. */
  | { readonly decision: 'gap' }
  /** The message has its place already. `advance`: lastN becomes n. */
  | {
      readonly decision: 'acknowledge'
      readonly seq: number
      readonly timestamp: number
      readonly advance: boolean
    }
  /** Failed for good. `advance`: lastN becomes n. */
  | { readonly decision: 'fail'; readonly code: Code; readonly advance: boolean }
  /** Append the entry to the log; lastN becomes n. */
  | { readonly decision: 'append' }

export function decide(
  lastN: number,
  existing: ExistingEntry | undefined,
  command: LaneCommand,
): LaneDecision {
  if (command.n <= lastN) return recall(existing, command)
  if (command.n > lastN + 1) return { decision: 'gap' }
  if (existing) return isSame(existing, command) ? acknowledge(existing, true) : fail('ID_CONFLICT', true)
  if (command.skip) return fail('SKIPPED', true)
  if (command.refusal) return fail(command.refusal, true)
  return { decision: 'append' }
}

/**
 * Decided before. An entry in another room is not this command's: its sender used the id twice. The content is not
 * compared: a server whose digests changed with its version must not fail a retry of what it accepted.
 */
function recall(existing: ExistingEntry | undefined, command: LaneCommand): LaneDecision {
  return existing?.room === command.room ? acknowledge(existing, false) : fail('VOID', false)
}

/** A skip asks only whether the message was accepted after all; it brings no content to compare. */
function isSame(existing: ExistingEntry, command: LaneCommand): boolean {
  return existing.room === command.room && (command.skip || existing.digest === command.digest)
}

function acknowledge(existing: ExistingEntry, advance: boolean): LaneDecision {
  return { decision: 'acknowledge', seq: existing.seq, timestamp: existing.timestamp, advance }
}

function fail(code: Code, advance: boolean): LaneDecision {
  return { decision: 'fail', code, advance }
}
