import { decide } from '@tautline/protocol'
import { laneVectors } from '@tautline/protocol/schema'
import { describe, expect, it } from 'vitest'

// As another language reads them: from JSON.
const vectors = JSON.parse(JSON.stringify(laneVectors())) as ReturnType<typeof laneVectors>

describe('the lane decides of', () => {
  it.each(vectors)('$name', ({ lastN, existing, command, decision }) => {
    const { refusal, ...rest } = command
    expect(decide(lastN, existing ?? undefined, { ...rest, refusal: refusal ?? undefined })).toEqual(decision)
  })
})

describe('the vectors', () => {
  it('are told apart by their names', () => {
    expect(new Set(vectors.map(({ name }) => name)).size).toBe(vectors.length)
  })

  it('show every decision, every code, and both with and without an advance of the lane', () => {
    const seen = new Set(
      vectors.map(({ decision }) => {
        const advance = 'advance' in decision ? `, ${decision.advance ? 'n' : 'lane unchanged'}` : ''
        return `${decision.decision}${'code' in decision ? ` ${decision.code}` : ''}${advance}`
      }),
    )
    expect([...seen].sort()).toEqual([
      'acknowledge, lane unchanged',
      'acknowledge, n',
      'append',
      'fail FORBIDDEN, n',
      'fail ID_CONFLICT, n',
      'fail SKIPPED, n',
      'fail VALIDATION_ERROR, n',
      'fail VOID, lane unchanged',
      'gap',
    ])
  })
})
