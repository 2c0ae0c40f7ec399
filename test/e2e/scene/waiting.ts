// How the scene waits: for what somebody sees, never for time to pass. What does not come is named.

import type { Client, ClientEvents, Readable, Room, RoomEvents } from '@tautline/client'
import { PATIENCE_MS } from '../../support/patience.ts'

/** Resolves with the snapshot once it is so. */
export function until<T>(readable: Readable<T>, isSo: (snapshot: T) => boolean, what: string): Promise<T> {
  let stop = () => {}
  const seen = new Promise<T>((resolve) => {
    stop = readable.subscribe(look)
    function look() {
      if (isSo(readable.getSnapshot())) resolve(readable.getSnapshot())
    }
    look()
  })
  return within(seen, what).finally(stop)
}

/** The next event of this name of the client that is meant. */
export function heard<E extends keyof ClientEvents>(
  client: Client,
  event: E,
  isMeant: (...args: ClientEvents[E]) => boolean = () => true,
): Promise<ClientEvents[E]> {
  let stop = () => {}
  const told = new Promise<ClientEvents[E]>((resolve) => {
    stop = client.on(event, (...args) => {
      if (isMeant(...args)) resolve(args)
    })
  })
  return within(told, `${client.userId} hears ${event}`).finally(() => stop())
}

/** The same of a room. */
export function heardIn<E extends keyof RoomEvents>(
  room: Room,
  event: E,
  isMeant: (...args: RoomEvents[E]) => boolean = () => true,
): Promise<RoomEvents[E]> {
  let stop = () => {}
  const told = new Promise<RoomEvents[E]>((resolve) => {
    stop = room.on(event, (...args) => {
      if (isMeant(...args)) resolve(args)
    })
  })
  return within(told, `${room.client.userId} hears ${event} in ${room.id}`).finally(() => stop())
}

/** A list that others add to, and that can be waited for. */
export interface Tape<T> {
  readonly items: readonly T[]
  add(item: T): void
  /** The first item, of before or to come, that is meant. */
  find(isMeant: (item: T) => boolean, what: string): Promise<T>
}

export function createTape<T>(): Tape<T> {
  const items: T[] = []
  const waiting = new Set<() => void>()
  return {
    items,
    add(item) {
      items.push(item)
      for (const wake of waiting) wake()
    },
    find(isMeant, what) {
      let wake = () => {}
      const found = new Promise<T>((resolve) => {
        wake = () => {
          const item = items.find(isMeant)
          if (item !== undefined) resolve(item)
        }
        waiting.add(wake)
        wake()
      })
      return within(found, what).finally(() => waiting.delete(wake))
    },
  }
}

/** Rejects, and says what did not happen, where it takes too long. */
export function within<T>(promise: PromiseLike<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new Error(`It did not happen within ${PATIENCE_MS} ms: ${what}`)),
      PATIENCE_MS,
    )
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}
