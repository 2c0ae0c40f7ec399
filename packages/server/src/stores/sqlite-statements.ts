/**
 * Every SQL statement that reads or writes the rows of rooms, members, entries and what came of them; those of
 * notifications stand in sqlite-notices.ts. What a statement is for, its name says; when it runs, sqlite-rows.ts does.
 * The tables are in sqlite-file.ts.
 */
import type { ExistingEntry, Role } from '@tautline/protocol/wire'
import type Database from 'better-sqlite3'
import type { Delivery, Invitation, Membership, MessageRow, ReadMark, Room } from '../core/batch.ts'
import type { ReadPosition, StoredMember } from '../core/store.ts'
import type { StoredCounts, StoredEntry } from './log.ts'

export type SqliteStatements = ReturnType<typeof prepareStatements>

const ENTRY_COLUMNS = 'seq, sender, message_id as messageId, type, payload, timestamp, h'

/** Prepared once: each is run as it is from then on. */
export function prepareStatements(db: Database.Database) {
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
