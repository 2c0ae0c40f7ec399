// That each is noticed is asked by `npm run faults -- --mutants`; here only that it still fits the sources.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { MUTANTS, weaken } from './mutants.ts'

const root = new URL('../../', import.meta.url)

describe('the mutants of the fault tests', () => {
  it.each(MUTANTS)('$name changes what is there', ({ edits }) => {
    for (const edit of edits) {
      const source = readFileSync(new URL(edit.file, root), 'utf8')
      expect(weaken(edit, source)).not.toBe(source)
    }
  })

  it('are stale where a text is not there exactly once', () => {
    const edit = { file: 'a.ts', from: 'a', to: 'b' }
    expect(() => weaken(edit, 'none')).toThrow('stale')
    expect(() => weaken(edit, 'a a')).toThrow('stale')
    expect(weaken(edit, 'an')).toBe('bn')
  })
})
