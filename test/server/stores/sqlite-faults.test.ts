import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import type { Store } from '../../../packages/server/src/core/store.ts'
import { type SqliteHandle, type SqliteOptions, sqlite } from '../../../packages/server/src/stores/sqlite.ts'
import {
  accept,
  ack,
  ackAgain,
  commit,
  commitAll,
  destroy,
  failed,
  invite,
  join,
  markRead,
  membersOf,
  NOW,
  notify,
  readLog,
  readPage,
  SID,
  send,
} from '../../contracts/store/harness.ts'
import { type SqliteHarness, startSqlite } from './sqlite-harness.ts'

const disposals: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const dispose of disposals.splice(0).reverse()) await dispose()
})

/** A file as the first version of the schema made it: two members, two messages, one read position. */
const VERSION_1 = `
  create table meta (key text primary key, value text not null) without rowid;
  create table rooms (id text primary key, last_seq integer not null, last_h text not null,
    last_ordinal integer not null, oldest integer not null, base_h text not null, visibility text not null)
    without rowid;
  create table entries (room text not null, seq integer not null, sender text not null, message_id text not null,
    type text not null, payload text not null, digest text not null, ordinal integer not null,
    timestamp integer not null, h text not null, primary key (room, seq), unique (message_id, sender));
  create table lanes (user text not null, sid text not null, room text not null, last_n integer not null,
    used_at integer not null, primary key (user, sid, room)) without rowid;
  create table members (room text not null, user text not null, role text not null, from_seq integer not null,
    joined_seq integer not null, joined_at integer not null, primary key (room, user)) without rowid;
  create table receipts (room text not null, user text not null, read_seq integer not null,
    read_at integer not null, primary key (room, user)) without rowid;
  insert into meta values ('epoch', 'epoch-of-v1');
  insert into rooms values ('room', 4, 'h4', 2, 1, '', 'public');
  insert into entries values
    ('room', 1, 'alice', 'join-alice', 'member_joined', '{"userId":"alice","role":"owner"}', '', 0, 10, 'h1'),
    ('room', 2, 'alice', 'message-1', 'new_message', '{"content":"one"}', 'd1', 1, 20, 'h2'),
    ('room', 3, 'bob', 'join-bob-1', 'member_joined', '{"userId":"bob","role":"member"}', '', 1, 30, 'h3'),
    ('room', 4, 'alice', 'message-2', 'new_message', '{"content":"two"}', 'd2', 2, 40, 'h4');
  insert into lanes values ('alice', '${SID}', 'room', 2, 40);
  insert into members values ('room', 'alice', 'owner', 1, 1, 10), ('room', 'bob', 'member', 1, 3, 30);
  insert into receipts values ('room', 'alice', 2, 25);
  pragma application_id = 0x54415554;
  pragma user_version = 1`

function start(options?: SqliteOptions): SqliteHarness {
  const harness = startSqlite(options)
  disposals.push(harness.dispose)
  return harness
}

async function open(harness: Pick<SqliteHarness, 'open'>): Promise<Store> {
  const store = await harness.open()
  disposals.push(() => store.close())
  return store
}

/** A store and the handle that it uses. */
async function openWithHandle(options: SqliteOptions = {}) {
  let handle: SqliteHandle | undefined
  const harness = start({ ...options, configure: (db) => (handle = db) })
  const store = await open(harness)
  if (handle === undefined) throw new Error('configure was not called')
  return { harness, store, db: handle }
}

describe('sqlite() opens a file', () => {
  it('durably: a write-ahead log, synced at every commit', async () => {
    const { db } = await openWithHandle()
    expect(db.pragma('journal_mode', { simple: true })).toBe('wal')
    expect(db.pragma('synchronous', { simple: true })).toBe(2)
    expect(db.pragma('locking_mode', { simple: true })).toBe('exclusive')
  })

  it('once: a second server in the same process is refused until the first has closed', async () => {
    const harness = start()
    const store = await open(harness)
    await expect(harness.open()).rejects.toThrow(
      `${harness.file}: another process has it open. One server alone`,
    )
    expect(await commit(store, join(), send(1))).toEqual([{ outcome: 'joined', role: 'owner' }, ack(2)])
    await store.close()
    expect(await readLog(await open(harness))).toHaveLength(2)
  })

  it('once: another process neither writes nor reads it', async () => {
    const harness = start()
    await open(harness)
    const script = `
      const Database = require('better-sqlite3')
      try {
        console.log(new Database(process.argv[1], { timeout: 0 }).prepare('select count(*) from entries').get())
      } catch (error) {
        console.log(error.code)
      }`
    const inRepository = {
      cwd: fileURLToPath(new URL('../../..', import.meta.url)),
      encoding: 'utf8',
    } as const
    expect(execFileSync(process.execPath, ['-e', script, harness.file], inRepository).trim()).toBe(
      'SQLITE_BUSY',
    )
  })

  it('again after the process that had it was killed, with all that it had acknowledged', async () => {
    const harness = start()
    const child = spawn(
      process.execPath,
      ['--conditions=source', fileURLToPath(new URL('./sqlite-victim.ts', import.meta.url)), harness.file],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    await once(child.stdout, 'data')
    child.kill('SIGKILL')
    await once(child, 'exit')
    const store = await open(harness)
    expect(await readLog(store)).toEqual(['1 join-room-alice', '2 message-1'])
    expect(await commit(store, send(1), send(2))).toEqual([ackAgain(2), ack(3)])
  })

  it('of its own making only', async () => {
    const harness = start()
    harness.exec('create table notes (text)')
    await expect(harness.open()).rejects.toThrow(
      `${harness.file}: it belongs to another application. Choose another`,
    )
  })

  it('of its own version only, and lets go of another', async () => {
    const harness = start()
    await (await harness.open()).close()
    for (const version of [0, 11]) {
      harness.exec(`pragma user_version = ${version}`)
      await expect(harness.open()).rejects.toThrow(`its schema has version ${version}, this server knows 10.`)
    }
    harness.exec('pragma user_version = 10')
    await open(harness)
  })

  it('of version 1, which it brings to its own, with what is in it', async () => {
    const harness = start()
    harness.exec(VERSION_1)
    const store = await open(harness)
    expect(store.epoch).toBe('epoch-of-v1')
    expect(await readLog(store)).toEqual(['1 join-alice', '2 message-1', '3 join-bob-1', '4 message-2'])
    const list = async (user: string) =>
      (await store.readRooms({ user, which: 'own', after: undefined, limit: 9 })).rooms
    const room = { room: 'room', visibility: 'public', about: '{}', memberCount: 2, head: 4 } as const
    // Alice has read up to her first message; Bob came after it, and has read nothing.
    const last = {
      seq: 4,
      sender: 'alice',
      messageId: 'message-2',
      timestamp: 40,
      kind: 'text',
      content: 'two',
    }
    expect(await list('alice')).toEqual([{ ...room, member: { role: 'owner', read: 2, unread: 1, last } }])
    expect(await list('bob')).toEqual([{ ...room, member: { role: 'member', read: 0, unread: 1, last } }])
    expect(await commit(store, send(2), send(3), invite('carol', 'bob'), accept('carol'))).toEqual([
      ackAgain(4, 40),
      ack(5),
      { outcome: 'invited' },
      { outcome: 'joined', role: 'member' },
    ])
    await store.close()
    expect((await membersOf(await open(harness), 'room', 'carol'))?.length).toBe(3)
  })

  it('of version 7, whose notifications of old count as read', async () => {
    const harness = start()
    const old = await harness.open()
    await commit(old, join(), invite('bob'), accept('bob'))
    await old.close()
    harness.exec(
      'drop table notices; drop table notice_settings; drop table last_seen; pragma user_version = 7',
    )
    const store = await open(harness)
    await commit(store, invite('bob', 'alice', 'other'), notify(1, 'bob'))
    const { notices, unread } = await store.readNotices({ user: 'bob', before: undefined, limit: 9 })
    expect(notices.map(({ entry, isRead }) => [entry.type, isRead])).toEqual([
      ['invitation', true],
      ['notice', false],
    ])
    expect(unread).toBe(1)
  })

  it('of version 9, in which who was written to in a direct room had written there', async () => {
    const harness = start()
    const old = await harness.open()
    await commit(
      old,
      join('bob'),
      send(1, { user: 'mallory', room: '~bob~mallory' }),
      send(1, { user: 'carol', room: '~bob~carol' }),
      send(2, { user: 'carol', room: '~bob~carol' }),
      send(1, { user: 'bob', room: '~bob~carol' }),
      send(2, { user: 'bob', room: '~bob~carol' }),
      send(1, { user: 'system', room: '~bob~dave' }),
    )
    await old.close()
    harness.exec(`update members set joined_seq = 1 where room > '~'; pragma user_version = 9`)
    const store = await open(harness)
    const others = ['bob', 'carol', 'dave', 'mallory']
    const knows = async (user: string) =>
      (await store.readAcquaintances(user, others)).flatMap((is) => (is.sharesRoom ? is.userId : []))
    expect(await knows('mallory')).toEqual(['mallory'])
    expect(await knows('bob')).toEqual(['bob', 'carol', 'mallory'])
    expect(await knows('carol')).toEqual(['bob', 'carol'])
    expect(await knows('dave')).toEqual(['dave'])
    // Who answers only now is in it only now.
    const { appended } = await commitAll(store, [
      send(1, { user: 'bob', room: '~bob~mallory', messageId: 'message-late' }),
    ])
    expect(appended.map(({ spokeFirst }) => spokeFirst)).toEqual([['bob']])
    expect(await knows('mallory')).toEqual(['bob', 'mallory'])
  })

  it('of version 1 whole or not at all', async () => {
    const harness = start()
    harness.exec(VERSION_1)
    // What the last step makes is there already.
    harness.exec('create index members_by_user on members (user)')
    await expect(harness.open()).rejects.toThrow('already exists')
    harness.exec('drop index members_by_user')
    expect(await readLog(await open(harness))).toHaveLength(4)
  })

  it('and says so where it is no database', async () => {
    const harness = start()
    writeFileSync(harness.file, 'Dear diary, '.repeat(1_000))
    await expect(harness.open()).rejects.toThrow(
      `Cannot open the database ${harness.file}: it is not a database.`,
    )
    expect(readFileSync(harness.file, 'utf8')).toMatch(/^Dear diary/)
  })

  it('and says so where it is damaged', async () => {
    const harness = start()
    const store = await harness.open()
    await commit(store, join(), send(1))
    await store.close()
    truncateSync(harness.file, Math.floor(statSync(harness.file).size / 2))
    await expect(harness.open()).rejects.toThrow(`${harness.file}: it is damaged. Restore it from a backup`)
  })

  it('and says so where it is incomplete, and lets it go', async () => {
    const harness = start()
    await (await harness.open()).close()
    harness.exec('delete from meta')
    await expect(harness.open()).rejects.toThrow('it has no epoch')
    harness.exec(`insert into meta values ('epoch', 'epoch-again')`)
    expect((await open(harness)).epoch).toBe('epoch-again')
  })

  it.each(['', ':memory:'])('and says so where the name is %j, which is that of no file', async (name) => {
    await expect(sqlite(name).open()).rejects.toThrow('Name one, or use memory()')
    expect(existsSync(':memory:')).toBe(false)
  })

  it('and says so where there is no such folder, or the name is that of one', async () => {
    const harness = start()
    await expect(sqlite(`${harness.file}/chat.db`).open()).rejects.toThrow(
      'its folder does not exist. Create the folder',
    )
    mkdirSync(harness.file)
    await expect(harness.open()).rejects.toThrow(
      `${harness.file}: it cannot be opened or created. Check that it is a file`,
    )
  })
})

describe('sqlite() commits', () => {
  it('the neighbours of a row that fails alone', async () => {
    const errors: unknown[] = []
    const harness = start({ onRowError: (error) => errors.push(error) })
    await (await harness.open()).close()
    harness.exec(`
      create trigger poison before insert on entries when new.message_id like 'poison%'
      begin select raise(abort, 'poisoned'); end`)
    const store = await open(harness)
    expect(
      await commit(
        store,
        join(),
        join('bob', 'room', { messageId: 'poison-join' }),
        markRead(1, 'bob'),
        send(1, { messageId: 'poison-1' }),
        send(2),
        send(1, { sid: 'second-tab', messageId: 'message-x' }),
      ),
    ).toEqual([
      { outcome: 'joined', role: 'owner' },
      failed('INTERNAL_ERROR'),
      failed('FORBIDDEN'),
      failed('INTERNAL_ERROR'),
      failed('GAP'),
      ack(2),
    ])
    expect(errors.map(String)).toEqual(['SqliteError: poisoned', 'SqliteError: poisoned'])
    expect(await readLog(store)).toEqual(['1 join-room-alice', '2 message-x'])
    // The sender gives up on it, and goes on.
    expect(await commit(store, send(1, { messageId: 'poison-1', entry: undefined }), send(2))).toEqual([
      failed('SKIPPED'),
      ack(3),
    ])
  })

  it.each([
    ['which ends the transaction', ''],
    // Beside a trigger an INSERT has a journal of its own: SQLite undoes it alone, and goes on.
    [
      'which undoes the row',
      'create temp trigger t after insert on entries begin delete from lanes where false; end',
    ],
  ])('nothing of a batch on a full disk (%s), and all of it once there is room', async (_, sql) => {
    const { harness, store, db } = await openWithHandle()
    db.exec(sql)
    await commit(store, join(), send(1))
    const headBefore = await store.readHeads('alice', ['room'])
    db.pragma(`max_page_count = ${String(db.pragma('page_count', { simple: true }))}`)
    const ops = [
      join('bob'),
      send(2, { content: 'x'.repeat(50_000) }),
      send(1, { room: 'nowhere', messageId: 'message-x' }),
      markRead(2),
    ]
    await expect(store.commit(ops, NOW)).rejects.toMatchObject({
      name: 'TautlineError',
      code: 'UNAVAILABLE',
      cause: { code: 'SQLITE_FULL' },
    })
    expect(await store.readHeads('alice', ['room'])).toEqual(headBefore)
    expect(await membersOf(store)).toHaveLength(1)
    expect(await store.readReceipts('alice', 'room')).toMatchObject({ positions: [{ seq: 2 }] })
    // What needs no room is decided meanwhile, from what is on the disk.
    expect(await commit(store, send(1), send(3))).toEqual([ackAgain(2), failed('GAP')])

    db.pragma('max_page_count = 1000000')
    const expected = [
      { outcome: 'joined', role: 'member' },
      ack(4),
      failed('FORBIDDEN'),
      { outcome: 'read', seq: 4, timestamp: NOW, head: 4, unread: 0 },
    ]
    expect(await commit(store, ...ops)).toEqual(expected)
    await store.close()
    expect(await readLog(await open(harness))).toEqual([
      '1 join-room-alice',
      '2 message-1',
      '3 join-room-bob',
      '4 message-2',
    ])
  })

  it('nothing of a batch whose last rows or whose COMMIT fails', async () => {
    const { store, db } = await openWithHandle()
    await commit(store, join(), send(1))
    db.exec(`
      create temp trigger no_lanes before insert on lanes begin select raise(abort, 'no lanes today'); end;
      create temp table refs (room text references refs_to deferrable initially deferred);
      create temp table refs_to (room text primary key)`)
    await expect(store.commit([send(2), join('bob')], NOW)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    db.exec('drop trigger no_lanes')
    expect((await readPage(store)).head).toBe(2)

    // A deferred constraint fails in the COMMIT itself.
    db.pragma('foreign_keys = on')
    db.exec(
      `create temp trigger bad_commit after insert on entries begin insert into refs values ('none'); end`,
    )
    await expect(store.commit([send(2), join('bob')], NOW)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      cause: { code: 'SQLITE_CONSTRAINT_FOREIGNKEY' },
    })
    expect(db.inTransaction).toBe(false)
    expect((await readPage(store)).head).toBe(2)
    expect(await membersOf(store)).toHaveLength(1)
    db.exec('drop trigger bad_commit')
    expect(await commit(store, send(2), join('bob'))).toEqual([ack(3), { outcome: 'joined', role: 'member' }])
  })

  it('the end of a deleted room again after a COMMIT that failed', async () => {
    const { store, db } = await openWithHandle()
    await commit(store, join(), ...Array.from({ length: 1_200 }, (_, i) => send(i + 1)))
    await commit(store, destroy())
    // Some of its entries are left, which is as it should be: they go with the next commit, which fails at its end.
    const isEmpty = () =>
      db.exec(`delete from rest; insert into rest select count(*) from entries where room = 'room'`)
    db.exec('create temp table rest (entries integer check (entries = 0))')
    expect(isEmpty).toThrow('CHECK constraint failed')
    db.pragma('foreign_keys = on')
    db.exec(`
      create temp table refs (room text references refs_to deferrable initially deferred);
      create temp table refs_to (room text primary key);
      create temp trigger bad_commit after delete on entries begin insert into refs values ('none'); end`)
    await expect(store.commit([], NOW)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      cause: { code: 'SQLITE_CONSTRAINT_FOREIGNKEY' },
    })
    expect(isEmpty).toThrow('CHECK constraint failed')
    db.exec('drop trigger bad_commit')
    await commit(store)
    expect(isEmpty).not.toThrow()
  })

  it('nothing where a row ends the whole transaction', async () => {
    const { store, db } = await openWithHandle()
    await commit(store, join())
    db.exec(`
      create temp trigger end_all before insert on entries when new.message_id = 'message-2'
      begin select raise(rollback, 'all over'); end`)
    await expect(store.commit([send(1), send(2), send(3)], NOW)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
    })
    expect(await readLog(store)).toEqual(['1 join-room-alice'])
    db.exec('drop trigger end_all')
    expect(await commit(store, send(1), send(2), send(3))).toEqual([ack(2), ack(3), ack(4)])
  })

  it('nothing where the database takes no rows at all, and then knows what is on the disk', async () => {
    const { store, db } = await openWithHandle()
    await commit(store, join(), send(1))
    db.pragma('query_only = on')
    await expect(store.commit([send(2)], NOW)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      cause: { code: 'SQLITE_READONLY' },
    })
    db.pragma('query_only = off')
    db.exec(`
      update rooms set last_h = 'from-disk';
      update lanes set last_n = 2;
      update members set from_seq = 2`)
    expect((await store.readHeads('alice', ['room'])).get('room')).toEqual({ seq: 2, h: 'from-disk' })
    expect((await readPage(store)).oldest).toBe(2)
    expect(await commit(store, send(2), send(3))).toEqual([failed('VOID'), ack(3)])
  })

  it('again after a transaction that was left open', async () => {
    const { store, db } = await openWithHandle()
    db.exec('begin')
    expect(await commit(store, join(), send(1))).toEqual([{ outcome: 'joined', role: 'owner' }, ack(2)])
  })
})

describe('sqlite() reads', () => {
  it('rejects with FETCH_ERROR where rows are missing that should be there', async () => {
    const { store, db } = await openWithHandle()
    await commit(store, join(), send(1), send(2), send(3))
    db.exec('delete from entries where seq = 3')
    await expect(readPage(store, { after: { seq: 0 } })).rejects.toMatchObject({
      name: 'TautlineError',
      code: 'FETCH_ERROR',
    })
    await expect(readPage(store)).rejects.toMatchObject({ code: 'FETCH_ERROR' })
    await expect(readPage(store, { after: { seq: 3 } })).rejects.toMatchObject({ code: 'FETCH_ERROR' })
    expect((await readPage(store, { after: { seq: 0 }, maxEntries: 2 })).entries).toHaveLength(2)
  })

  it('no more rows than a page of bytes needs', async () => {
    const { store, db } = await openWithHandle()
    await commit(store, join(), ...[1, 2, 3].map((n) => send(n)))
    // A row that would fail if it were read: its payload is no JSON.
    db.exec(`update entries set payload = 'no json' where seq = 4`)
    expect((await readPage(store, { after: { seq: 1 }, maxBytes: 10 })).entries).toHaveLength(1)
    await expect(readPage(store)).rejects.toMatchObject({ code: 'FETCH_ERROR' })
  })
})
