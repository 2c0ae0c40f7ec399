// What the reads of one connection cost beside the reads themselves.

import { DEFAULT_LIMITS } from '@tautline/protocol'
import { expect, it } from 'vitest'
import { createBench, EPOCH } from './bench.ts'

const ROOMS_OF_A_FRAME = 200

it('many rooms that are resumed at once cost each what one costs', async () => {
  const frames = 60
  const bench = await createBench({
    framesPerSecond: 1_000,
    frameBurst: 1_000,
    limits: { ...DEFAULT_LIMITS, maxSubscriptions: frames * ROOMS_OF_A_FRAME },
  })
  await bench.login(1, 'alice')
  for (let frame = 0; frame < frames; frame++) {
    const rooms = Array.from({ length: ROOMS_OF_A_FRAME }, (_, i) => ({
      room: `room-${frame}-${i}`,
      limit: 0,
    }))
    bench.say(1, { type: 'subscribe', payload: { ref: frame + 2, epoch: EPOCH, rooms } })
  }
  // A second, or twenty where each answer looks through all that waits: then the test ends before.
  await bench.settle()
  expect(bench.heardOf(1, 'error')).toHaveLength(frames * ROOMS_OF_A_FRAME)
})
