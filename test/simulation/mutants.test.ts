// The gate itself is `npm run sim -- --mutants`; here only that every mutant still fits the sources, and what the document says.

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

  it('stand in docs/reliability.md with their mix and their seed', () => {
    const document = readFileSync(fileURLToPath(new URL('docs/reliability.md', root)), 'utf8')
    const [, table = ''] = /<!-- begin: mutants -->([\s\S]*?)<!-- end/.exec(document) ?? []
    const cells = (row: string) => row.split('|').map((cell) => cell.trim())
    const told = table.split('\n').map((row) => cells(row).slice(1, 5))
    const meant = MUTANTS.map(({ name, about, profile, seed }) => [name, about, profile, String(seed)])
    expect(told.filter(([name = '']) => /^[a-z]/.test(name) && name !== 'mutant')).toEqual(meant)
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
