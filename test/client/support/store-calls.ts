/** A store of the outbox that is a table in memory: what it answers to each call of the core. */
import type { StoreCall, StoreResult } from '../../../packages/client/src/core/keeper.ts'
import type { OutboxTable } from '../../../packages/client/src/stores/outbox-table.ts'

/** Undefined: a call without an answer. */
export function answerOf(table: OutboxTable, call: StoreCall): StoreResult | undefined {
  switch (call.do) {
    case 'open':
      return {}
    case 'list':
      return { rows: table.list() }
    case 'add':
      return { orders: table.add(call.rows) }
    case 'skip':
      table.skip(call.messageIds, call.code)
      return {}
    case 'fail': {
      const row = table.fail(call.messageId, call.code, call.detail, call.applicationCode)
      return { rows: row && [row] }
    }
    case 'renumber':
      return { rows: table.renumber(call.room, call.lost, call.sid) }
    case 'remove':
      table.remove(call.messageIds)
      return {}
    case 'clear':
      table.clear()
      return {}
    case 'tell':
    case 'steal':
    case 'close':
      return undefined
    default:
      return call satisfies never
  }
}
