/**
 * Where the outbox is kept so that it survives a reload or a crash: what the core needs of a store, and what a store
 * tells. Several tabs may share one store; who holds it sends what is in it, the others only add. Safety does not rest on
 * that: two holders at once send the same rows in the same lanes, and the server drops what it has.
 *
 * A store writes and reads rows, nothing else: what is sent when, and what an answer means, is core/outbox.ts. A promise
 * that rejects means that the store cannot be relied upon any more, and the client goes on in memory and says so.
 * test/contracts/outbox-store.ts is what every store must pass.
 */
import type { Code } from '@tautline/protocol/wire'
import type { LaneRow, OutboxNotice, StoredRow } from './core/outbox-row.ts'

/**
 * Calls take effect in the order in which they are made, without waiting for each other: `list` sees every write that
 * was asked for before it, and none that was asked for later by the same opener.
 */
export interface OutboxStore {
  /** All rows, undecided and failed, in their order. */
  list(): Promise<readonly StoredRow[]>
  /** Strict, all or none: resolves with their `order`s once they would survive a crash of the machine. */
  add(rows: readonly LaneRow[]): Promise<readonly number[]>
  /** Strict. Marks undecided rows to be given up; the first reason stays; rows that are not there are passed over. */
  skip(messageIds: readonly string[], code: Code): Promise<void>
  /**
   * Strict. An outcome that is there already stays. Resolves with the row as it stands then; undefined: it is not there,
   * and nothing was written.
   */
  fail(
    messageId: string,
    code: Code,
    detail?: string,
    applicationCode?: string,
  ): Promise<StoredRow | undefined>
  /**
   * Strict and atomic. Where the oldest undecided row of the room still is in the lane `lost`, all its undecided rows
   * become 1, 2, 3 … of the lane `sid`; else somebody else did it before, and nothing changes. Resolves with the undecided
   * rows of the room as they stand then.
   */
  renumber(room: string, lost: string, sid: string): Promise<readonly StoredRow[]>
  /** May be relaxed: a row that comes back after a crash is sent again, and answered as before. */
  remove(messageIds: readonly string[]): Promise<void>
  /** Strict. Every row goes, whoever wrote it: the user signed out. */
  clear(): Promise<void>
  /** Tells the others who share the store, not the teller, that it changed, and what became of rows. May be lost. */
  tell(notice: OutboxNotice): void
  /** Asks to become the holder although another is: nothing is heard of it. */
  steal(): void
  /** Once what was asked for is done, lets go of the store, and of being its holder. What is in it stays. */
  close(): Promise<void>
}

/** What happens to a store from outside. None is called before `open` resolved. */
export interface OutboxStoreEvents {
  /** From now on we send what is in the store, or no longer. Of a store for one, `true` at once. */
  held(isHeld: boolean): void
  /** Another who shares the store told something. */
  told(notice: OutboxNotice): void
  /** The store is gone (evicted, deleted, closed by the browser). No call of it will succeed any more. */
  lost(): void
}

/** Whose outbox: rows of another server or user are never seen, and never sent. */
export interface OutboxScope {
  readonly server: string
  readonly userId: string
}

/** Opens stores. One of your own becomes an option by `durable()`: `outbox: { store: durable(mine) }`. */
export interface OutboxStorage {
  open(scope: OutboxScope, events: OutboxStoreEvents): Promise<OutboxStore>
}
