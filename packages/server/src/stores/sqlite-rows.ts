/**
 * The rows of the database: every SQL statement of the store that reads or writes them, and the `View` that the
 * transaction sees. As the only writer it keeps the rows it used of late in memory, each as it was last committed;
 * `forget` throws them away.
 */
import type { Entry, ExistingEntry, Role } from '@tautline/protocol/wire'
import type Database from 'better-sqlite3'
import type {
  Batch,
  Delivery,
  Invitation,
  LogRow,
  Membership,
  MessageRow,
  ReadMark,
  Room,
  Sanction,
  StoredStanding,
  View,
} from '../core/batch.ts'
import { LastKey } from '../core/last-key.ts'
import type { Notice, NoticeSetting } from '../core/notice-changes.ts'
import type { ReadPosition, Seen, StoredMember } from '../core/store.ts'
import type { ThreadFollow, ThreadFollower } from '../core/thread-follows.ts'
import type { Log, StoredCounts, StoredEntry, StoredNotice } from './log.ts'
import { blankPayload } from './reading.ts'
import { RecentMap } from './recent.ts'
import { SqliteNotices } from './sqlite-notices.ts'

/** Rows of each kind that are kept in memory, at least; at most twice as many. About 30 MB with all of them full. */
const CACHED_ROWS = 20_000
/** Entries of deleted rooms that go with each commit: a large room at once would hold up everybody. */
const PURGED_ENTRIES = 1_000

export class SqliteRows implements View, Log {
  readonly #statements: ReturnType<typeof prepare>
  readonly #notices: SqliteNotices
  readonly #rooms = new RecentMap<string, Room>(CACHED_ROWS)
  /** By room and user. Null: no member, for certain. */
  readonly #members = new RecentMap<string, Membership | null>(CACHED_ROWS)
  /** Null: nothing is forbidden to them. */
  readonly #sanctions = new RecentMap<string, Sanction | null>(CACHED_ROWS)
  readonly #lanes = new RecentMap<string, number>(CACHED_ROWS)
  readonly #strangeLanes = new RecentMap<string, number>(CACHED_ROWS)
  readonly #laneKey = new LastKey()
  readonly #memberKey = new LastKey()
  /** No entry of a deleted room is left, as far as is known: what is forgotten is looked for again. */
  #isPurged = false

  constructor(db: Database.Database) {
    this.#statements = prepare(db)
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

const ENTRY_COLUMNS = 'seq, sender, message_id as messageId, type, payload, timestamp, h'

function prepare(db: Database.Database) {
  return {
    epoch: db.prepare<[], string>(`select value from meta where key = 'epoch'`).pluck(),
    room: db.prepare<[string], Room>(
      `select last_seq as lastSeq, last_h as lastH, last_ordinal as lastOrdinal, last_message as lastMessage, oldest,
       base_h as baseH, visibility, open_from as openFrom, about, member_count as memberCount from rooms where id = ?`,
    ),
    member: db.prepare<[string, string], Membership>(
      `select role, from_seq as fromSeq, joined_seq as joinedSeq, joined_ordinal as joinedOrdinal,
       joined_at as joinedAt from members where room = ? and user = ?`,
    ),
    everyMember: db.prepare<[string], Membership & { readonly user: string }>(
      `select user, role, from_seq as fromSeq, joined_seq as joinedSeq, joined_ordinal as joinedOrdinal,
       joined_at as joinedAt from members where room = ?`,
    ),
    sanction: db.prepare<[string, string], { readonly isBanned: number; readonly mutedUntil: number }>(
      'select is_banned as isBanned, muted_until as mutedUntil from sanctions where room = ? and user = ?',
    ),
    lastN: db
      .prepare<[string, string, string], number>(
        'select last_n from lanes where user = ? and sid = ? and room = ?',
      )
      .pluck(),
    entryById: db.prepare<[string, string], ExistingEntry>(
      'select room, seq, timestamp, digest from entries where sender = ? and message_id = ?',
    ),
    delivery: db.prepare<[string, string], Delivery>(
      'select seq, at as timestamp from deliveries where room = ? and user = ?',
    ),
    deliveries: db.prepare<[string], ReadPosition>(
      `select user as userId, seq, at as timestamp from deliveries
       where room = ? and exists (select 1 from members where members.room = deliveries.room and members.user = deliveries.user)
       order by user`,
    ),
    putDelivery: db.prepare<[string, string, number, number]>(
      'insert or replace into deliveries (room, user, seq, at) values (?, ?, ?, ?)',
    ),
    eraseDeliveries: db.prepare<[string]>('delete from deliveries where room = ?'),
    readMark: db.prepare<[string, string], ReadMark>(
      'select read_seq as seq, read_ordinal as ordinal, read_at as timestamp from receipts where room = ? and user = ?',
    ),
    invitation: db.prepare<[string, string], Invitation>(
      'select role, invited_at as invitedAt from invitations where room = ? and user = ?',
    ),
    ordinal: db
      .prepare<[string, number], number>('select ordinal from entries where room = ? and seq = ?')
      .pluck(),
    lastSeen: db.prepare<[string], number>('select at from last_seen where user = ?').pluck(),
    putSeen: db.prepare<[string, number]>(
      `insert into last_seen (user, at) values (?, ?)
       on conflict (user) do update set at = max(at, excluded.at)`,
    ),
    roomsOf: db
      .prepare<[string, string, number], string>(
        'select room from members where user = ? and room > ? order by room limit ?',
      )
      .pluck(),
    countsOf: db.prepare<[string, string, number], StoredCounts>(
      `select members.room as room, last_seq as lastSeq, last_ordinal as lastOrdinal, joined_ordinal as joinedOrdinal,
       coalesce(read_seq, 0) as readSeq, coalesce(read_ordinal, 0) as readOrdinal
       from members join rooms on rooms.id = members.room
       left join receipts on receipts.room = members.room and receipts.user = members.user
       where members.user = ? and members.room > ? order by members.room limit ?`,
    ),
    publicRooms: db
      .prepare<[string, number], string>(
        `select id from rooms where visibility = 'public' and id > ? order by id limit ?`,
      )
      .pluck(),
    strangeLanes: db
      .prepare<[string], number>(
        `select count(*) from lanes where lanes.user = ? and not exists
         (select 1 from members where members.room = lanes.room and members.user = lanes.user)`,
      )
      .pluck(),
    fingerprint: db
      .prepare<[string, number], string>('select h from entries where room = ? and seq = ?')
      .pluck(),
    entriesUp: db.prepare<[string, number, number], StoredEntry>(
      `select ${ENTRY_COLUMNS} from entries where room = ? and seq between ? and ? order by seq`,
    ),
    entriesDown: db.prepare<[string, number, number], StoredEntry>(
      `select ${ENTRY_COLUMNS} from entries where room = ? and seq between ? and ? order by seq desc`,
    ),
    members: db.prepare<[string, string, number], StoredMember>(
      `select user as userId, role, joined_at as joinedAt from members
       where room = ? and user > ? order by user limit ?`,
    ),
    readMarks: db.prepare<[string], ReadPosition>(
      `select user as userId, read_seq as seq, read_at as timestamp from receipts
       where room = ? and exists (select 1 from members where members.room = receipts.room and members.user = receipts.user)
       order by user`,
    ),
    insertEntry: db.prepare<
      [string, number, string, string, string, string, string, number, number, string, number | null]
    >(
      `insert into entries (room, seq, sender, message_id, type, payload, digest, ordinal, timestamp, h, target)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    message: db.prepare<
      [string, string],
      Omit<MessageRow, 'standing' | 'sender' | 'messageId'> & { standing: string | null }
    >(
      `select entries.room, entries.seq, timestamp, standing from entries
       left join standings on standings.room = entries.room and standings.seq = entries.seq
       where sender = ? and message_id = ? and type = 'new_message'`,
    ),
    payload: db
      .prepare<[string, number], string>('select payload from entries where room = ? and seq = ?')
      .pluck(),
    /** The entry of a message and those of its edits. */
    contents: db.prepare<[string, number, string, number], { seq: number; payload: string }>(
      `select seq, payload from entries where room = ? and seq = ? union all
       select seq, payload from entries where room = ? and target = ? and type = 'message_edited'`,
    ),
    putPayload: db.prepare<[string, string, number]>(
      'update entries set payload = ? where room = ? and seq = ?',
    ),
    standings: db.prepare<[string, number, number], { seq: number; standing: string }>(
      'select seq, standing from standings where room = ? and seq between ? and ?',
    ),
    putStanding: db.prepare<[string, number, string]>(
      'insert or replace into standings (room, seq, standing) values (?, ?, ?)',
    ),
    reacted: db.prepare<[string, string, number, string], { at: number }>(
      'select at from reactions where room = ? and user = ? and seq = ? and emoji = ?',
    ),
    ownReactions: db.prepare<[string, string, number, number], { seq: number; emoji: string }>(
      'select seq, emoji from reactions where room = ? and user = ? and seq between ? and ?',
    ),
    reactors: db
      .prepare<[string, number, string, number], string>(
        'select user from reactions where room = ? and seq = ? and emoji = ? order by at limit ?',
      )
      .pluck(),
    putReaction: db.prepare<[string, number, string, string, number]>(
      'insert or replace into reactions (room, seq, user, emoji, at) values (?, ?, ?, ?, ?)',
    ),
    deleteReaction: db.prepare<[string, string, number, string]>(
      'delete from reactions where room = ? and user = ? and seq = ? and emoji = ?',
    ),
    deleteReactions: db.prepare<[string, number]>('delete from reactions where room = ? and seq = ?'),
    answers: db.prepare<[string, number, number, number], StoredEntry>(
      `select ${ENTRY_COLUMNS} from entries
       where room = ? and target = ? and type = 'new_message' and seq < ? order by seq desc limit ?`,
    ),
    threadFollow: db.prepare<[string, number, string], { isFollowing: number; at: number }>(
      'select is_following as isFollowing, at from thread_follows where room = ? and seq = ? and user = ?',
    ),
    threadFollowers: db.prepare<[string, number, number], { user: string; at: number }>(
      `select user, at from thread_follows
       where room = ? and seq = ? and is_following = 1 order by at desc, user limit ?`,
    ),
    putThreadFollow: db.prepare<[string, number, string, number, number]>(
      'insert or replace into thread_follows (room, seq, user, is_following, at) values (?, ?, ?, ?, ?)',
    ),
    purgeThreadFollows: db.prepare<[string, number]>(
      `delete from thread_follows where (room, seq, user) in
       (select room, seq, user from thread_follows where room = ? limit ?)`,
    ),
    edits: db.prepare<[string, number, number, number], StoredEntry>(
      `select ${ENTRY_COLUMNS} from entries
       where room = ? and target = ? and type = 'message_edited' and seq < ? order by seq desc limit ?`,
    ),
    putRoom: db.prepare<[Room & { readonly id: string }]>(
      `insert or replace into rooms
       (id, last_seq, last_h, last_ordinal, last_message, oldest, base_h, visibility, open_from, about, member_count)
       values (@id, @lastSeq, @lastH, @lastOrdinal, @lastMessage, @oldest, @baseH, @visibility, @openFrom, @about,
       @memberCount)`,
    ),
    putSanction: db.prepare<[string, string, number, number]>(
      'insert or replace into sanctions (room, user, is_banned, muted_until) values (?, ?, ?, ?)',
    ),
    deleteSanction: db.prepare<[string, string]>('delete from sanctions where room = ? and user = ?'),
    eraseMembers: db.prepare<[string]>('delete from members where room = ?'),
    eraseInvitations: db.prepare<[string]>('delete from invitations where room = ?'),
    eraseSanctions: db.prepare<[string]>('delete from sanctions where room = ?'),
    eraseReceipts: db.prepare<[string]>('delete from receipts where room = ?'),
    /** One of which entries are left. */
    deletedRoom: db
      .prepare<[], string>(
        `select id from rooms where visibility = 'deleted'
         and exists (select 1 from entries where entries.room = rooms.id) limit 1`,
      )
      .pluck(),
    purgeEntries: db.prepare<[string, number]>(
      'delete from entries where rowid in (select rowid from entries where room = ? limit ?)',
    ),
    cutEntries: db.prepare<[string, number]>('delete from entries where room = ? and seq < ?'),
    purgeStandings: db.prepare<[string, number]>(
      `delete from standings where (room, seq) in (select room, seq from standings where room = ? limit ?)`,
    ),
    purgeReactions: db.prepare<[string, number]>(
      `delete from reactions where (room, user, seq, emoji) in
       (select room, user, seq, emoji from reactions where room = ? limit ?)`,
    ),
    putLane: db.prepare<[string, string, string, number, number]>(
      'insert or replace into lanes (user, sid, room, last_n, used_at) values (?, ?, ?, ?, ?)',
    ),
    putMember: db.prepare<[string, string, Role, number, number, number, number]>(
      `insert or replace into members (room, user, role, from_seq, joined_seq, joined_ordinal, joined_at)
       values (?, ?, ?, ?, ?, ?, ?)`,
    ),
    deleteMember: db.prepare<[string, string]>('delete from members where room = ? and user = ?'),
    putInvitation: db.prepare<[string, string, Role, number]>(
      'insert or replace into invitations (room, user, role, invited_at) values (?, ?, ?, ?)',
    ),
    deleteInvitation: db.prepare<[string, string]>('delete from invitations where room = ? and user = ?'),
    putReadMark: db.prepare<[string, string, number, number, number]>(
      'insert or replace into receipts (room, user, read_seq, read_ordinal, read_at) values (?, ?, ?, ?, ?)',
    ),
    collectLanes: db.prepare<[number]>('delete from lanes where used_at < ?'),
  }
}
