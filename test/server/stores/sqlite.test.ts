import { expect, it } from 'vitest'
import type { SqliteHandle } from '../../../packages/server/src/stores/sqlite.ts'
import { describeStoreContract } from '../../contracts/store.ts'
import { startSqlite } from './sqlite-harness.ts'

// Synced as it is by default: this suite is also what a slow disk would show.
describeStoreContract('sqlite', async () => startSqlite())

it('keeps nothing in memory of strangers whom somebody asks about', async () => {
  let db: SqliteHandle | undefined
  const harness = startSqlite({ configure: (handle) => (db = handle) })
  const store = await harness.open()
  const isKnown = async () => (await store.readAcquaintances('alice', ['bob']))[0]?.sharesRoom
  expect(await isKnown()).toBe(false)
  // What nobody else may do to an open database: only what is not kept in memory finds it.
  db?.exec(
    `insert into members (room, user, role, from_seq, joined_seq, joined_ordinal, joined_at)
     values ('~alice~bob', 'bob', 'member', 1, 1, 0, 0)`,
  )
  expect(await isKnown()).toBe(true)
  await store.close()
  await harness.dispose()
})
