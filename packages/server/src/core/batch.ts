/**
 * The rows that a store holds, as the transaction sees them (`View`), and those of one batch that is being decided
 * (`Batch`): what its operations changed, over what was committed before it. A store writes the maps of a batch once,
 * at its end. Nothing is decided here.
 */
import {
  type Code,
  type Entry,
  type ExistingEntry,
  isNotification,
  LOG_START,
  type Role,
  type Standing,
  usersOfDirectRoom,
} from '@tautline/protocol/wire'
import { LastKey } from './last-key.ts'
import { nested } from './nested.ts'
import { NoticeChanges, type NoticeSetting, type NoticeStep, type NoticeView } from './notice-changes.ts'
import type { Appended, CommitResult, Outcome, Visibility } from './store.ts'
import { type FollowChange, FollowChanges, type FollowView } from './thread-follows.ts'

/** A room: its row is the order of its log. */
export interface Room {
  readonly lastSeq: number
  readonly lastH: string
  /** How many `new_message` entries the log has had. */
  readonly lastOrdinal: number
  /** The position of the newest of them; 0: none. */
  readonly lastMessage: number
  /** The first position that retention has left, and the fingerprint of what was before it. */
  readonly oldest: number
  readonly baseH: string
  /** Who may come and read; see rights.ts. A deleted room leaves its row, so that its id is not used again. */
  readonly visibility: Visibility | 'own' | 'deleted'
  /** Where a public room begins for who joins it: later than 1 where it was private before. */
  readonly openFrom: number
  /** What it says of itself, and of a deleted one who did it: a JSON object. */
  readonly about: string
  readonly memberCount: number
}

export interface Membership {
  readonly role: Role
  /** The first position that the member may read. */
  readonly fromSeq: number
  /** The position of the entry that told of it; in a direct room of the first of their own there, 0 before. */
  readonly joinedSeq: number
  /** The messages up to there: those are not unread. */
  readonly joinedOrdinal: number
  readonly joinedAt: number
}

export interface ReadMark {
  readonly seq: number
  /** The messages up to there. */
  readonly ordinal: number
  readonly timestamp: number
}

/** How far a user's devices have a room. */
export interface Delivery {
  readonly seq: number
  readonly timestamp: number
}

/** That somebody who is no member may become one. */
export interface Invitation {
  readonly role: Role
  readonly invitedAt: number
}

/** What was forbidden to a user, who need not be a member. */
export interface Sanction {
  readonly isBanned: boolean
  /** Unix milliseconds; 0: not. */
  readonly mutedUntil: number
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
  /** The position of the message that it changes or answers. */
  readonly target?: number | undefined
}

/** What came of a message, beside the entries that made it so. */
export interface StoredStanding extends Standing {
  /** The entry that holds what the message says now; undefined: its own. */
  readonly editSeq?: number | undefined
  readonly isDeleted?: boolean | undefined
}

export interface MessageRow {
  readonly room: string
  readonly seq: number
  readonly sender: string
  readonly messageId: string
  readonly timestamp: number
  readonly standing: StoredStanding
}

/** What one operation makes of a message. */
export interface MessageChange {
  readonly room: string
  readonly seq: number
  readonly standing: StoredStanding
  /** What it said is blanked, and what its edits said; its reactions go. */
  readonly blank?: boolean | undefined
  readonly reaction?: ReactionChange | undefined
}

/** `at`: since which position; undefined: taken back. */
export interface ReactionChange {
  readonly user: string
  readonly emoji: string
  readonly at: number | undefined
}

/** What is committed. Undefined stands for "there is none". */
export interface View extends FollowView, NoticeView {
  room(room: string): Room | undefined
  member(room: string, user: string): Membership | undefined
  /** How many commands were decided in the lane. */
  lastN(user: string, sid: string, room: string): number | undefined
  entry(sender: string, messageId: string): ExistingEntry | undefined
  /** The message, if it is one, of this name. */
  message(sender: string, messageId: string): MessageRow | undefined
  /** What an entry holds. */
  payload(room: string, seq: number): Entry['payload'] | undefined
  /** Whether the user's reaction stands. */
  reacted(room: string, seq: number, emoji: string, user: string): boolean
  /** How many messages the log had up to this entry; undefined where there is no such entry (any more). */
  ordinal(room: string, seq: number): number | undefined
  /** The fingerprint of the log up to this entry; undefined where there is no such entry (any more). */
  fingerprint(room: string, seq: number): string | undefined
  readMark(room: string, user: string): ReadMark | undefined
  delivery(room: string, user: string): Delivery | undefined
  invitation(room: string, user: string): Invitation | undefined
  sanction(room: string, user: string): Sanction | undefined
  everyMember(room: string): Iterable<readonly [user: string, is: Membership]>
  /** How many lanes the user has in rooms of which they are no member. */
  strangeLanes(user: string): number
}

/** What one operation comes to, and what it changes. */
export interface Step {
  readonly outcome: Outcome
  /** A room that is new or changed, as it is before the entry that says so. */
  readonly make?: { readonly room: string; readonly is: Room } | undefined
  /** Those of one log in its order. */
  readonly append?: readonly LogRow[] | undefined
  readonly lane?: Lane | undefined
  /** The lane is new, and in a room of which the user is no member. */
  readonly isStrange?: boolean | undefined
  readonly members?: readonly Change<Membership>[] | undefined
  readonly invitation?: Change<Invitation> | undefined
  readonly sanction?: Change<Sanction> | undefined
  readonly read?: Change<ReadMark> | undefined
  readonly delivered?: Change<Delivery> | undefined
  readonly message?: MessageChange | undefined
  readonly follow?: FollowChange | undefined
  readonly notices?: NoticeStep | undefined
  readonly setting?: Change<NoticeSetting> | undefined
  /** Forget who belongs to the room, and all that is kept for them there. */
  readonly erase?: string | undefined
}

/** `is` undefined: there is none any more. */
export interface Change<T> {
  readonly room: string
  readonly user: string
  readonly is: T | undefined
}

type Changes<T> = Map<string, Map<string, T>>

/** The rows of one batch over what was committed before it. */
export class Batch implements View {
  readonly rooms = new Map<string, Room>()
  readonly lanes = new Map<string, Lane>()
  /** By room, then user; undefined: a member no longer. */
  readonly members: Changes<Membership | undefined> = new Map()
  /** undefined: taken up, or taken back. */
  readonly invitations: Changes<Invitation | undefined> = new Map()
  readonly readMarks: Changes<ReadMark> = new Map()
  readonly deliveries: Changes<Delivery> = new Map()
  readonly sanctions: Changes<Sanction | undefined> = new Map()
  /** Rooms of which nothing is left but row and lanes. Nobody comes into them any more. */
  readonly erased = new Set<string>()
  /** By user: lanes made here in rooms of which they are no member. */
  readonly newStrangeLanes = new Map<string, number>()
  /** By room, then position. */
  readonly standings = new Map<string, Map<number, StoredStanding>>()
  /** By room, then position, emoji and user: the newest of each. */
  readonly reactions = new Map<string, Map<string, ReactionChange & { readonly seq: number }>>()
  /** Messages whose content goes, by room: after everything else is written. */
  readonly blanked: { readonly room: string; readonly seq: number }[] = []
  readonly follows: FollowChanges
  readonly notices: NoticeChanges
  /** Where logs begin from now on: what is older goes. */
  readonly cuts = new Map<string, number>()
  readonly #view: View
  readonly #laneKey = new LastKey(laneKey)
  /** Those appended here, by sender, then message id. */
  readonly #rows = new Map<string, Map<string, LogRow>>()
  readonly #outcomes: Outcome[] = []
  readonly #appended = new Map<string, Entry[]>()
  readonly #listeners = new Map<string, readonly string[]>()

  constructor(view: View) {
    this.#view = view
    this.follows = new FollowChanges(view)
    this.notices = new NoticeChanges(view)
  }

  room(room: string): Room | undefined {
    return this.rooms.get(room) ?? this.#view.room(room)
  }

  member(room: string, user: string): Membership | undefined {
    if (this.erased.has(room)) return undefined
    const changed = this.members.get(room)
    return changed?.has(user) ? changed.get(user) : this.#view.member(room, user)
  }

  lastN(user: string, sid: string, room: string): number | undefined {
    return this.lanes.get(this.#laneKey.of(user, sid, room))?.lastN ?? this.#view.lastN(user, sid, room)
  }

  entry(sender: string, messageId: string): ExistingEntry | undefined {
    const row = this.#rows.get(sender)?.get(messageId)
    return row ? existingOf(row) : this.#view.entry(sender, messageId)
  }

  message(sender: string, messageId: string): MessageRow | undefined {
    const row = this.#rows.get(sender)?.get(messageId)
    const message = row ? messageOf(row) : this.#view.message(sender, messageId)
    const standing = message && this.standings.get(message.room)?.get(message.seq)
    return message && standing ? { ...message, standing } : message
  }

  payload(room: string, seq: number): Entry['payload'] | undefined {
    const run = this.#appended.get(room)
    return run?.[seq - (run[0]?.seq ?? 0)]?.payload ?? this.#view.payload(room, seq)
  }

  reacted(room: string, seq: number, emoji: string, user: string): boolean {
    const changed = this.reactions.get(room)?.get(reactionKey(seq, emoji, user))
    return changed ? changed.at !== undefined : this.#view.reacted(room, seq, emoji, user)
  }

  ordinal(room: string, seq: number): number | undefined {
    const run = this.#appended.get(room)
    const first = run?.[0]?.seq
    if (!run || first === undefined || seq < first) return this.#view.ordinal(room, seq)
    const later = run.slice(seq - first + 1).filter(isMessage).length
    return (this.room(room)?.lastOrdinal ?? 0) - later
  }

  threadFollow(room: string, seq: number, user: string) {
    return this.follows.threadFollow(room, seq, user)
  }

  threadFollowers(room: string, seq: number, limit: number) {
    return this.follows.threadFollowers(room, seq, limit)
  }

  /** Of what was committed before alone. */
  fingerprint(room: string, seq: number): string | undefined {
    return this.#view.fingerprint(room, seq)
  }

  notice(user: string, seq: number) {
    return this.notices.notice(user, seq)
  }

  unreadNotices(user: string, upTo: number): number {
    return this.notices.unreadNotices(user, upTo)
  }

  noticeSetting(room: string, user: string): NoticeSetting | undefined {
    return this.erased.has(room) ? undefined : this.notices.noticeSetting(room, user)
  }

  listeners(room: string, limit: number): readonly string[] {
    return this.erased.has(room) ? [] : this.notices.listeners(room, limit)
  }

  invitation(room: string, user: string): Invitation | undefined {
    const changed = this.invitations.get(room)
    return changed?.has(user) ? changed.get(user) : this.#view.invitation(room, user)
  }

  sanction(room: string, user: string): Sanction | undefined {
    const changed = this.sanctions.get(room)
    return changed?.has(user) ? changed.get(user) : this.#view.sanction(room, user)
  }

  *everyMember(room: string): Generator<readonly [string, Membership]> {
    if (this.erased.has(room)) return
    const changed = this.members.get(room)
    for (const member of this.#view.everyMember(room)) if (!changed?.has(member[0])) yield member
    for (const [user, is] of changed ?? []) if (is) yield [user, is]
  }

  delivery(room: string, user: string): Delivery | undefined {
    return this.deliveries.get(room)?.get(user) ?? this.#view.delivery(room, user)
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
    if (step.make) this.rooms.set(step.make.room, step.make.is)
    for (const row of step.append ?? []) this.#keepEntry(row)
    for (const change of step.members ?? []) this.#keepMember(change)
    if (step.message) this.#keepChange(step.message)
    if (step.follow) this.follows.set(step.follow)
    const { invitation, read, sanction, delivered } = step
    if (delivered?.is) nested(this.deliveries, delivered.room).set(delivered.user, delivered.is)
    if (invitation) nested(this.invitations, invitation.room).set(invitation.user, invitation.is)
    if (sanction) nested(this.sanctions, sanction.room).set(sanction.user, sanction.is)
    if (read?.is) nested(this.readMarks, read.room).set(read.user, read.is)
    if (step.notices) this.notices.accept(step.notices)
    if (step.setting) this.notices.set(step.setting.room, step.setting.user, step.setting.is)
    if (step.erase !== undefined) this.#erase(step.erase)
  }

  refuse(code: Code): void {
    this.#outcomes.push(failure(code))
  }

  /** The logs that grew. */
  *grown(): Generator<{ readonly room: string; readonly firstSeq: number; readonly hasMessage: boolean }> {
    for (const [room, run] of this.#appended)
      yield { room, firstSeq: run[0]?.seq ?? 1, hasMessage: run.some(isMessage) }
  }

  listen(room: string, users: readonly string[]): void {
    if (users.length > 0) this.#listeners.set(room, users)
  }

  /** `is`: an own log that begins later. */
  cut(room: string, is: Room): void {
    this.rooms.set(room, is)
    this.cuts.set(room, is.oldest)
    this.notices.accept({ user: room.slice(1), clearedUpTo: is.oldest - 1 })
  }

  result(): CommitResult {
    const appended: Appended[] = []
    for (const [room, entries] of this.#appended) {
      const { lastH: h, memberCount } = this.rooms.get(room) ?? NEW_ROOM
      const listeners = this.#listeners.get(room)
      const spokeFirst = spokeFirstIn(room, this.members.get(room))
      appended.push({
        room,
        entries,
        h,
        memberCount,
        ...(listeners && { listeners }),
        ...(spokeFirst && { spokeFirst }),
      })
    }
    return { outcomes: this.#outcomes, appended }
  }

  #keepLane(lane: Lane, isStrange: boolean): void {
    const { user, sid, room } = lane
    if (isStrange) this.newStrangeLanes.set(user, (this.newStrangeLanes.get(user) ?? 0) + 1)
    this.lanes.set(this.#laneKey.of(user, sid, room), lane)
  }

  /** Who comes or goes is told in the log, so the room's row is written anyway. */
  #keepMember({ room: id, user, is }: Change<Membership>): void {
    const room = this.room(id)
    const more = Number(is !== undefined) - Number(this.member(id, user) !== undefined)
    if (room) this.rooms.set(id, { ...room, memberCount: room.memberCount + more })
    nested(this.members, id).set(user, is)
  }

  #keepChange({ room, seq, standing, blank, reaction }: MessageChange): void {
    nested(this.standings, room).set(seq, standing)
    if (blank) this.blanked.push({ room, seq })
    if (!reaction) return
    const { emoji, user } = reaction
    nested(this.reactions, room).set(reactionKey(seq, emoji, user), { ...reaction, seq })
  }

  #erase(room: string): void {
    this.erased.add(room)
    this.notices.settings.delete(room)
    const changes = [
      this.members,
      this.invitations,
      this.readMarks,
      this.deliveries,
      this.sanctions,
      this.standings,
      this.reactions,
    ]
    for (const map of changes) map.delete(room)
  }

  #keepEntry(row: LogRow): void {
    const { room, entry, ordinal, h } = row
    const { sender, messageId, seq } = entry
    const head = this.room(room) ?? newRoom(room)
    const lastMessage = isMessage(entry) ? seq : head.lastMessage
    this.rooms.set(room, { ...head, lastSeq: seq, lastH: h, lastOrdinal: ordinal, lastMessage })
    nested(this.#rows, sender).set(messageId, row)
    const user = head.visibility === 'own' ? room.slice(1) : undefined
    if (user !== undefined && isNotification(user, entry))
      this.notices.accept({ user, rows: [[seq, { isRead: false }]] })
    const run = this.#appended.get(room)
    if (run) run.push(entry)
    else this.#appended.set(room, [entry])
  }
}

function existingOf({ room, entry: { seq, timestamp }, digest }: LogRow): ExistingEntry {
  return { room, seq, timestamp, digest }
}

/** Undefined: the entry is no message. */
function messageOf({ room, entry }: LogRow): MessageRow | undefined {
  const { seq, sender, messageId, timestamp } = entry
  return isMessage(entry) ? { room, seq, sender, messageId, timestamp, standing: {} } : undefined
}

/** Who is in a direct room since this batch; see acquaintances.ts. */
function spokeFirstIn(
  room: string,
  changes: ReadonlyMap<string, Membership | undefined> | undefined,
): readonly string[] | undefined {
  if (!changes || usersOfDirectRoom(room) === undefined) return undefined
  return [...changes].flatMap(([user, is]) => (is && is.joinedSeq > 0 ? user : []))
}

/** What counts as something to read. */
export function isMessage({ type }: { readonly type: string }): boolean {
  return type === 'new_message'
}

/** Before its first entry. */
export const NEW_ROOM: Room = {
  lastSeq: LOG_START.seq,
  lastH: LOG_START.h,
  lastOrdinal: 0,
  lastMessage: 0,
  oldest: 1,
  baseH: LOG_START.h,
  visibility: 'public',
  openFrom: 1,
  about: '{}',
  memberCount: 0,
}

const DIRECT_ROOM: Room = { ...NEW_ROOM, visibility: 'direct' }
const OWN_LOG: Room = { ...NEW_ROOM, visibility: 'own' }

/** The room of this id before its first entry; of an id that was chosen, a public one. */
export function newRoom(id: string): Room {
  if (!id.startsWith('~')) return NEW_ROOM
  return usersOfDirectRoom(id) ? DIRECT_ROOM : OWN_LOG
}

/** One text of the parts of a key; no id holds a line break. */
export function laneKey(user: string, sid: string, room: string): string {
  return `${user}\n${sid}\n${room}`
}

export function entryKey(sender: string, messageId: string): string {
  return `${sender}\n${messageId}`
}

function reactionKey(seq: number, emoji: string, user: string): string {
  return `${seq}\n${emoji}\n${user}`
}

export function failure(code: Code): Outcome {
  return { outcome: 'failed', code }
}
