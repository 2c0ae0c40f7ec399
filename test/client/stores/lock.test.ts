// With the real Web Locks of Node, so with those of one process; of tabs that end or freeze the browser tests know.

import { afterEach, describe, expect, it, vi } from 'vitest'
import { type HeldLock, queueForLock } from '../../../packages/client/src/stores/lock.ts'
import { eventually } from '../../support/eventually.ts'

let names = 0
const standing: HeldLock[] = []

afterEach(() => {
  for (const lock of standing.splice(0)) lock.release()
  vi.unstubAllGlobals()
})

function newName(): string {
  names++
  return `lock ${names}`
}

function stand(name: string): { readonly lock: HeldLock; readonly told: readonly boolean[] } {
  const told: boolean[] = []
  const lock = queueForLock(name, (isHeld) => told.push(isHeld))
  standing.push(lock)
  return { lock, told }
}

/** Whether anybody, in or out of these tests, has or wants the lock. */
async function isWanted(name: string): Promise<boolean> {
  const { held = [], pending = [] } = await navigator.locks.query()
  return [...held, ...pending].some((lock) => lock.name === name)
}

describe('a lock of tabs', () => {
  it('is one tab’s at a time, in the order in which they came', async () => {
    const name = newName()
    const first = stand(name)
    expect(first.told).toEqual([])
    await eventually(() => expect(first.told).toEqual([true]))
    const second = stand(name)
    const third = stand(name)
    await navigator.locks.query()
    expect([second.told, third.told]).toEqual([[], []])
    first.lock.release()
    await eventually(() => expect(second.told).toEqual([true]))
    expect([first.told, third.told]).toEqual([[true], []])
  })

  it('is not waited for any more by who left the queue', async () => {
    const name = newName()
    const first = stand(name)
    await eventually(() => expect(first.told).toEqual([true]))
    const second = stand(name)
    const third = stand(name)
    await eventually(async () => expect((await navigator.locks.query()).pending).toHaveLength(2))
    second.lock.release()
    first.lock.release()
    await eventually(() => expect(third.told).toEqual([true]))
    expect(second.told).toEqual([])
    third.lock.release()
    await eventually(async () => expect(await isWanted(name)).toBe(false))
  })

  it('can be let go in the moment in which it is given', async () => {
    const name = newName()
    const lock = queueForLock(name, () => lock.release())
    await eventually(async () => expect(await isWanted(name)).toBe(false))
    const next = stand(name)
    await eventually(() => expect(next.told).toEqual([true]))
  })

  it('leaves nothing behind where it is let go at once', async () => {
    const name = newName()
    const { lock, told } = stand(name)
    lock.release()
    await eventually(async () => expect(await isWanted(name)).toBe(false))
    expect(told).toEqual([])
  })

  it('can be stolen: who loses it is told, and has it again after the thief', async () => {
    const name = newName()
    const holder = stand(name)
    await eventually(() => expect(holder.told).toEqual([true]))
    const thief = stand(name)
    thief.lock.steal()
    await eventually(() => expect(thief.told).toEqual([true]))
    await eventually(() => expect(holder.told).toEqual([true, false]))
    thief.lock.release()
    await eventually(() => expect(holder.told).toEqual([true, false, true]))
    expect(thief.told).toEqual([true])
  })

  it('changes hands as often as it is stolen, and is never two tabs’ for long', async () => {
    const name = newName()
    const tabs = [stand(name), stand(name)]
    await eventually(() => expect(tabs[0]!.told).toEqual([true]))
    for (let i = 1; i <= 6; i++) {
      const [thief, victim] = [tabs[i % 2]!, tabs[(i + 1) % 2]!]
      thief.lock.steal()
      await eventually(() => expect([thief.told.at(-1), victim.told.at(-1)]).toEqual([true, false]))
    }
  })

  it('is left at once where it is given to who let go of it meanwhile', async () => {
    const signals: (AbortSignal | undefined)[] = []
    const grants: (() => unknown)[] = []
    const request = (_name: string, { signal }: LockOptions, grant: () => unknown) => {
      signals.push(signal)
      grants.push(grant)
      return new Promise(() => {})
    }
    vi.stubGlobal('navigator', { locks: { request } })
    const { lock, told } = stand(newName())
    await eventually(() => expect(grants).toHaveLength(1))
    lock.release()
    expect(signals[0]!.aborted).toBe(true)
    expect(grants[0]!()).toBeUndefined()
    expect(told).toEqual([])
  })

  it('is not stolen from oneself', async () => {
    const name = newName()
    const { lock, told } = stand(name)
    await eventually(() => expect(told).toEqual([true]))
    lock.steal()
    await navigator.locks.query()
    expect(told).toEqual([true])
  })

  it('cannot be stolen by who let go of it', async () => {
    const name = newName()
    const holder = stand(name)
    const other = stand(name)
    await eventually(() => expect(holder.told).toEqual([true]))
    other.lock.release()
    other.lock.steal()
    await navigator.locks.query()
    expect([holder.told, other.told]).toEqual([[true], []])
  })

  it.each([
    ['there are no locks', undefined],
    ['locks are forbidden', { request: () => Promise.reject(new DOMException('no', 'SecurityError')) }],
    [
      'asking for locks is forbidden',
      {
        request() {
          throw new DOMException('no', 'SecurityError')
        },
      },
    ],
  ])('is everybody’s, where %s', async (_where, locks) => {
    vi.stubGlobal('navigator', { locks })
    const name = newName()
    const tabs = [stand(name), stand(name)]
    expect(tabs[0]!.told).toEqual([])
    await eventually(() => expect(tabs.map(({ told }) => told)).toEqual([[true], [true]]))
    tabs[1]!.lock.steal()
    await Promise.resolve()
    expect(tabs.map(({ told }) => told)).toEqual([[true], [true]])
  })

  it('is waited for again where a thief took it before we heard that it was ours', async () => {
    const name = newName()
    const { locks } = navigator
    let thefts = 3
    const request = (...args: Parameters<LockManager['request']>) =>
      thefts-- > 0 ? Promise.reject(new DOMException('stolen', 'AbortError')) : locks.request(...args)
    const first = stand(name)
    await eventually(() => expect(first.told).toEqual([true]))
    vi.stubGlobal('navigator', { locks: { request } })
    const second = stand(name)
    await eventually(async () => expect((await locks.query()).pending).toHaveLength(1))
    expect([thefts, second.told]).toEqual([-1, []])
    first.lock.release()
    await eventually(() => expect(second.told).toEqual([true]))
  })

  it('is everybody’s where the browser takes it away again and again', async () => {
    const request = vi.fn(() => Promise.reject(new DOMException('no', 'AbortError')))
    vi.stubGlobal('navigator', { locks: { request } })
    const { told } = stand(newName())
    await eventually(() => expect(told).toEqual([true]))
    expect(request.mock.calls.length).toBe(10)
  })

  it('is everybody’s in a program that has no navigator at all', async () => {
    vi.stubGlobal('navigator', undefined)
    const { told } = stand(newName())
    await eventually(() => expect(told).toEqual([true]))
  })
})
