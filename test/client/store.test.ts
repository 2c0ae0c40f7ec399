import { describe, expect, it } from 'vitest'
import { createStore } from '../../packages/client/src/store.ts'

describe('a store', () => {
  it('keeps the object while nothing in it changes', () => {
    const store = createStore({ a: 1, b: Number.NaN, list: [1] })
    const before = store.getSnapshot()
    let calls = 0
    store.subscribe(() => calls++)
    store.update({ a: 1, b: Number.NaN })
    store.update({ list: before.list })
    store.update({})
    expect(store.getSnapshot()).toBe(before)
    expect(calls).toBe(0)
  })

  it('makes a new object where something does', () => {
    const store = createStore({ a: 1, b: 2 })
    const before = store.getSnapshot()
    const seen: number[] = []
    store.subscribe(() => seen.push(store.getSnapshot().a))
    store.update({ a: 3, b: 2 })
    expect(before).toEqual({ a: 1, b: 2 })
    expect(store.getSnapshot()).toEqual({ a: 3, b: 2 })
    expect(seen).toEqual([3])
  })

  it('calls the listeners of the moment, each until it stops', () => {
    const store = createStore({ a: 0 })
    const calls: string[] = []
    const stop = store.subscribe(() => {
      calls.push('first')
      stop()
      store.subscribe(() => calls.push('late'))
    })
    store.subscribe(() => calls.push('second'))
    store.update({ a: 1 })
    expect(calls).toEqual(['first', 'second'])
    store.update({ a: 2 })
    expect(calls).toEqual(['first', 'second', 'second', 'late'])
  })
})
