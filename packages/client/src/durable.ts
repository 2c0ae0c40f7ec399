/**
 * An outbox that survives a reload or a crash: a store, and what the client does with one. It comes with the store, so
 * that a client without one does not carry it.
 */
import { TautlineError } from '@tautline/protocol/wire'
import { keepInStore } from './core/durable-keeper.ts'
import type { KeeperFactory } from './core/keeper.ts'
import type { OutboxScope, OutboxStorage } from './outbox-store.ts'
import type { Scheduler } from './scheduler.ts'
import { createStoreRunner, type Step, type StoreRunner } from './store-runner.ts'

/** What the option `outbox.store` takes: `indexedDb()`, `file(path)`, `memoryStore()`, or `durable()` of your own store. */
export interface DurableOutbox extends OutboxStorage {
  readonly keeper: KeeperFactory
  /** `damaged`: told how many rows of the store cannot be read. */
  start(of: Owner, step: Step, scheduler: Scheduler, damaged: (rows: number) => void): StoreRunner
}

/** Whose outbox: of the client's options. */
interface Owner {
  readonly url?: string | undefined
  readonly userId?: string | undefined
}

export function durable(storage: OutboxStorage): DurableOutbox {
  return {
    open: (scope, events) => storage.open(scope, events),
    keeper: keepInStore,
    start: (of, step, scheduler, damaged) =>
      createStoreRunner(storage, scopeOf(of), step, scheduler, damaged),
  }
}

function scopeOf({ url, userId = '' }: Owner): OutboxScope {
  if (url === undefined)
    throw new TautlineError('VALIDATION_ERROR', 'outbox.store needs the url: it names the server')
  // What follows may be a ticket, another one each time.
  const [server = ''] = url.split(/[?#]/)
  return { server, userId }
}
