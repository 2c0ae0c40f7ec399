// Three tabs stand in the queue for one lock, leave it, steal it from each other and talk, in every order that a scheduler
// can think of. The browser is played by hand: its locks and its channel do each thing that they do in a later turn, and
// the scheduler says in which. What tabs believe of the lock must come to agree with whose it is.

import type { OutboxNotice } from '@tautline/client'
import * as fc from 'fast-check'
import { afterEach, expect, it, vi } from 'vitest'
import { type HeldLock, queueForLock } from '../../../packages/client/src/stores/lock.ts'
import { type NoticeChannel, openNoticeChannel } from '../../../packages/client/src/stores/notice-channel.ts'
import { holdsInTime } from '../support/property.ts'

const NAME = 'outbox'
const ABORTED = 'AbortError'

type Soon = (what: string, task: () => void) => void
type Grant = () => Promise<void> | undefined

interface Request {
  readonly grant: Grant
  readonly signal: AbortSignal | undefined
  readonly resolve: () => void
  readonly reject: (error: Error) => void
  isGranted: boolean
}

/** One Web Lock, as the specification has it: https://w3c.github.io/web-locks/ */
function createLocks(soon: Soon) {
  let holder: Request | undefined
  const queue: Request[] = []

  function next(): void {
    if (!holder) give(queue.shift())
  }

  function give(request: Request | undefined): void {
    holder = request
    if (request) soon('a lock is given', () => granted(request))
  }

  /** Also where it was stolen on the way: the holder hears first that it has it, then that it has it no more. */
  function granted(request: Request): void {
    if (request.signal?.aborted) return release(request)
    request.isGranted = true
    void Promise.resolve(request.grant()).then(() => soon('a lock is back', () => release(request)))
    if (holder !== request) lost(request)
  }

  function lost(request: Request): void {
    soon('a lock is lost', () => request.reject(new DOMException('stolen', ABORTED)))
  }

  function release(request: Request): void {
    if (holder !== request) return
    holder = undefined
    request.resolve()
    next()
  }

  function rob(): void {
    const victim = holder
    holder = undefined
    if (victim?.isGranted) lost(victim)
  }

  function leave(request: Request): void {
    const index = queue.indexOf(request)
    if (index < 0) return
    queue.splice(index, 1)
    request.reject(new DOMException('left', ABORTED))
  }

  return {
    /** How many have it or want it. */
    wanted: () => queue.length + (holder ? 1 : 0),
    request: (_name: string, { signal, steal }: LockOptions, grant: Grant) =>
      new Promise<void>((resolve, reject) => {
        const request: Request = { grant, signal, resolve, reject, isGranted: false }
        signal?.addEventListener('abort', () => leave(request))
        soon('a request', () => {
          if (signal?.aborted) return reject(new DOMException('left', ABORTED))
          if (steal) rob()
          if (steal) give(request)
          else queue.push(request)
          next()
        })
      }),
  }
}

/** A BroadcastChannel: from one to another everything comes in its order. */
function createChannels(soon: Soon) {
  const open = new Set<Channel>()

  class Channel {
    onmessage: ((event: { readonly data: unknown }) => void) | null = null
    readonly #inbox: unknown[] = []

    constructor() {
      open.add(this)
    }

    postMessage(data: unknown): void {
      for (const other of open) {
        if (other === this) continue
        other.#inbox.push(structuredClone(data))
        soon('a notice', () => other.#deliver())
      }
    }

    #deliver(): void {
      const data = this.#inbox.shift()
      if (open.has(this)) this.onmessage?.({ data })
    }

    close(): void {
      open.delete(this)
    }
  }
  return Channel
}

/** A tab that comes and goes: what it was told, each time that it was there. */
function createTab(number: number) {
  let lock: HeldLock | undefined
  let channel: NoticeChannel | undefined
  let held: boolean[] = []
  let count = 0
  const heard: string[] = []

  const tab = {
    heard: heard as readonly string[],
    /** What it believes. */
    isHolder: () => lock !== undefined && held.at(-1) === true,
    isThere: () => lock !== undefined,
    come(): void {
      if (lock) return
      const mine: boolean[] = []
      held = mine
      lock = queueForLock(NAME, (isHeld) => {
        expect(held, 'nobody is told who left').toBe(mine)
        expect(lock, 'nobody is told who left').toBeDefined()
        expect(isHeld, 'it is news').toBe(mine.at(-1) !== true)
        mine.push(isHeld)
      })
      channel = openNoticeChannel(NAME, ({ settled }) => {
        expect(lock, 'nobody is told who left').toBeDefined()
        heard.push(...settled.map(({ messageId }) => messageId))
      })
    },
    leave(): void {
      const mine = lock
      lock = undefined
      mine?.release()
      channel?.close()
      channel = undefined
    },
    steal(): void {
      lock?.steal()
    },
    /** Resolves to what was said, if anything. */
    tell(): string | undefined {
      if (!channel) return undefined
      const messageId = `${number}-${++count}`
      const outcome = { status: 'failed', code: 'CANCELLED' } as const
      const notice: OutboxNotice = { settled: [{ messageId, outcome }], isChanged: false, isHolder: false }
      channel.tell(notice)
      return messageId
    },
  }
  return tab
}

afterEach(() => {
  vi.unstubAllGlobals()
})

const acts = fc.array(fc.constantFrom('come', 'come', 'leave', 'steal', 'tell'), { maxLength: 8 })

it('one of the tabs that are there has the lock in the end, and is the only one that says so', async () => {
  let changes = 0
  await holdsInTime(
    fc.asyncProperty(fc.scheduler(), fc.tuple(acts, acts, acts), async (scheduler, plans) => {
      const soon: Soon = (what, task) => void scheduler.schedule(Promise.resolve(), what).then(task)
      const locks = createLocks(soon)
      vi.stubGlobal('navigator', { locks })
      vi.stubGlobal('BroadcastChannel', createChannels(soon))
      const tabs = plans.map((_, i) => createTab(i + 1))
      const everSteals = plans.flat().includes('steal')
      /** For each tab what it must have heard: of those who were there when it was said. */
      const toHear = tabs.map(() => [] as string[])
      const hasLeft = tabs.map(() => false)

      function act(tab: number, what: (typeof plans)[number][number]): void {
        changes++
        if (what === 'leave') hasLeft[tab] ||= tabs[tab]!.isThere()
        const said = tabs[tab]![what]()
        if (said === undefined) return
        for (const [i, other] of tabs.entries()) if (i !== tab && other.isThere()) toHear[i]!.push(said)
      }

      for (const [tab, plan] of plans.entries())
        scheduler.scheduleSequence(
          [...plan, 'come' as const].map((what) => ({
            label: `tab ${tab + 1}: ${what}`,
            builder: () => Promise.resolve(act(tab, what)),
          })),
        )
      await calm(scheduler, () => {
        const holders = tabs.filter((tab) => tab.isHolder()).length
        if (!everSteals) expect(holders, 'only a thief is not waited for').toBeLessThanOrEqual(1)
      })
      for (const [i, { heard }] of tabs.entries()) {
        if (hasLeft[i]) expect(toHear[i]).toEqual(expect.arrayContaining([...heard]))
        else expect(heard).toEqual(toHear[i])
      }

      // One after the other goes: whoever has it, and whoever waits for it.
      for (let left = tabs.length; left > 0; left--) {
        expect(locks.wanted(), 'nobody wants what they left').toBe(left)
        expect(tabs.filter((tab) => tab.isHolder())).toHaveLength(1)
        tabs.find((tab) => tab.isThere() && tab.isHolder() === left < tabs.length)?.leave()
        await calm(scheduler)
      }
      expect(locks.wanted()).toBe(0)
    }),
    150,
  )
  expect(changes).toBeGreaterThan(1_000)
})

/** Until nothing is left to happen; what is promised in between, the browser does not order anew. */
async function calm(scheduler: fc.Scheduler, look: () => void = () => {}): Promise<void> {
  do {
    for (let i = 0; i < 10; i++) await Promise.resolve()
    if (scheduler.count() > 0) await scheduler.waitNext(1)
    for (let i = 0; i < 10; i++) await Promise.resolve()
    look()
  } while (scheduler.count() > 0)
}
