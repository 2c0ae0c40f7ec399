// What the reads of one connection cost beside the reads themselves.

import { DEFAULT_LIMITS } from '@tautline/protocol'
import { expect, it } from 'vitest'
import { callsWithin } from '../../support/function-calls.ts'
import { createBench, EPOCH } from './bench.ts'

const ROOMS_OF_A_FRAME = 200

/** Calls of the server's functions until so many frames of rooms are resumed. */
async function costOf(frames: number): Promise<number> {
  const bench = await createBench({
    framesPerSecond: 1_000,
    frameBurst: 1_000,
    limits: { ...DEFAULT_LIMITS, maxSubscriptions: frames * ROOMS_OF_A_FRAME },
  })
  await bench.login(1, 'alice')
  const calls = await callsWithin('/packages/server/src/', async () => {
    for (let frame = 0; frame < frames; frame++) {
      const rooms = Array.from({ length: ROOMS_OF_A_FRAME }, (_, i) => ({
        room: `room-${frame}-${i}`,
        limit: 0,
      }))
      bench.say(1, { type: 'subscribe', payload: { ref: frame + 2, epoch: EPOCH, rooms } })
    }
    await bench.settle()
  })
  expect(bench.heardOf(1, 'error')).toHaveLength(frames * ROOMS_OF_A_FRAME)
  return calls
}

it('many rooms that are resumed at once cost each what one costs', async () => {
  const few = await costOf(2)
  const many = await costOf(8)
  // Four times as many rooms; where each answer looks through all that waits, this is nearly sixteen.
  expect(many / few).toBeCloseTo(4, 1)
})
