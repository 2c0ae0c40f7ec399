// The storage of one browser (or the file of one process) for one user: the rows of an outbox that its tabs share, the
// lock that one of them holds, and the channel on which they tell each other. Everything takes time; a tab may die
// between a call and its effect, a power cut takes back what was written without haste, the browser may throw all of it
// away, and neither the lock nor the channel is to be relied upon.

import type { OutboxStorage, OutboxStore, OutboxStoreEvents } from '../../packages/client/src/outbox-store.ts'
import { createOutboxTable, type OutboxTable } from '../../packages/client/src/stores/outbox-table.ts'
import type { Dice } from './dice.ts'
import type { World } from './world.ts'

export interface BrowserStorage {
  /** As one tab has it. */
  tab(): TabStorage
  /** The machine goes off: what was written without haste since the last strict write may be gone. */
  powerCut(): void
  /** The browser throws everything away; who has it open is told. */
  evict(): void
  /** Opening fails, or never ends, for so long. */
  block(ms: number): void
  /** The next write of new rows fails: there is no space. */
  fill(): void
  /** Calls take their time for so long. */
  slow(ms: number): void
  /** Notices are lost for so long. */
  mute(ms: number): void
  /** Notices come twice for so long. */
  repeat(ms: number): void
  /** Lets a second tab believe that it holds the lock. False: there is none. */
  doubleLock(): boolean
  /** No fault of it lasts any longer. */
  calm(): void
}

export interface TabStorage {
  readonly storage: OutboxStorage
  /** The tab is gone: what it had asked for may still happen, and nothing comes back. */
  die(): void
}

interface Opener {
  readonly events: OutboxStoreEvents
  isAlive: boolean
  /** Whether what it has open is there. */
  isThere: boolean
  /** Calls take effect in their order: each event does the first of them. */
  readonly calls: (() => void)[]
  lastAt: number
}

export function createBrowserStorage(
  world: World,
  dice: Dice,
  name: string,
  count: (fault: string) => void,
): BrowserStorage {
  let table: OutboxTable = createOutboxTable()
  /** What a power cut leaves. */
  let kept = { rows: table.list(), next: table.next() }
  /** In the order of their wish to hold it; the first does. */
  let line: Opener[] = []
  let openers: Opener[] = []
  let blockedUntil = 0
  let blockedHow: 'fails' | 'hangs' = 'fails'
  let slowUntil = 0
  let muteUntil = 0
  let repeatUntil = 0
  let isFull = false

  function keep(): void {
    kept = { rows: table.list(), next: table.next() }
  }

  /** What happens to a tab happens later, and to who is still there. */
  function tell(opener: Opener, low: number, high: number, task: () => void): void {
    world.after(dice.between(low, high), () => {
      if (!opener.isAlive) return
      world.settleSoon()
      task()
    })
  }

  function arrange(next: Opener[]): void {
    const [before] = line
    line = next
    const [after] = next
    if (after === before) return
    world.note(() => `${name}: the lock changes hands`)
    if (before && next.includes(before)) tell(before, 0.1, 5, () => before.events.held(false))
    if (after) tell(after, 0.1, 30, () => line[0] === after && after.events.held(true))
  }

  function latency(isStrict: boolean): number {
    if (world.now < slowUntil) return dice.between(500, 4_000)
    return isStrict ? dice.between(0.5, 20) : dice.between(0.2, 3)
  }

  /** One call of a tab: it takes effect at a moment, all of it, and is answered. */
  function call<T>(opener: Opener, what: string, isStrict: boolean, effect: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      opener.calls.push(() => {
        if (!opener.isThere) return reject(new Error('the storage is gone'))
        // A transaction of a page that goes is finished, or is not.
        if (!opener.isAlive && dice.chance(0.5)) return
        try {
          const value = effect()
          if (isStrict) keep()
          world.note(() => `${name}: ${what}`)
          resolve(value)
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)))
        }
      })
      opener.lastAt = Math.max(opener.lastAt, world.now + latency(isStrict))
      world.after(opener.lastAt - world.now, () => {
        world.settleSoon()
        opener.calls.shift()?.()
      })
    })
  }

  function storeOf(opener: Opener): OutboxStore {
    const ids = (messageIds: readonly string[]) => messageIds.join(' ')
    return {
      list: () => call(opener, 'lists', false, () => table.list()),
      add: (rows) =>
        call(
          opener,
          `adds ${rows.map(({ messageId, sid, n }) => `${messageId} as ${sid}/${n}`).join(', ')}`,
          true,
          () => {
            if (isFull) {
              isFull = false
              count('storage_refused')
              throw new Error('there is no space')
            }
            return table.add(rows)
          },
        ),
      skip: (messageIds, code) =>
        call(opener, `skips ${ids(messageIds)} for ${code}`, true, () => table.skip(messageIds, code)),
      fail: (messageId, code, detail) =>
        call(opener, `fails ${messageId} with ${code}`, true, () => table.fail(messageId, code, detail)),
      renumber: (room, lost, sid) =>
        call(opener, `renumbers ${room} from ${lost} to ${sid}`, true, () => table.renumber(room, lost, sid)),
      remove: (messageIds) =>
        call(opener, `removes ${ids(messageIds)}`, false, () => table.remove(messageIds)),
      clear: () => call(opener, 'is cleared', true, () => table.clear()),
      tell(notice) {
        for (const other of openers) {
          if (other === opener) continue
          if (world.now < muteUntil && dice.chance(0.7)) count('notice_lost')
          else tell(other, 0.3, 15, () => other.events.told(notice))
          if (world.now >= repeatUntil || dice.chance(0.5)) continue
          count('notice_repeated')
          tell(other, 10, 5_000, () => other.events.told(notice))
        }
      },
      steal() {
        if (!openers.includes(opener) || line[0] === opener) return
        count('lock_stolen')
        arrange([opener, ...line.filter((other) => other !== opener)])
      },
      close: () =>
        call(opener, 'is let go of', false, () => {
          leave(opener)
        }),
    }
  }

  function leave(opener: Opener): void {
    openers = openers.filter((other) => other !== opener)
    arrange(line.filter((other) => other !== opener))
  }

  return {
    tab() {
      let own: Opener | undefined
      let isAlive = true
      return {
        storage: {
          open: (_scope, events) =>
            new Promise((resolve, reject) => {
              const isBlocked = world.now < blockedUntil
              if (isBlocked) count('storage_not_opened')
              if (isBlocked && blockedHow === 'hangs') return
              world.after(latency(true), () => {
                world.settleSoon()
                if (isBlocked) return reject(new Error('it cannot be opened'))
                if (!isAlive) return
                own = { events, isAlive: true, isThere: true, calls: [], lastAt: 0 }
                openers.push(own)
                resolve(storeOf(own))
                arrange([...line, own])
              })
            }),
        },
        die() {
          isAlive = false
          const opener = own
          if (!opener) return
          opener.isAlive = false
          // The lock of a page that is gone is free after a moment.
          world.after(dice.between(0, 100), () => leave(opener))
        },
      }
    },

    powerCut() {
      const lost = dice.chance(0.7)
      world.note(() => `${name}: the power is cut${lost ? ', and the last writes with it' : ''}`)
      if (lost) table = createOutboxTable(kept.rows, Math.max(kept.next, table.next()))
      for (const opener of openers) opener.isThere = false
      openers = []
      line = []
    },

    evict() {
      world.note(() => `${name}: the storage is thrown away`)
      table = createOutboxTable()
      keep()
      const told = openers
      openers = []
      line = []
      for (const opener of told) {
        opener.isThere = false
        tell(opener, 0.5, 50, () => opener.events.lost())
      }
    },

    block(ms) {
      blockedUntil = world.now + ms
      blockedHow = dice.chance(0.5) ? 'fails' : 'hangs'
    },
    fill() {
      isFull = true
    },
    slow(ms) {
      slowUntil = world.now + ms
    },
    mute(ms) {
      muteUntil = world.now + ms
    },
    repeat(ms) {
      repeatUntil = world.now + ms
    },

    doubleLock() {
      const [, second] = line
      if (!second) return false
      tell(second, 0, 1, () => second.events.held(true))
      return true
    },

    calm() {
      blockedUntil = slowUntil = muteUntil = repeatUntil = 0
      isFull = false
    },
  }
}
