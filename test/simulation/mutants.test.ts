// The gate itself is `npm run sim -- --mutants`; here only that every mutant still fits the sources.

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { PROFILES } from './faults.ts'
import { MUTANTS, weaken } from './mutants.ts'

const root = new URL('../../', import.meta.url)

describe('the mutants', () => {
  it.each(MUTANTS)('$name changes one place', (mutant) => {
    const source = readFileSync(fileURLToPath(new URL(mutant.file, root)), 'utf8')
    expect(weaken(mutant, source)).not.toBe(source)
    expect(Object.keys(PROFILES)).toContain(mutant.profile)
  })

  it('have names of their own, and are at least twenty-five', () => {
    expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length)
    expect(MUTANTS.length).toBeGreaterThanOrEqual(25)
  })

  it('are stale where their text is not there exactly once', () => {
    const mutant = { ...MUTANTS[0]!, from: 'a', to: 'b' }
    expect(() => weaken(mutant, 'none')).toThrow('stale')
    expect(() => weaken(mutant, 'a a')).toThrow('stale')
    expect(weaken(mutant, 'an')).toBe('bn')
  })
})
