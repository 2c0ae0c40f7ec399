/**
 * Where the rows of the outbox are kept: what the outbox asks of it, and the keeping in memory, where nothing has to be
 * done. Keeping them in a store is durable-keeper.ts, which comes with the stores, so that nobody else carries it.
 */

import type { Code } from '@tautline/protocol/wire'
import { NEVER } from './alarms.ts'
import type { Context } from './context.ts'
import type { Queue, Queues, Row } from './outbox-queues.ts'
import type { LaneRow, OutboxNotice, SendOutcome, StoredRow } from './outbox-row.ts'

/**
 * - `memory`: there is no store, or who we are is not known: queued messages live as long as the page or process
 * - `opening`: there is a store, and it is not open and read yet: `queued` may know less than it holds
 * - `durable`: queued messages survive a reload and a crash
 * - `lost`: there was a store and it cannot be relied upon (any more); we went on in memory
 */
export type StorageStatus = 'memory' | 'opening' | 'durable' | 'lost'

/** What is asked of a store. All but the last three are answered by the input `stored`, or `store_lost`. */
export type StoreCall =
  | { readonly do: 'open' }
  | { readonly do: 'list' }
  | { readonly do: 'add'; readonly rows: readonly LaneRow[] }
  | { readonly do: 'skip'; readonly messageIds: readonly string[]; readonly code: Code }
  | {
      readonly do: 'fail'
      readonly messageId: string
      readonly code: Code
      readonly detail: string | undefined
      readonly applicationCode: string | undefined
    }
  | { readonly do: 'renumber'; readonly room: string; readonly lost: string; readonly sid: string }
  | { readonly do: 'remove'; readonly messageIds: readonly string[] }
  | { readonly do: 'clear' }
  | { readonly do: 'tell'; readonly notice: OutboxNotice }
  | { readonly do: 'steal' }
  | { readonly do: 'close' }

export interface StoreResult {
  /** Of `add`. */
  readonly orders?: readonly number[] | undefined
  /** Of `list` and `renumber`; of `fail` the one that failed, where it is there. */
  readonly rows?: readonly StoredRow[] | undefined
}

/** Inputs of the core that concern what is kept. */
export type KeeperInput =
  | { readonly type: 'connect' }
  /** Give everything up: the user signs out. */
  | { readonly type: 'logout' }
  /** `isEmptied`: nothing is kept. */
  | { readonly type: 'close'; readonly isEmptied?: boolean }
  /** Forget a failed message. */
  | { readonly type: 'discard'; readonly messageId: string }
  /** The store answered a call: the answers come in the order of the calls. */
  | { readonly type: 'stored'; readonly id: number; readonly result: StoreResult }
  /** A call of the store failed, or the store is gone. */
  | { readonly type: 'store_lost'; readonly detail: string }
  | { readonly type: 'held'; readonly isHeld: boolean }
  | { readonly type: 'told'; readonly notice: OutboxNotice }

export interface Keeper {
  status(): StorageStatus
  /** Whether it is us who send the rows of this queue, now. */
  isOurs(queue: Queue): boolean
  /** A new row: it is queued once it is kept. `replaces`: the failed one that it is said instead of. */
  save(row: Row, replaces: string | undefined): void
  /** These rows, which are in queues, are to be given up. */
  skip(rows: readonly Row[], code: Code): void
  /** Gives up a row that is not in a queue yet. */
  cancel(messageId: string): void
  /** The row, which is in no queue any more, has its outcome: to be reported. */
  settle(row: Row, outcome: SendOutcome): void
  /** The server does not know the lane of the room's oldest row any more: a new one for all of them. */
  renumber(queue: Queue): void
  take(input: KeeperInput): void
  tick(): void
  /** Ends a step: asks for what it left to be written and told. */
  flush(): void
  deadline(): number
}

/** `mustJoin`: an undecided row was found that was said before a join of its room had an answer. */
export type KeeperFactory = (context: Context, queues: Queues, mustJoin: (room: string) => void) => Keeper

export const keepInMemory: KeeperFactory = (context, queues) => {
  const nothing = (): void => {}
  return {
    status: () => 'memory',
    isOurs: () => true,
    save(row) {
      queues.weigh(row, 1)
      queues.enqueue(row)
    },
    skip: nothing,
    cancel: nothing,
    settle({ room, messageId }, outcome) {
      context.emit({ type: 'settled', room, messageId, outcome })
    },
    renumber: queues.renumber,
    take(input) {
      if (input.type === 'close' && input.isEmptied) queues.cancelUnsent()
    },
    tick: nothing,
    flush: nothing,
    deadline: () => NEVER,
  }
}
