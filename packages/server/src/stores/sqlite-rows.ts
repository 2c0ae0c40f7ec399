/**
 * The rows of the database, as the `View` that the transaction sees; the SQL that reads and writes them stands in
 * sqlite-statements.ts. As the only writer it keeps the rows it used of late in memory, each as it was last committed;
 * `forget` throws them away.
 */
import type { Entry, ExistingEntry } from '@tautline/protocol/wire'
import type Database from 'better-sqlite3'
import {
  type Batch,
  type Delivery,
  type Invitation,
  type LogRow,
  laneKey,
  type Membership,
  type MessageRow,
  type ReadMark,
  type Room,
  type Sanction,
  type StoredStanding,
  type View,
} from '../core/batch.ts'
import { LastKey } from '../core/last-key.ts'
import type { Notice, NoticeSetting } from '../core/notice-changes.ts'
import type { ReadPosition, Seen, StoredMember } from '../core/store.ts'
import type { ThreadFollow, ThreadFollower } from '../core/thread-follows.ts'
import type { Log, StoredCounts, StoredEntry, StoredNotice } from './log.ts'
import { blankPayload } from './reading.ts'
import { RecentMap } from './recent.ts'
import { SqliteNotices } from './sqlite-notices.ts'
import { prepareStatements, type SqliteStatements } from './sqlite-statements.ts'

/** Rows of each kind that are kept in memory, at least; at most twice as many. About 30 MB with all of them full. */
const CACHED_ROWS = 20_000
/** Entries of deleted rooms that go with each commit: a large room at once would hold up everybody. */
const PURGED_ENTRIES = 1_000

export class SqliteRows implements View, Log {
  readonly #statements: SqliteStatements
  readonly #notices: SqliteNotices
  readonly #rooms = new RecentMap<string, Room>(CACHED_ROWS)
  /** By room and user. Null: no member, for certain. */
  readonly #members = new RecentMap<string, Membership | null>(CACHED_ROWS)
  /** Null: nothing is forbidden to them. */
  readonly #sanctions = new RecentMap<string, Sanction | null>(CACHED_ROWS)
  readonly #lanes = new RecentMap<string, number>(CACHED_ROWS)
  readonly #strangeLanes = new RecentMap<string, number>(CACHED_ROWS)
  readonly #laneKey = new LastKey(laneKey)
  readonly #memberKey = new LastKey((room, user) => `${room}\n${user}`)
  /** No entry of a deleted room is left, as far as is known: what is forgotten is looked for again. */
  #isPurged = false

  constructor(db: Database.Database) {
    this.#statements = prepareStatements(db)
    this.#notices = new SqliteNotices(db)
  }

  epoch(): string {
    const epoch = this.#statements.epoch.get()
    if (epoch === undefined) throw new Error('The database is not complete: it has no epoch.')
    return epoch
  }

  room(room: string): Room | undefined {
    return this.#rooms.get(room) ?? this.#loadRoom(room)
  }

  member(room: string, user: string): Membership | undefined {
    const known = this.#members.get(this.#memberKey.of(room, user))
    return known === undefined ? this.#loadMember(room, user) : (known ?? undefined)
  }

  lastN(user: string, sid: string, room: string): number | undefined {
    return this.#lanes.get(this.#laneKey.of(user, sid, room)) ?? this.#loadLane(user, sid, room)
  }

  entry(sender: string, messageId: string): ExistingEntry | undefined {
    return this.#statements.entryById.get(sender, messageId)
  }

  message(sender: string, messageId: string): MessageRow | undefined {
    const row = this.#statements.message.get(sender, messageId)
    if (!row) return undefined
    const { standing, ...message } = row
    return { ...message, sender, messageId, standing: standing === null ? {} : standingOf(standing) }
  }

  payload(room: string, seq: number): Entry['payload'] | undefined {
    const text = this.#statements.payload.get(room, seq)
    return text === undefined ? undefined : (JSON.parse(text) as Entry['payload'])
  }

  reacted(room: string, seq: number, emoji: string, user: string): boolean {
    return this.#statements.reacted.get(room, user, seq, emoji) !== undefined
  }

  standings(room: string, first: number, last: number): Iterable<readonly [number, StoredStanding]> {
    const rows = this.#statements.standings.all(room, first, last)
    return rows.map(({ seq, standing }) => [seq, standingOf(standing)] as const)
  }

  ownReactions(room: string, user: string, first: number, last: number) {
    return this.#statements.ownReactions.all(room, user, first, last)
  }

  reactors(room: string, seq: number, emoji: string, limit: number): readonly string[] {
    return this.#statements.reactors.all(room, seq, emoji, limit)
  }

  answers(room: string, target: number, before: number, limit: number): readonly StoredEntry[] {
    return this.#statements.answers.all(room, target, before, limit)
  }

  edits(room: string, target: number, before: number, limit: number): Iterable<StoredEntry> {
    return this.#statements.edits.iterate(room, target, before, limit)
  }

  threadFollow(room: string, seq: number, user: string): ThreadFollow | undefined {
    const row = this.#statements.threadFollow.get(room, seq, user)
    return row && { isFollowing: row.isFollowing === 1, at: row.at }
  }

  threadFollowers(room: string, seq: number, limit: number): readonly ThreadFollower[] {
    const rows = this.#statements.threadFollowers.all(room, seq, limit)
    return rows.map((row) => ({ ...row, isFollowing: true }))
  }

  delivery(room: string, user: string): Delivery | undefined {
    return this.#statements.delivery.get(room, user)
  }

  readMark(room: string, user: string): ReadMark | undefined {
    return this.#statements.readMark.get(room, user)
  }

  ordinal(room: string, seq: number): number | undefined {
    return this.#statements.ordinal.get(room, seq)
  }

  invitation(room: string, user: string): Invitation | undefined {
    return this.#statements.invitation.get(room, user)
  }

  sanction(room: string, user: string): Sanction | undefined {
    const known = this.#sanctions.get(this.#memberKey.of(room, user))
    if (known !== undefined) return known ?? undefined
    const row = this.#statements.sanction.get(room, user)
    const is = row && { isBanned: row.isBanned === 1, mutedUntil: row.mutedUntil }
    this.#sanctions.set(this.#memberKey.of(room, user), is ?? null)
    return is
  }

  *everyMember(room: string): Generator<readonly [string, Membership]> {
    for (const { user, ...is } of this.#statements.everyMember.iterate(room)) yield [user, is]
  }

  notice(user: string, seq: number): Notice | undefined {
    return this.#notices.notice(user, seq)
  }

  unreadNotices(user: string, upTo: number): number {
    return this.#notices.unreadNotices(user, upTo)
  }

  noticeSetting(room: string, user: string): NoticeSetting | undefined {
    return this.#notices.noticeSetting(room, user)
  }

  listeners(room: string, limit: number): readonly string[] {
    return this.#notices.listeners(room, limit)
  }

  notices(user: string, before: number, limit: number): Iterable<StoredNotice> {
    return this.#notices.notices(user, before, limit)
  }

  strangeLanes(user: string): number {
    const known = this.#strangeLanes.get(user)
    if (known !== undefined) return known
    const count = this.#statements.strangeLanes.get(user) ?? 0
    this.#strangeLanes.set(user, count)
    return count
  }

  fingerprint(room: string, seq: number): string | undefined {
    return this.#statements.fingerprint.get(room, seq)
  }

  entries(room: string, first: number, last: number, newestFirst: boolean): Iterable<StoredEntry> {
    const { entriesUp, entriesDown } = this.#statements
    return (newestFirst ? entriesDown : entriesUp).iterate(room, first, last)
  }

  members(room: string, after: string, limit: number): readonly StoredMember[] {
    return this.#statements.members.all(room, after, limit)
  }

  deliveries(room: string): readonly ReadPosition[] {
    return this.#statements.deliveries.all(room)
  }

  readMarks(room: string): readonly ReadPosition[] {
    return this.#statements.readMarks.all(room)
  }

  lastSeen(user: string): number | undefined {
    return this.#statements.lastSeen.get(user)
  }

  putSeen(seen: readonly Seen[]): void {
    for (const { userId, at } of seen) this.#statements.putSeen.run(userId, at)
  }

  /** Past the rows in memory: strangers are asked about by the thousand, and must not put out whom commits need. */
  joinedSeq(room: string, user: string): number | undefined {
    return this.#statements.member.get(room, user)?.joinedSeq
  }

  roomsOf(user: string, after: string, limit: number): readonly string[] {
    return this.#statements.roomsOf.all(user, after, limit)
  }

  countsOf(user: string, after: string, limit: number): readonly StoredCounts[] {
    return this.#statements.countsOf.all(user, after, limit)
  }

  publicRooms(after: string, limit: number): readonly string[] {
    return this.#statements.publicRooms.all(after, limit)
  }

  insert({ room, entry, digest, ordinal, h, target = null }: NullableTarget): void {
    const { seq, sender, messageId, type, payload, timestamp } = entry
    const text = JSON.stringify(payload)
    const { insertEntry } = this.#statements
    insertEntry.run(room, seq, sender, messageId, type, text, digest, ordinal, timestamp, h, target)
  }

  /** Writes the rows that change once a batch. */
  write(batch: Batch, unixMs: number): void {
    const { putRoom, putLane, putMember, deleteMember, putReadMark } = this.#statements
    const { putInvitation, deleteInvitation, putSanction, deleteSanction } = this.#statements
    for (const [id, room] of batch.rooms) {
      putRoom.run({ id, ...room })
    }
    for (const { user, sid, room, lastN } of batch.lanes.values()) putLane.run(user, sid, room, lastN, unixMs)
    for (const [room, members] of batch.members) {
      for (const [user, is] of members) {
        if (is) putMember.run(room, user, is.role, is.fromSeq, is.joinedSeq, is.joinedOrdinal, is.joinedAt)
        else deleteMember.run(room, user)
      }
    }
    for (const [room, invitations] of batch.invitations) {
      for (const [user, is] of invitations) {
        if (is) putInvitation.run(room, user, is.role, is.invitedAt)
        else deleteInvitation.run(room, user)
      }
    }
    for (const [room, sanctions] of batch.sanctions) {
      for (const [user, is] of sanctions) {
        if (is) putSanction.run(room, user, Number(is.isBanned), is.mutedUntil)
        else deleteSanction.run(room, user)
      }
    }
    for (const [room, deliveries] of batch.deliveries) {
      for (const [user, { seq, timestamp }] of deliveries)
        this.#statements.putDelivery.run(room, user, seq, timestamp)
    }
    for (const [room, marks] of batch.readMarks) {
      for (const [user, { seq, ordinal, timestamp }] of marks)
        putReadMark.run(room, user, seq, ordinal, timestamp)
    }
    for (const { room, seq, user, isFollowing, at } of batch.follows)
      this.#statements.putThreadFollow.run(room, seq, user, Number(isFollowing), at)
    this.#writeChanges(batch)
    this.#notices.write(batch.notices)
    for (const [room, oldest] of batch.cuts) this.#statements.cutEntries.run(room, oldest)
  }

  #writeChanges(batch: Batch): void {
    const { putStanding, putReaction, deleteReaction } = this.#statements
    for (const [room, standings] of batch.standings)
      for (const [seq, standing] of standings) putStanding.run(room, seq, JSON.stringify(standing))
    for (const [room, reactions] of batch.reactions) {
      for (const { seq, user, emoji, at } of reactions.values()) {
        if (at === undefined) deleteReaction.run(room, user, seq, emoji)
        else putReaction.run(room, seq, user, emoji, at)
      }
    }
    for (const { room, seq } of batch.blanked) this.#blank(room, seq)
  }

  #blank(room: string, seq: number): void {
    const { contents, putPayload, deleteReactions } = this.#statements
    for (const row of contents.all(room, seq, room, seq))
      putPayload.run(blankPayload(row.payload), room, row.seq)
    deleteReactions.run(room, seq)
  }

  /** What follows the end of a room: its members and what is kept for them at once, its entries by and by. */
  erase(batch: Batch): void {
    const { eraseDeliveries } = this.#statements
    const { eraseMembers, eraseInvitations, eraseSanctions, eraseReceipts, deletedRoom } = this.#statements
    for (const room of batch.erased)
      for (const statement of [
        eraseMembers,
        eraseInvitations,
        eraseSanctions,
        eraseReceipts,
        eraseDeliveries,
      ])
        statement.run(room)
    for (const room of batch.erased) this.#notices.erase(room)
    if (batch.erased.size > 0) this.#isPurged = false
    if (this.#isPurged) return
    for (let left = PURGED_ENTRIES; left > 0; ) {
      const room = deletedRoom.get()
      if (room === undefined) {
        this.#isPurged = true
        return
      }
      const { purgeReactions, purgeStandings, purgeThreadFollows, purgeEntries } = this.#statements
      // The entries last: by them the room is found again.
      left -= purgeReactions.run(room, left).changes
      if (left > 0) left -= purgeStandings.run(room, left).changes
      if (left > 0) left -= purgeThreadFollows.run(room, left).changes
      if (left > 0) left -= purgeEntries.run(room, left).changes
    }
  }

  /** Deletes the lanes that were last used before this time. */
  collectLanes(unixMs: number): void {
    this.#statements.collectLanes.run(unixMs)
    this.#lanes.clear()
    this.#strangeLanes.clear()
  }

  /** Takes over what was committed. */
  remember(batch: Batch): void {
    for (const [id, room] of batch.rooms) this.#rooms.set(id, room)
    for (const [key, lane] of batch.lanes) this.#lanes.set(key, lane.lastN)
    for (const [user, more] of batch.newStrangeLanes) {
      const known = this.#strangeLanes.get(user)
      if (known !== undefined) this.#strangeLanes.set(user, known + more)
    }
    if (batch.erased.size > 0) this.forget()
    this.#notices.remember(batch.notices)
    for (const [room, sanctions] of batch.sanctions)
      for (const [user, is] of sanctions) this.#sanctions.set(this.#memberKey.of(room, user), is ?? null)
    for (const [room, members] of batch.members) {
      for (const [user, is] of members) {
        this.#members.set(this.#memberKey.of(room, user), is ?? null)
        this.#strangeLanes.delete(user)
      }
    }
  }

  /** Throws away what it knows: it may have come from a transaction that is rolled back. */
  forget(): void {
    this.#isPurged = false
    this.#rooms.clear()
    this.#members.clear()
    this.#sanctions.clear()
    this.#lanes.clear()
    this.#strangeLanes.clear()
    this.#notices.forget()
  }

  #loadRoom(id: string): Room | undefined {
    const room = this.#statements.room.get(id)
    if (room) this.#rooms.set(id, room)
    return room
  }

  #loadMember(room: string, user: string): Membership | undefined {
    const member = this.#statements.member.get(room, user)
    this.#members.set(this.#memberKey.of(room, user), member ?? null)
    return member
  }

  #loadLane(user: string, sid: string, room: string): number | undefined {
    const lastN = this.#statements.lastN.get(user, sid, room)
    if (lastN !== undefined) this.#lanes.set(this.#laneKey.of(user, sid, room), lastN)
    return lastN
  }
}

type NullableTarget = Omit<LogRow, 'target'> & { readonly target?: number | null | undefined }

function standingOf(text: string): StoredStanding {
  return JSON.parse(text) as StoredStanding
}
