// The checker is no better than what it notices: the history of a good run is broken in one place, once for each
// promise, and the promise that was broken must be named.

import { beforeAll, describe, expect, it } from 'vitest'
import { INVARIANTS } from './checker/violation.ts'
import { check, checkOne } from './checker.ts'
import type { History } from './history.ts'
import { simulate } from './simulate.ts'
import { ALLOWED } from './tampering/allowed.ts'
import { CONNECTIONS_PLANTED } from './tampering/connections.ts'
import { MESSAGES_PLANTED } from './tampering/messages.ts'
import { USERS_PLANTED } from './tampering/users.ts'

/** A run with most of what there is: two servers, all rooms, messages of every outcome. */
const SEED = 5

const PLANTED = [...MESSAGES_PLANTED, ...USERS_PLANTED, ...CONNECTIONS_PLANTED]

let good: History

beforeAll(async () => {
  const { history, violations } = await simulate({ seed: SEED, profile: 'members' })
  expect(violations).toEqual([])
  good = history
})

describe('the checker', () => {
  it('finds nothing in a good run', () => {
    expect(check(structuredClone(good))).toEqual([])
  })

  it.each(PLANTED)('%s notices %s', (invariant, _what, plant) => {
    const history = structuredClone(good)
    plant(history)
    const found = checkOne(invariant, history)
    expect(found.length).toBeGreaterThan(0)
    expect(new Set(found.map((violation) => violation.invariant))).toEqual(new Set([invariant]))
  })

  it.each(ALLOWED)('%s allows %s', (invariant, _what, plant, spoil) => {
    const history = structuredClone(good)
    plant(history)
    expect(checkOne(invariant, history)).toEqual([])
    spoil(history)
    expect(checkOne(invariant, history)).not.toEqual([])
  })

  it('has a planted fault for every promise', () => {
    expect(new Set(PLANTED.map(([invariant]) => invariant))).toEqual(new Set(Object.keys(INVARIANTS)))
  })
})
