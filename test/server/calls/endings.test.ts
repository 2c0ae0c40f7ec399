// Whether a call is over, looked for in a log that may be long: nobody is held up by who asks.

import type { Entry } from '@tautline/protocol/wire'
import { expect, it } from 'vitest'
import { createEndings } from '../../../packages/server/src/calls/endings.ts'

/** A log in which the call began at 1 and much was said since; `pages` counts what was read of it. */
function longLog(length: number, endsAt?: number) {
  const logs = {
    pages: 0,
    async getEntries(_room: string, { after, limit }: { after: number; limit: number }) {
      logs.pages++
      const count = Math.max(0, Math.min(limit, length - after))
      return Array.from({ length: count }, (_, i): Entry => {
        const seq = after + 1 + i
        const isEnd = seq === endsAt
        const payload: Entry['payload'] = isEnd ? { callId: 'call-one' } : {}
        const type = isEnd ? 'call_ended' : 'new_message'
        return { type, seq, sender: 'ann', messageId: `message-${seq}`, timestamp: 0, payload }
      })
    },
  }
  return logs
}

const began = { callId: 'call-one', room: 'den', as: 'ann', after: 1 }

/** How often others had their turn while this went on. */
async function turnsOf(task: Promise<unknown>): Promise<number> {
  let turns = 0
  let isDone = false
  const count = () => {
    turns++
    if (!isDone) setImmediate(count)
  }
  setImmediate(count)
  await task
  isDone = true
  return turns
}

it('is over where the log says so, however long it is since, and not where it says nothing', async () => {
  const endings = createEndings()
  expect(await endings.isOver(longLog(2_000, 1_950), began)).toBe(true)
  expect(await endings.isOver(longLog(2_000), { ...began, room: 'attic' })).toBe(false)
  expect(await endings.isOver(longLog(1), { ...began, room: 'cellar' })).toBe(false)
})

it('is over where too much was said since to be looked through', async () => {
  const log = longLog(10_000, 9_000)
  expect(await createEndings().isOver(log, began)).toBe(true)
  expect(log.pages).toBe(50)
})

it('is over where its end may be hidden from who asks, and for nobody else', async () => {
  const endings = createEndings()
  const closed = { getEntries: async () => undefined }
  expect(await endings.isOver(closed, began)).toBe(true)
  const log = longLog(10)
  // Who was invited anew reads from there on.
  const later = { getEntries: async () => await log.getEntries('den', { after: 5, limit: 100 }) }
  expect(await endings.isOver(later, { ...began, as: 'bob' })).toBe(true)
  expect(await endings.isOver(log, { ...began, as: 'cleo' })).toBe(false)
})

it('leaves others their turn between two pages', async () => {
  expect(await turnsOf(createEndings().isOver(longLog(3_000), began))).toBeGreaterThan(25)
})

it('is looked for once, however often and by however many it is asked', async () => {
  const endings = createEndings()
  const log = longLog(2_000, 1_950)
  const asked = Array.from({ length: 100 }, () => endings.isOver(log, began))
  expect(new Set(await Promise.all(asked))).toEqual(new Set([true]))
  expect(await endings.isOver(log, { ...began, as: 'bob' })).toBe(true)
  expect(log.pages).toBe(20)
})

it('is asked again where the log could not be read, also by what waited', async () => {
  const endings = createEndings()
  const log = longLog(100)
  const broken = { getEntries: () => Promise.reject(new Error('the disk cannot be read')) }
  const [first, second] = [endings.isOver(broken, began), endings.isOver(log, began)]
  await expect(first).rejects.toThrow('the disk cannot be read')
  expect(await second).toBe(false)
})
