/** The rows of one outbox, and what each call of a store does to them. Where they are kept is the store's affair. */
import type { Code } from '@tautline/protocol/wire'
import type { LaneRow, StoredRow } from '../core/outbox-row.ts'

export interface OutboxTable {
  list(): readonly StoredRow[]
  /** The `order` of the next row. */
  next(): number
  add(rows: readonly LaneRow[]): readonly number[]
  skip(messageIds: readonly string[], code: Code): void
  fail(
    messageId: string,
    code: Code,
    detail: string | undefined,
    applicationCode?: string,
  ): StoredRow | undefined
  renumber(room: string, lost: string, sid: string): readonly StoredRow[]
  remove(messageIds: readonly string[]): void
  clear(): void
}

/** `rows` in their order; `next` lies above all that were ever given. */
export function createOutboxTable(rows: readonly StoredRow[] = [], next = 1): OutboxTable {
  // A Map keeps the order in which its keys came, also where their values change.
  const table = new Map(rows.map((row) => [row.messageId, row]))

  function change(messageId: string, of: (row: StoredRow) => Partial<StoredRow>): void {
    const row = table.get(messageId)
    if (row && !row.failed) table.set(messageId, { ...row, ...of(row) })
  }

  function undecided(room: string): StoredRow[] {
    return Array.from(table.values()).filter((row) => row.room === room && !row.failed)
  }

  return {
    list: () => Array.from(table.values()),
    next: () => next,
    add(added) {
      const first = next
      for (const row of added) table.set(row.messageId, { ...row, order: next++ })
      return added.map((_, i) => first + i)
    },
    skip(messageIds, code) {
      for (const messageId of messageIds) change(messageId, ({ skipFor = code }) => ({ skipFor }))
    },
    fail(messageId, code, detail, applicationCode) {
      change(messageId, () => ({ failed: { code, detail, applicationCode } }))
      return table.get(messageId)
    },
    renumber(room, lost, sid) {
      const found = undecided(room)
      if (found[0]?.sid !== lost) return found
      for (const [i, { messageId }] of found.entries()) change(messageId, () => ({ sid, n: i + 1 }))
      return undecided(room)
    },
    remove(messageIds) {
      for (const messageId of messageIds) table.delete(messageId)
    },
    clear: () => table.clear(),
  }
}
