/**
 * Opening the database file: one process alone, a schema that is ours and of this version, and for whatever is wrong
 * a sentence that names the file and says what to do. Nothing here knows what the rows mean.
 *
 * Durability is chosen here: a write-ahead log, synced at every commit. The lock is that of the operating system, so
 * it goes with the process, however that ends.
 */
import { existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import Database from 'better-sqlite3'

/** How long to wait for another process that is about to close the file, in milliseconds. */
const BUSY_TIMEOUT_MS = 250
/** "TAUT": tells our files from those of other applications. */
const APPLICATION_ID = 0x54415554
const SCHEMA_VERSION = 10

// Ids are text, times Unix milliseconds, payloads JSON as it was sent. No foreign keys: there is one writer, which has
// looked, and it writes entries before their room's row.
// entries has a rowid, since rows of a few KB cost a third more without; its second key begins with the message id,
// which sorts by time, so that new rows of all senders touch the same few pages (half as much again per second).
const SCHEMA = `
  create table meta (
    key text primary key,
    value text not null
  ) without rowid;

  create table rooms (
    id text primary key,
    last_seq integer not null,
    last_h text not null,
    last_ordinal integer not null,
    last_message integer not null,
    oldest integer not null,
    base_h text not null,
    visibility text not null,
    open_from integer not null,
    about text not null,
    member_count integer not null
  ) without rowid;

  create table entries (
    room text not null,
    seq integer not null,
    sender text not null,
    message_id text not null,
    type text not null,
    payload text not null,
    digest text not null,
    ordinal integer not null,
    timestamp integer not null,
    h text not null,
    target integer,
    primary key (room, seq),
    unique (message_id, sender)
  );

  create table lanes (
    user text not null,
    sid text not null,
    room text not null,
    last_n integer not null,
    used_at integer not null,
    primary key (user, sid, room)
  ) without rowid;

  create table members (
    room text not null,
    user text not null,
    role text not null,
    from_seq integer not null,
    joined_seq integer not null,
    joined_ordinal integer not null,
    joined_at integer not null,
    primary key (room, user)
  ) without rowid;

  create table invitations (
    room text not null,
    user text not null,
    role text not null,
    invited_at integer not null,
    primary key (room, user)
  ) without rowid;

  create table sanctions (
    room text not null,
    user text not null,
    is_banned integer not null,
    muted_until integer not null,
    primary key (room, user)
  ) without rowid;

  create table deliveries (
    room text not null,
    user text not null,
    seq integer not null,
    at integer not null,
    primary key (room, user)
  ) without rowid;

  create table notices (
    user text not null,
    seq integer not null,
    is_read integer not null,
    primary key (user, seq)
  ) without rowid;

  create table notice_settings (
    room text not null,
    user text not null,
    level text not null,
    silenced_until integer not null,
    primary key (room, user)
  ) without rowid;

  create table receipts (
    room text not null,
    user text not null,
    read_seq integer not null,
    read_ordinal integer not null,
    read_at integer not null,
    primary key (room, user)
  ) without rowid;

  create table last_seen (
    user text primary key,
    at integer not null
  ) without rowid;

  create table standings (
    room text not null,
    seq integer not null,
    standing text not null,
    primary key (room, seq)
  ) without rowid;

  create table reactions (
    room text not null,
    seq integer not null,
    user text not null,
    emoji text not null,
    at integer not null,
    primary key (room, user, seq, emoji)
  ) without rowid;

  create table thread_follows (
    room text not null,
    seq integer not null,
    user text not null,
    is_following integer not null,
    at integer not null,
    primary key (room, seq, user)
  ) without rowid;

  create index reactions_by_message on reactions (room, seq, emoji, at);
  create index entries_by_target on entries (room, target, type, seq) where target is not null;

  create index thread_follows_by_time on thread_follows (room, seq, at desc, user) where is_following = 1;
  create index unread_notices on notices (user, seq) where is_read = 0;
  create index public_rooms on rooms (id) where visibility = 'public';
  create index deleted_rooms on rooms (id) where visibility = 'deleted';
  create index members_by_user on members (user, room);
`

/** What makes of a file of each version one of the next: the first of version 1, and so on. */
const MIGRATIONS = [
  // Version 2 counts what is unread, lists rooms and keeps invitations.
  `
  alter table rooms add column about text not null default '{}';
  alter table rooms add column member_count integer not null default 0;
  alter table members add column joined_ordinal integer not null default 0;
  alter table receipts add column read_ordinal integer not null default 0;
  update rooms set member_count = (select count(*) from members where members.room = rooms.id);
  update members set joined_ordinal =
    coalesce((select ordinal from entries where entries.room = members.room and seq = joined_seq), 0);
  update receipts set read_ordinal =
    coalesce((select ordinal from entries where entries.room = receipts.room and seq = read_seq), 0);
  create table invitations (
    room text not null,
    user text not null,
    role text not null,
    invited_at integer not null,
    primary key (room, user)
  ) without rowid;
  create index public_rooms on rooms (id) where visibility = 'public';
  create index members_by_user on members (user, room);
  `,
  // Version 3 keeps what came of messages. Before it nothing did: an answer named its message by no position.
  `
  alter table entries add column target integer;
  create table standings (
    room text not null,
    seq integer not null,
    standing text not null,
    primary key (room, seq)
  ) without rowid;

  create table reactions (
    room text not null,
    seq integer not null,
    user text not null,
    emoji text not null,
    at integer not null,
    primary key (room, user, seq, emoji)
  ) without rowid;

  create index reactions_by_message on reactions (room, seq, emoji, at);
  create index entries_by_target on entries (room, target, type, seq) where target is not null;
  `,
  // Version 4 bans, mutes and deletes.
  `
  alter table rooms add column open_from integer not null default 1;
  create table sanctions (
    room text not null,
    user text not null,
    is_banned integer not null,
    muted_until integer not null,
    primary key (room, user)
  ) without rowid;
  create index deleted_rooms on rooms (id) where visibility = 'deleted';
  `,
  // Version 5 keeps how far a room was delivered.
  `
  create table deliveries (
    room text not null,
    user text not null,
    seq integer not null,
    at integer not null,
    primary key (room, user)
  ) without rowid;
  `,
  // Version 6 finds the newest message of a room.
  `
  alter table rooms add column last_message integer not null default 0;
  update rooms set last_message = coalesce(
    (select seq from entries where entries.room = rooms.id and type = 'new_message' order by seq desc limit 1), 0);
  `,
  // Version 7 keeps who follows which thread.
  `
  create table thread_follows (
    room text not null,
    seq integer not null,
    user text not null,
    is_following integer not null,
    at integer not null,
    primary key (room, seq, user)
  ) without rowid;
  create index thread_follows_by_time on thread_follows (room, seq, at desc, user) where is_following = 1;
  `,
  // Version 8 keeps notifications. Nobody had a list of them before: what was told by then counts as read.
  `
  create table notices (
    user text not null,
    seq integer not null,
    is_read integer not null,
    primary key (user, seq)
  ) without rowid;
  create table notice_settings (
    room text not null,
    user text not null,
    level text not null,
    silenced_until integer not null,
    primary key (room, user)
  ) without rowid;
  create index unread_notices on notices (user, seq) where is_read = 0;
  insert into notices select substr(rooms.id, 2), entries.seq, 1 from rooms
    join entries on entries.room = rooms.id
    where rooms.visibility = 'own' and entries.sender <> substr(rooms.id, 2);
  `,
  // Version 9 keeps when users were last there.
  `
  create table last_seen (
    user text primary key,
    at integer not null
  ) without rowid;
  `,
  // Version 10 knows who has written in a direct room, and since when: before, both were in it from its first entry.
  // What retention has taken is not known any more. Each room's entries are read in their order, until the user's own.
  `
  update members set joined_seq = coalesce(
    (select seq from entries where entries.room = members.room and sender = members.user order by seq limit 1), 0)
    where room > '~' and instr(substr(room, 2), '~') > 0 and joined_seq = 1;
  `,
]

/** The open database, or an Error for people. `makeEpoch` names the logs of a new file. */
export function openFile(file: string, makeEpoch: () => string): Database.Database {
  if (file === '' || file === ':memory:') {
    throw new Error(
      `Cannot open the database "${file}": the store of SQLite is a file. Name one, or use memory() where nothing shall be kept.`,
    )
  }
  const path = resolve(file)
  if (!existsSync(dirname(path))) {
    throw new Error(`Cannot open the database ${path}: its folder does not exist. Create the folder first.`)
  }
  let db: Database.Database | undefined
  try {
    db = new Database(path, { timeout: BUSY_TIMEOUT_MS })
    db.pragma('locking_mode = exclusive')
    const mode = db.pragma('journal_mode = wal', { simple: true })
    if (mode !== 'wal') throw new Error(`it cannot have a write-ahead log (journal mode ${String(mode)})`)
    db.pragma('synchronous = full')
    prepareSchema(db, makeEpoch)
    return db
  } catch (cause) {
    db?.close()
    throw new Error(`Cannot open the database ${path}: ${explain(cause)}`, { cause })
  }
}

function prepareSchema(db: Database.Database, makeEpoch: () => string): void {
  const applicationId = db.pragma('application_id', { simple: true })
  const version = db.pragma('user_version', { simple: true })
  const isEmpty = db.prepare('select 1 from sqlite_schema').get() === undefined
  if (isEmpty && applicationId === 0) {
    createSchema(db, makeEpoch)
  } else if (applicationId !== APPLICATION_ID) {
    throw new Error('it belongs to another application. Choose another file.')
  } else if (typeof version !== 'number' || version < 1 || version > SCHEMA_VERSION) {
    throw new Error(
      `its schema has version ${String(version)}, this server knows ${SCHEMA_VERSION}. Use the server that made it.`,
    )
  } else if (version < SCHEMA_VERSION) {
    migrate(db, version)
  }
}

/** All steps or none: a server that is killed meanwhile finds the file as it was. */
function migrate(db: Database.Database, version: number): void {
  db.transaction(() => {
    for (const step of MIGRATIONS.slice(version - 1)) db.exec(step)
    db.pragma(`user_version = ${SCHEMA_VERSION}`)
  }).immediate()
}

function createSchema(db: Database.Database, makeEpoch: () => string): void {
  db.transaction(() => {
    db.exec(SCHEMA)
    db.prepare(`insert into meta values ('epoch', ?)`).run(makeEpoch())
    db.pragma(`application_id = ${APPLICATION_ID}`)
    db.pragma(`user_version = ${SCHEMA_VERSION}`)
  }).immediate()
}

/** What SQLite's result code asks of the operator. */
function explain(cause: unknown): string {
  const code = sqliteCodeOf(cause)
  if (code.startsWith('SQLITE_BUSY')) {
    return 'another process has it open. One server alone may use a file: stop the other, or give this one another file.'
  }
  if (code.startsWith('SQLITE_NOTADB'))
    return 'it is not a database. Choose another file, or move this one away.'
  if (code.startsWith('SQLITE_CORRUPT')) return 'it is damaged. Restore it from a backup, or move it away.'
  if (code.startsWith('SQLITE_CANTOPEN')) {
    return 'it cannot be opened or created. Check that it is a file, and that this user may write it and its folder.'
  }
  if (code.startsWith('SQLITE_READONLY')) {
    return 'it may not be written. Check that this user may write the file and its folder.'
  }
  if (code.startsWith('SQLITE_FULL')) return 'the disk is full. Make room on it.'
  return cause instanceof Error ? cause.message : String(cause)
}

/** SQLite's result code with its extension, like SQLITE_IOERR_FSYNC; empty where the error is not SQLite's. */
export function sqliteCodeOf(error: unknown): string {
  return error instanceof Database.SqliteError ? error.code : ''
}
