/**
 * The rows that a store holds, as the transaction sees them (`View`), and those of one batch that is being decided
 * (`Batch`): what its operations changed, over what was committed before it. A store writes the maps of a batch once,
 * at its end. Nothing is decided here.
 */
import { type Code, type Entry, type ExistingEntry, LOG_START, type Role } from '@tautline/protocol/wire'
import type { Appended, CommitResult, Outcome } from './store.ts'

/** A room: its row is the order of its log. */
export interface Room {
  readonly lastSeq: number
  readonly lastH: string
  /** How many `new_message` entries the log has had. */
  readonly lastOrdinal: number
  /** The first position that retention has left, and the fingerprint of what was before it. */
  readonly oldest: number
  readonly baseH: string
  /** Anybody may join a public room, and reads it from its beginning. */
  readonly visibility: 'public' | 'private'
}

export interface Membership {
  readonly role: Role
  /** The first position that the member may read. */
  readonly fromSeq: number
  /** The position of the entry that told of it. */
  readonly joinedSeq: number
  readonly joinedAt: number
}

export interface ReadMark {
  readonly seq: number
  readonly timestamp: number
}

export interface Lane {
  readonly user: string
  readonly sid: string
  readonly room: string
  /** How many commands were decided in it. */
  readonly lastN: number
}

/** An entry with what its log keeps beside it. */
export interface LogRow {
  readonly room: string
  readonly entry: Entry
  readonly digest: string
  readonly ordinal: number
  readonly h: string
}

/** What is committed. Undefined stands for "there is none". */
export interface View {
  room(room: string): Room | undefined
  member(room: string, user: string): Membership | undefined
  /** How many commands were decided in the lane. */
  lastN(user: string, sid: string, room: string): number | undefined
  entry(sender: string, messageId: string): ExistingEntry | undefined
  readMark(room: string, user: string): ReadMark | undefined
  /** How many lanes the user has in rooms of which they are no member. */
  strangeLanes(user: string): number
}

/** What one operation comes to, and what it changes. */
export interface Step {
  readonly outcome: Outcome
  readonly append?: LogRow | undefined
  readonly lane?: Lane | undefined
  /** The lane is new, and in a room of which the user is no member. */
  readonly isStrange?: boolean | undefined
  readonly member?:
    | { readonly room: string; readonly user: string; readonly is: Membership | undefined }
    | undefined
  readonly read?: { readonly room: string; readonly user: string; readonly mark: ReadMark } | undefined
}

/** The rows of one batch over what was committed before it. */
export class Batch implements View {
  readonly rooms = new Map<string, Room>()
  readonly lanes = new Map<string, Lane>()
  /** By room, then user; undefined: a member no longer. */
  readonly members = new Map<string, Map<string, Membership | undefined>>()
  readonly readMarks = new Map<string, Map<string, ReadMark>>()
  /** By user: lanes made here in rooms of which they are no member. */
  readonly newStrangeLanes = new Map<string, number>()
  readonly #view: View
  readonly #entries = new Map<string, ExistingEntry>()
  readonly #outcomes: Outcome[] = []
  readonly #appended = new Map<string, Entry[]>()

  constructor(view: View) {
    this.#view = view
  }

  room(room: string): Room | undefined {
    return this.rooms.get(room) ?? this.#view.room(room)
  }

  member(room: string, user: string): Membership | undefined {
    const changed = this.members.get(room)
    return changed?.has(user) ? changed.get(user) : this.#view.member(room, user)
  }

  lastN(user: string, sid: string, room: string): number | undefined {
    return this.lanes.get(laneKey(user, sid, room))?.lastN ?? this.#view.lastN(user, sid, room)
  }

  entry(sender: string, messageId: string): ExistingEntry | undefined {
    return this.#entries.get(entryKey(sender, messageId)) ?? this.#view.entry(sender, messageId)
  }

  readMark(room: string, user: string): ReadMark | undefined {
    return this.readMarks.get(room)?.get(user) ?? this.#view.readMark(room, user)
  }

  /** Those committed before, and those made since: a change of membership counts from the next batch on. */
  strangeLanes(user: string): number {
    return this.#view.strangeLanes(user) + (this.newStrangeLanes.get(user) ?? 0)
  }

  accept(step: Step): void {
    this.#outcomes.push(step.outcome)
    if (step.lane) this.#keepLane(step.lane, step.isStrange === true)
    if (step.append) this.#keepEntry(step.append)
    if (step.member) nested(this.members, step.member.room).set(step.member.user, step.member.is)
    if (step.read) nested(this.readMarks, step.read.room).set(step.read.user, step.read.mark)
  }

  refuse(code: Code): void {
    this.#outcomes.push(failure(code))
  }

  result(): CommitResult {
    const appended: Appended[] = []
    for (const [room, entries] of this.#appended) {
      appended.push({ room, entries, h: this.rooms.get(room)?.lastH ?? '' })
    }
    return { outcomes: this.#outcomes, appended }
  }

  #keepLane(lane: Lane, isStrange: boolean): void {
    const { user, sid, room } = lane
    if (isStrange) this.newStrangeLanes.set(user, (this.newStrangeLanes.get(user) ?? 0) + 1)
    this.lanes.set(laneKey(user, sid, room), lane)
  }

  #keepEntry({ room, entry, digest, ordinal, h }: LogRow): void {
    const { sender, messageId, seq, timestamp } = entry
    const head = this.room(room) ?? NEW_ROOM
    this.rooms.set(room, { ...head, lastSeq: seq, lastH: h, lastOrdinal: ordinal })
    this.#entries.set(entryKey(sender, messageId), { room, seq, timestamp, digest })
    const run = this.#appended.get(room)
    if (run) run.push(entry)
    else this.#appended.set(room, [entry])
  }
}

/** Before its first entry. */
export const NEW_ROOM: Room = {
  lastSeq: LOG_START.seq,
  lastH: LOG_START.h,
  lastOrdinal: 0,
  oldest: 1,
  baseH: LOG_START.h,
  visibility: 'public',
}

/** One text of the parts of a key; no id holds a line break. */
export function laneKey(user: string, sid: string, room: string): string {
  return `${user}\n${sid}\n${room}`
}

export function entryKey(sender: string, messageId: string): string {
  return `${sender}\n${messageId}`
}

export function failure(code: Code): Outcome {
  return { outcome: 'failed', code }
}

function nested<V>(map: Map<string, Map<string, V>>, key: string): Map<string, V> {
  const inner = map.get(key) ?? new Map<string, V>()
  map.set(key, inner)
  return inner
}
