import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { Schedule, type Scheduled } from '../../../packages/server/src/core/schedule.ts'

const item = (): Scheduled => ({ dueAt: Number.POSITIVE_INFINITY, place: -1 })

it('gives what is due in the order of the deadlines, whatever was set, moved and removed', () => {
  const action = fc.record({
    item: fc.nat(30),
    dueAt: fc.oneof(fc.nat(100), fc.constant(Number.POSITIVE_INFINITY)),
    remove: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(action, { maxLength: 200 }), (actions) => {
      const items = Array.from({ length: 31 }, item)
      const schedule = new Schedule<Scheduled>()
      const model = new Map<Scheduled, number>()
      for (const { item: index, dueAt, remove } of actions) {
        const chosen = items[index]!
        if (remove) schedule.remove(chosen)
        else schedule.set(chosen, dueAt)
        if (remove || dueAt === Number.POSITIVE_INFINITY) model.delete(chosen)
        else model.set(chosen, dueAt)
        expect(schedule.next()).toBe(model.size === 0 ? undefined : Math.min(...model.values()))
      }
      const taken: number[] = []
      for (let next = schedule.take(50); next; next = schedule.take(50)) taken.push(next.dueAt)
      expect(taken).toEqual([...model.values()].filter((dueAt) => dueAt <= 50).sort((a, b) => a - b))
      expect(schedule.size).toBe([...model.values()].filter((dueAt) => dueAt > 50).length)
    }),
  )
})

it('takes nothing before its time', () => {
  const schedule = new Schedule<Scheduled>()
  const one = item()
  schedule.set(one, 10)
  expect(schedule.take(9)).toBeUndefined()
  expect(schedule.take(10)).toBe(one)
  expect(schedule.take(10)).toBeUndefined()
})
