/**
 * An outbox that survives a reload or a crash: a store, and what the client does with one. It comes with the store, so
 * that a client without one does not carry it.
 */
import { keepInStore } from './core/durable-keeper.ts'
import type { KeeperFactory } from './core/keeper.ts'
import type { OutboxScope, OutboxStorage } from './outbox-store.ts'
import { createStoreRunner, type Step, type StoreRunner } from './store-runner.ts'

/** What the option `outbox.store` takes: `indexedDb()`, `file(path)`, `memoryStore()`, or `durable()` of your own store. */
export interface DurableOutbox extends OutboxStorage {
  readonly keeper: KeeperFactory
  start(scope: OutboxScope, step: Step): StoreRunner
}

export function durable(storage: OutboxStorage): DurableOutbox {
  return {
    open: (scope, events) => storage.open(scope, events),
    keeper: keepInStore,
    start: (scope, step) => createStoreRunner(storage, scope, step),
  }
}
