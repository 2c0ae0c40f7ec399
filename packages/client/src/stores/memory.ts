/**
 * A store of the outbox in the memory of the process: several clients may share it, as tabs share theirs. It outlives a
 * client, not the process: for tests, and for a host that makes and closes clients.
 */
import { type DurableOutbox, durable } from '../durable.ts'
import type { OutboxStoreEvents } from '../outbox-store.ts'
import { createOutboxTable } from './outbox-table.ts'

/** What the clients of one server and user share. */
interface Shelf {
  readonly table: ReturnType<typeof createOutboxTable>
  /** In the order of opening; the first holds it. */
  openers: readonly OutboxStoreEvents[]
}

export function memoryStore(): DurableOutbox {
  const shelves = new Map<string, Shelf>()

  /** The first of these holds the shelf from now on, and who did before no longer. */
  function arrange(shelf: Shelf, openers: readonly OutboxStoreEvents[]): void {
    const [before] = shelf.openers
    shelf.openers = openers
    const [after] = openers
    if (after === before) return
    if (before && openers.includes(before)) tell(shelf, before, () => before.held(false))
    if (after) tell(shelf, after, () => after.held(true))
  }

  /** In a later turn, to who is still there. */
  function tell(shelf: Shelf, to: OutboxStoreEvents, task: () => void): void {
    queueMicrotask(() => {
      if (shelf.openers.includes(to)) task()
    })
  }

  return durable({
    async open({ server, userId }, events) {
      const key = JSON.stringify([server, userId])
      const shelf = shelves.get(key) ?? { table: createOutboxTable(), openers: [] }
      shelves.set(key, shelf)
      const { table } = shelf
      arrange(shelf, [...shelf.openers, events])
      return {
        list: async () => table.list(),
        add: async (rows) => table.add(rows),
        skip: async (messageIds, code) => table.skip(messageIds, code),
        fail: async (messageId, code, detail, applicationCode) =>
          table.fail(messageId, code, detail, applicationCode),
        renumber: async (room, lost, sid) => table.renumber(room, lost, sid),
        remove: async (messageIds) => table.remove(messageIds),
        clear: async () => table.clear(),
        tell(notice) {
          for (const other of shelf.openers)
            if (other !== events) tell(shelf, other, () => other.told(notice))
        },
        steal() {
          if (!shelf.openers.includes(events)) return
          arrange(shelf, [events, ...shelf.openers.filter((other) => other !== events)])
        },
        close: async () =>
          arrange(
            shelf,
            shelf.openers.filter((other) => other !== events),
          ),
      }
    },
  })
}
