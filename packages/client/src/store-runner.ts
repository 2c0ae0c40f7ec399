/**
 * Carries the core's calls to the store of the outbox, in their order, and the results back, in the same order. What goes
 * wrong is told as one thing, that the store is lost; nothing is decided here.
 */
import type { KeeperInput, StoreCall, StoreResult } from './core/keeper.ts'
import type { StoredRow } from './core/outbox-row.ts'
import type { OutboxScope, OutboxStorage, OutboxStore } from './outbox-store.ts'
import type { Scheduler } from './scheduler.ts'
import { isStoredRow } from './stored-row.ts'

/** Hands an input to the core. */
export type Step = (input: KeeperInput) => void

export interface StoreRunner {
  run(id: number, call: StoreCall): void
  /** Resolves when the store is let go of; after a while, also where it does not answer any more. */
  readonly closed: Promise<void>
}

/** A store that does not close in this time, or has not opened in it, is not waited for. */
const CLOSE_TIMEOUT_MS = 5_000

export function createStoreRunner(
  storage: OutboxStorage,
  scope: OutboxScope,
  step: Step,
  scheduler: Scheduler,
  damaged: (rows: number) => void,
): StoreRunner {
  let opening: Promise<OutboxStore> | undefined
  let openBy = 0
  /** Rows that cannot be read, as far as it was told. */
  let toldDamage = 0
  let store: OutboxStore | undefined
  let tail = Promise.resolve()
  let resolveClosed = () => {}
  const closed = new Promise<void>((resolve) => {
    resolveClosed = resolve
  })

  function lose(error: unknown): void {
    step({ type: 'store_lost', detail: error instanceof Error ? error.message : String(error) })
  }

  /** What can be read of them; how much cannot is told when it becomes more. */
  function readable(rows: readonly StoredRow[] = []): readonly StoredRow[] {
    const good = rows.filter(isStoredRow)
    const lost = rows.length - good.length
    if (lost > toldDamage) damaged(lost)
    toldDamage = Math.max(toldDamage, lost)
    return good
  }

  async function open(): Promise<StoreResult> {
    openBy = scheduler.now() + CLOSE_TIMEOUT_MS
    opening = storage.open(scope, {
      held: (isHeld) => step({ type: 'held', isHeld }),
      told: (notice) => step({ type: 'told', notice }),
      lost: () => lose('the store is gone'),
    })
    store = await opening
    return {}
  }

  /** Also one that opens only after it was given up. */
  async function close(): Promise<void> {
    const waitMs = opening && !store ? openBy - scheduler.now() : CLOSE_TIMEOUT_MS
    const stopTimer = scheduler.after(Math.max(0, waitMs), resolveClosed)
    const before = tail
    try {
      await (await opening)?.close()
    } catch {
      // Whoever gives a store up loses nothing by its failing once more: what it holds is read at the next load.
    }
    // What was asked for is answered first.
    await before
    stopTimer()
    resolveClosed()
  }

  async function answer(call: StoreCall): Promise<StoreResult | undefined> {
    switch (call.do) {
      case 'open':
        return open()
      case 'list':
        return { rows: readable(await store?.list()) }
      case 'add':
        return { orders: await store?.add(call.rows) }
      case 'skip':
        await store?.skip(call.messageIds, call.code)
        return {}
      case 'fail': {
        const row = await store?.fail(call.messageId, call.code, call.detail, call.applicationCode)
        return { rows: row && readable([row]) }
      }
      case 'renumber':
        return { rows: readable(await store?.renumber(call.room, call.lost, call.sid)) }
      case 'remove':
        await store?.remove(call.messageIds)
        return {}
      case 'clear':
        await store?.clear()
        return {}
      case 'tell':
        store?.tell(call.notice)
        return undefined
      case 'steal':
        store?.steal()
        return undefined
      case 'close':
        void close()
        return undefined
      default:
        return call satisfies never
    }
  }

  return {
    run(id, call) {
      // Called now, awaited in its turn.
      const result = answer(call)
      const before = tail
      tail = (async () => {
        try {
          const [value] = await Promise.all([result, before])
          if (value) step({ type: 'stored', id, result: value })
        } catch (error) {
          lose(error)
        }
      })()
    },
    closed,
  }
}
