/**
 * What an outbox does to its rows in IndexedDB, each function within one transaction: two tabs that change the same row
 * come one after the other, so what is read here is still so when it is written.
 */
import type { Code } from '@tautline/protocol/wire'
import type { LaneRow, StoredRow } from '../core/outbox-row.ts'
import { isStoredRow } from '../stored-row.ts'
import { resultOf } from './database.ts'

export function listRows(rows: IDBObjectStore): Promise<StoredRow[]> {
  return resultOf(rows.getAll() as IDBRequest<StoredRow[]>)
}

/** The database gives the orders: rising, and never one for a second time. */
export async function addRows(rows: IDBObjectStore, added: readonly LaneRow[]): Promise<number[]> {
  const requests = added.map((row) => rows.add(row) as IDBRequest<number>)
  // Needs nothing more of this page, which may end or freeze before it hears of it.
  rows.transaction.commit()
  return Promise.all(requests.map(resultOf))
}

export async function skipRows(
  rows: IDBObjectStore,
  messageIds: readonly string[],
  code: Code,
): Promise<void> {
  await Promise.all(
    messageIds.map(async (messageId) => {
      const row = await rowOf(rows, messageId)
      if (row && !row.failed && !row.skipFor) await put(rows, { ...row, skipFor: code })
    }),
  )
}

export async function failRow(
  rows: IDBObjectStore,
  messageId: string,
  code: Code,
  detail?: string,
  applicationCode?: string,
): Promise<StoredRow | undefined> {
  const row = await rowOf(rows, messageId)
  if (!row || row.failed) return row
  const failed = { ...row, failed: { code, detail, applicationCode } }
  await put(rows, failed)
  return failed
}

export async function renumberRows(
  rows: IDBObjectStore,
  room: string,
  lost: string,
  sid: string,
): Promise<StoredRow[]> {
  // Of one key of an index the rows come in the order of their primary keys.
  const all = await resultOf(rows.index('room').getAll(room) as IDBRequest<StoredRow[]>)
  // What is no row has no place in a lane, and must not keep the others from theirs.
  const undecided = all.filter((row) => isStoredRow(row) && !row.failed)
  if (undecided[0]?.sid !== lost) return undecided
  const renumbered = undecided.map((row, i) => ({ ...row, sid, n: i + 1 }))
  await Promise.all(renumbered.map((row) => put(rows, row)))
  return renumbered
}

export async function removeRows(rows: IDBObjectStore, messageIds: readonly string[]): Promise<void> {
  await Promise.all(
    messageIds.map(async (messageId) => {
      const order = await resultOf(rows.index('messageId').getKey(messageId))
      if (order !== undefined) await resultOf(rows.delete(order))
    }),
  )
}

function rowOf(rows: IDBObjectStore, messageId: string): Promise<StoredRow | undefined> {
  return resultOf(rows.index('messageId').get(messageId) as IDBRequest<StoredRow | undefined>)
}

async function put(rows: IDBObjectStore, row: StoredRow): Promise<void> {
  await resultOf(rows.put(row))
}
