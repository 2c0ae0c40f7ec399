/**
 * A store in memory: for tests, simulations and trying out. It forgets with the process, and is the same as the one on
 * SQLite in everything else: both run transaction.ts over their rows and read through reading.ts.
 *
 * The rows belong to what `memory()` returns, so closing the store and opening it again finds them, like a file.
 */
import { randomBytes } from 'node:crypto'
import { type Entry, type ExistingEntry, LANE_RETENTION_MS } from '@tautline/protocol/wire'
import {
  type Batch,
  type Delivery,
  entryKey,
  type Invitation,
  type Lane,
  type LogRow,
  laneKey,
  type Membership,
  type MessageRow,
  type ReactionChange,
  type ReadMark,
  type Room,
  type Sanction,
  type StoredStanding,
  type View,
} from '../core/batch.ts'
import { nested } from '../core/nested.ts'
import type { Notice, NoticeSetting } from '../core/notice-changes.ts'
import type { CommitResult, ReadPosition, Store, StoredMember, StoreFactory, StoreOp } from '../core/store.ts'
import { type FollowChange, keyOf, latest, type ThreadFollower } from '../core/thread-follows.ts'
import { LANE_COLLECTION_INTERVAL_MS, runBatch } from '../core/transaction.ts'
import type { Log, StoredCounts, StoredEntry, StoredNotice } from './log.ts'
import { attempt, blankPayload, readsOf } from './reading.ts'

export interface MemoryOptions {
  /** Names the logs. Default: random. */
  readonly epoch?: string
}

export interface MemoryStoreFactory extends StoreFactory {
  /** What the store holds. For tests: to look at, and to put something else in while it is closed. */
  readonly tables: MemoryTables
}

/** A store in memory. */
export function memory(options: MemoryOptions = {}): MemoryStoreFactory {
  const tables = new MemoryTables()
  const epoch = options.epoch ?? randomBytes(9).toString('base64url')
  return { tables, open: async () => openMemory(tables, epoch) }
}

export interface MemoryRow extends StoredEntry {
  readonly room: string
  readonly digest: string
  readonly ordinal: number
  readonly target?: number | undefined
}

/** A reaction that stands. */
interface MemoryReaction {
  readonly seq: number
  readonly emoji: string
  readonly user: string
  /** Since which position. */
  readonly at: number
}

function openMemory(tables: MemoryTables, epoch: string): Store {
  let isOpen = true
  let nextCollectionAt = 0

  function commit(ops: readonly StoreOp[], unixMs: number): CommitResult {
    if (!isOpen) throw new Error('the store is closed')
    const rows: MemoryRow[] = []
    const batch = runBatch(tables, ops, unixMs, (added) => pushRows(rows, added))
    tables.keep(batch, rows, unixMs)
    if (unixMs >= nextCollectionAt) {
      tables.collectLanes(unixMs - LANE_RETENTION_MS)
      nextCollectionAt = unixMs + LANE_COLLECTION_INTERVAL_MS
    }
    return batch.result()
  }

  return {
    epoch,
    commit: async (ops, unixMs) => attempt('UNAVAILABLE', () => commit(ops, unixMs)),
    ...readsOf(tables, tables, () => isOpen),
    markSeen: async (seen) =>
      attempt('UNAVAILABLE', () => {
        if (!isOpen) throw new Error('the store is closed')
        for (const { userId, at } of seen)
          tables.seenAt.set(userId, Math.max(at, tables.seenAt.get(userId) ?? 0))
      }),
    close: async () => {
      isOpen = false
    },
  }
}

/** False where a payload is not JSON. */
function pushRows(rows: MemoryRow[], added: readonly LogRow[]): boolean {
  try {
    const stored = added.map(({ entry, ...row }) => ({
      ...entry,
      ...row,
      payload: JSON.stringify(entry.payload),
    }))
    rows.push(...stored)
    return true
  } catch {
    // The operation gets INTERNAL_ERROR.
    return false
  }
}

export class MemoryTables implements View, Log {
  readonly rooms = new Map<string, Room>()
  /** By room, from its `oldest` on. */
  readonly logs = new Map<string, MemoryRow[]>()
  readonly ids = new Map<string, ExistingEntry>()
  /** By user, then lane. */
  readonly lanes = new Map<string, Map<string, Lane & { readonly usedAt: number }>>()
  readonly membersOf = new Map<string, Map<string, Membership>>()
  readonly readMarksOf = new Map<string, Map<string, ReadMark>>()
  readonly invitationsOf = new Map<string, Map<string, Invitation>>()
  /** By room, then position. */
  readonly standingsOf = new Map<string, Map<number, StoredStanding>>()
  /** By room, in no order. */
  readonly reactionsOf = new Map<string, MemoryReaction[]>()
  readonly deliveriesOf = new Map<string, Map<string, Delivery>>()
  /** By room, then position and user. */
  readonly followsOf = new Map<string, Map<string, FollowChange>>()
  readonly sanctionsOf = new Map<string, Map<string, Sanction>>()
  /** By user, then position, in its order. */
  readonly noticesOf = new Map<string, Map<number, Notice>>()
  readonly settingsOf = new Map<string, Map<string, NoticeSetting>>()
  readonly seenAt = new Map<string, number>()

  room(room: string): Room | undefined {
    return this.rooms.get(room)
  }

  member(room: string, user: string): Membership | undefined {
    return this.membersOf.get(room)?.get(user)
  }

  lastN(user: string, sid: string, room: string): number | undefined {
    return this.lanes.get(user)?.get(laneKey(user, sid, room))?.lastN
  }

  entry(sender: string, messageId: string): ExistingEntry | undefined {
    return this.ids.get(entryKey(sender, messageId))
  }

  message(sender: string, messageId: string): MessageRow | undefined {
    const known = this.entry(sender, messageId)
    const row = known && this.#log(known.room, known.seq, known.seq)[0]
    if (row?.type !== 'new_message') return undefined
    const { room, seq, timestamp } = row
    const standing = this.standingsOf.get(room)?.get(seq) ?? {}
    return { room, seq, sender, messageId, timestamp, standing }
  }

  payload(room: string, seq: number): Entry['payload'] | undefined {
    const row = this.#log(room, seq, seq)[0]
    return row && (JSON.parse(row.payload) as Entry['payload'])
  }

  reacted(room: string, seq: number, emoji: string, user: string): boolean {
    return this.#reactions(room, seq).some((one) => one.emoji === emoji && one.user === user)
  }

  standings(room: string, first: number, last: number): Iterable<readonly [number, StoredStanding]> {
    return [...(this.standingsOf.get(room) ?? [])].filter(([seq]) => seq >= first && seq <= last)
  }

  ownReactions(room: string, user: string, first: number, last: number) {
    const all = this.reactionsOf.get(room) ?? []
    return all.filter(({ seq, user: who }) => who === user && seq >= first && seq <= last)
  }

  reactors(room: string, seq: number, emoji: string, limit: number): readonly string[] {
    const all = this.#reactions(room, seq).filter((one) => one.emoji === emoji)
    all.sort((a, b) => a.at - b.at)
    return all.slice(0, limit).map(({ user }) => user)
  }

  answers(room: string, target: number, before: number, limit: number): readonly StoredEntry[] {
    const all = this.logs.get(room) ?? []
    const answers = all.filter(
      (row) => row.type === 'new_message' && row.target === target && row.seq < before,
    )
    return answers.reverse().slice(0, limit)
  }

  edits(room: string, target: number, before: number, limit: number): readonly StoredEntry[] {
    const all = this.logs.get(room) ?? []
    const edits = all.filter(
      (row) => row.type === 'message_edited' && row.target === target && row.seq < before,
    )
    return edits.reverse().slice(0, limit)
  }

  threadFollow(room: string, seq: number, user: string): FollowChange | undefined {
    return this.followsOf.get(room)?.get(keyOf(room, seq, user))
  }

  threadFollowers(room: string, seq: number, limit: number): readonly ThreadFollower[] {
    const all = [...(this.followsOf.get(room)?.values() ?? [])].filter((one) => one.seq === seq)
    return latest(all, limit)
  }

  ordinal(room: string, seq: number): number | undefined {
    return this.#log(room, seq, seq)[0]?.ordinal
  }

  invitation(room: string, user: string): Invitation | undefined {
    return this.invitationsOf.get(room)?.get(user)
  }

  delivery(room: string, user: string): Delivery | undefined {
    return this.deliveriesOf.get(room)?.get(user)
  }

  readMark(room: string, user: string): ReadMark | undefined {
    return this.readMarksOf.get(room)?.get(user)
  }

  sanction(room: string, user: string): Sanction | undefined {
    return this.sanctionsOf.get(room)?.get(user)
  }

  notice(user: string, seq: number): Notice | undefined {
    return this.noticesOf.get(user)?.get(seq)
  }

  unreadNotices(user: string, upTo: number): number {
    return [...(this.noticesOf.get(user) ?? [])].filter(([seq, is]) => seq <= upTo && !is.isRead).length
  }

  noticeSetting(room: string, user: string): NoticeSetting | undefined {
    return this.settingsOf.get(room)?.get(user)
  }

  listeners(room: string, limit: number): readonly string[] {
    const all = [...(this.settingsOf.get(room) ?? [])].filter(([, { level }]) => level === 'all')
    return all
      .map(([user]) => user)
      .sort()
      .slice(0, limit)
  }

  notices(user: string, before: number, limit: number): readonly StoredNotice[] {
    const found: StoredNotice[] = []
    for (const [seq, { isRead }] of [...(this.noticesOf.get(user) ?? [])].reverse()) {
      const row = seq < before && found.length < limit ? this.#log(`~${user}`, seq, seq)[0] : undefined
      if (row) found.push({ ...row, isRead })
    }
    return found
  }

  everyMember(room: string): Iterable<readonly [string, Membership]> {
    return this.membersOf.get(room) ?? []
  }

  strangeLanes(user: string): number {
    const lanes = [...(this.lanes.get(user)?.values() ?? [])]
    return lanes.filter((lane) => this.member(lane.room, user) === undefined).length
  }

  fingerprint(room: string, seq: number): string | undefined {
    return this.#log(room, seq, seq)[0]?.h
  }

  entries(room: string, first: number, last: number, newestFirst: boolean): Iterable<StoredEntry> {
    const run = this.#log(room, first, last)
    return newestFirst ? run.reverse() : run
  }

  members(room: string, after: string, limit: number): readonly StoredMember[] {
    const members = [...(this.membersOf.get(room) ?? [])].filter(([user]) => user > after)
    members.sort(([a], [b]) => (a < b ? -1 : 1))
    return members.slice(0, limit).map(([userId, { role, joinedAt }]) => ({ userId, role, joinedAt }))
  }

  readMarks(room: string): readonly ReadPosition[] {
    return this.#positions(room, this.readMarksOf)
  }

  deliveries(room: string): readonly ReadPosition[] {
    return this.#positions(room, this.deliveriesOf)
  }

  #positions(room: string, all: ReadonlyMap<string, ReadonlyMap<string, Delivery>>): readonly ReadPosition[] {
    const marks = [...(all.get(room) ?? [])].filter(([user]) => this.member(room, user))
    marks.sort(([a], [b]) => (a < b ? -1 : 1))
    return marks.map(([userId, { seq, timestamp }]) => ({ userId, seq, timestamp }))
  }

  lastSeen(user: string): number | undefined {
    return this.seenAt.get(user)
  }

  joinedSeq(room: string, user: string): number | undefined {
    return this.member(room, user)?.joinedSeq
  }

  roomsOf(user: string, after: string, limit: number): readonly string[] {
    return this.#roomsAfter(after, limit, (id) => this.member(id, user) !== undefined)
  }

  countsOf(user: string, after: string, limit: number): readonly StoredCounts[] {
    return this.roomsOf(user, after, limit).flatMap((id) => {
      const [room, member, mark] = [this.room(id), this.member(id, user), this.readMark(id, user)]
      if (!room || !member) return []
      const { lastSeq, lastOrdinal } = room
      const { joinedOrdinal } = member
      return {
        room: id,
        lastSeq,
        lastOrdinal,
        joinedOrdinal,
        readSeq: mark?.seq ?? 0,
        readOrdinal: mark?.ordinal ?? 0,
      }
    })
  }

  publicRooms(after: string, limit: number): readonly string[] {
    return this.#roomsAfter(after, limit, (_id, { visibility }) => visibility === 'public')
  }

  keep(batch: Batch, rows: readonly MemoryRow[], unixMs: number): void {
    for (const row of rows) {
      const { room, seq, timestamp, digest } = row
      const log = this.logs.get(room)
      if (log) log.push(row)
      else this.logs.set(room, [row])
      this.ids.set(entryKey(row.sender, row.messageId), { room, seq, timestamp, digest })
    }
    this.#keepChanges(batch)
    for (const [room, oldest] of batch.cuts) this.#cut(room, oldest)
    this.#keepNotices(batch)
    for (const [id, room] of batch.rooms) this.rooms.set(id, room)
    for (const [key, lane] of batch.lanes) {
      nested(this.lanes, lane.user).set(key, { ...lane, usedAt: unixMs })
    }
    for (const [room, members] of batch.members) {
      for (const [user, is] of members) {
        if (is) nested(this.membersOf, room).set(user, is)
        else this.membersOf.get(room)?.delete(user)
      }
    }
    for (const [room, invitations] of batch.invitations) {
      for (const [user, is] of invitations) {
        if (is) nested(this.invitationsOf, room).set(user, is)
        else this.invitationsOf.get(room)?.delete(user)
      }
    }
    for (const [room, sanctions] of batch.sanctions) {
      for (const [user, is] of sanctions) {
        if (is) nested(this.sanctionsOf, room).set(user, is)
        else this.sanctionsOf.get(room)?.delete(user)
      }
    }
    for (const [room, deliveries] of batch.deliveries) {
      for (const [user, is] of deliveries) nested(this.deliveriesOf, room).set(user, is)
    }
    for (const [room, marks] of batch.readMarks) {
      for (const [user, mark] of marks) nested(this.readMarksOf, room).set(user, mark)
    }
    for (const is of batch.follows) nested(this.followsOf, is.room).set(keyOf(is.room, is.seq, is.user), is)
    for (const room of batch.erased) this.#erase(room)
  }

  /** The log as it will be: its row says the same, later. */
  #cut(room: string, oldest: number): void {
    const log = this.logs.get(room) ?? []
    const kept = log.findIndex(({ seq }) => seq >= oldest)
    for (const { sender, messageId } of log.splice(0, kept)) this.ids.delete(entryKey(sender, messageId))
  }

  #keepNotices({ notices }: Batch): void {
    for (const [user, upTo] of notices.clearedUpTo) {
      const own = this.noticesOf.get(user)
      for (const seq of own?.keys() ?? []) if (seq <= upTo) own?.delete(seq)
    }
    for (const [user, upTo] of notices.readUpTo) {
      const own = this.noticesOf.get(user)
      for (const seq of own?.keys() ?? []) if (seq <= upTo) own?.set(seq, { isRead: true })
    }
    for (const [user, rows] of notices.rows) {
      for (const [seq, is] of rows) {
        if (is) nested(this.noticesOf, user).set(seq, is)
        else this.noticesOf.get(user)?.delete(seq)
      }
    }
    for (const [room, settings] of notices.settings) {
      for (const [user, is] of settings) {
        if (is) nested(this.settingsOf, room).set(user, is)
        else this.settingsOf.get(room)?.delete(user)
      }
    }
  }

  #erase(room: string): void {
    for (const { sender, messageId } of this.logs.get(room) ?? [])
      this.ids.delete(entryKey(sender, messageId))
    this.deliveriesOf.delete(room)
    this.followsOf.delete(room)
    this.settingsOf.delete(room)
    const { logs, membersOf, invitationsOf, sanctionsOf, readMarksOf, standingsOf, reactionsOf } = this
    for (const rows of [logs, membersOf, invitationsOf, sanctionsOf, readMarksOf, standingsOf, reactionsOf])
      rows.delete(room)
  }

  #keepChanges(batch: Batch): void {
    for (const [room, standings] of batch.standings)
      for (const [seq, standing] of standings) nested(this.standingsOf, room).set(seq, standing)
    for (const [room, reactions] of batch.reactions)
      for (const reaction of reactions.values()) this.#keepReaction(room, reaction)
    for (const { room, seq } of batch.blanked) this.#blank(room, seq)
  }

  #keepReaction(room: string, { seq, emoji, user, at }: ReactionChange & { readonly seq: number }): void {
    const all = this.reactionsOf.get(room) ?? []
    const others = all.filter((one) => one.seq !== seq || one.emoji !== emoji || one.user !== user)
    this.reactionsOf.set(room, at === undefined ? others : [...others, { seq, emoji, user, at }])
  }

  #blank(room: string, seq: number): void {
    const log = this.logs.get(room) ?? []
    log.forEach((row, i) => {
      const isEdit = row.type === 'message_edited' && row.target === seq
      if (row.seq === seq || isEdit) log[i] = { ...row, payload: blankPayload(row.payload) }
    })
    this.reactionsOf.set(
      room,
      (this.reactionsOf.get(room) ?? []).filter((reaction) => reaction.seq !== seq),
    )
  }

  #reactions(room: string, seq: number): MemoryReaction[] {
    return (this.reactionsOf.get(room) ?? []).filter((reaction) => reaction.seq === seq)
  }

  /** Forgets the lanes that were last used before this time. */
  collectLanes(unixMs: number): void {
    for (const lanes of this.lanes.values()) {
      for (const [key, lane] of lanes) if (lane.usedAt < unixMs) lanes.delete(key)
    }
  }

  #roomsAfter(after: string, limit: number, is: (id: string, room: Room) => boolean): readonly string[] {
    const ids = [...this.rooms].filter(([id, room]) => id > after && is(id, room)).map(([id]) => id)
    return ids.sort().slice(0, limit)
  }

  #log(room: string, first: number, last: number): MemoryRow[] {
    const oldest = this.rooms.get(room)?.oldest ?? 1
    return this.logs.get(room)?.slice(Math.max(0, first - oldest), Math.max(0, last - oldest + 1)) ?? []
  }
}
