// Holds docs/coverage.md to its form and to the repository: what a line names must exist. Whether a thing works is shown
// by the tests that its line names, and said by people.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const lines = readLines(readFileSync(join(root, 'docs/coverage.md'), 'utf8'))

describe('the list of what is there', () => {
  it('is numbered through, section by section', () => {
    const sections = new Map<number, number>()
    for (const { number } of lines) {
      const section = Math.floor(Number(number))
      const place = (sections.get(section) ?? 0) + 1
      expect(number).toBe(`${section}.${place}`)
      sections.set(section, place)
    }
    expect([...sections.keys()]).toEqual([1, 2, 3, 4, 5])
  })

  it.each(lines)('$number has a state that fits what it names', ({ state, where, shownBy }) => {
    expect(state).toMatch(/^(works|not yet|partly: .+)$/)
    expect(where.length > 0, 'says where').toBe(state !== 'not yet')
    if (state === 'works') expect(shownBy, 'is shown').not.toEqual([])
    if (state === 'not yet') expect(shownBy, 'is shown').toEqual([])
  })

  it('names files that exist', () => {
    for (const { number, where } of lines) {
      for (const file of where)
        expect(existsSync(join(root, 'packages', file)), `${number}: ${file}`).toBe(true)
    }
  })

  it('names tests that exist', () => {
    for (const { number, shownBy } of lines) {
      for (const { file, titles } of shownBy) {
        const text = readFileSync(join(root, 'test', file), 'utf8')
        expect(titles, `${number} names tests of ${file}`).not.toEqual([])
        const missing = titles.filter((title) => !text.includes(`'${title}'`))
        expect(missing, `${number}: not in ${file}`).toEqual([])
      }
    }
  })
})

interface Line {
  readonly number: string
  readonly state: string
  /** Files below packages/. */
  readonly where: readonly string[]
  /** Files below test/, and tests in each. */
  readonly shownBy: readonly { readonly file: string; readonly titles: readonly string[] }[]
}

function readLines(markdown: string): Line[] {
  const rows = markdown.split('\n').filter((line) => /^\| \d/.test(line))
  return rows.map((row) => {
    const [number = '', , state = '', where = '', shownBy = '', ...rest] = row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim())
    if (rest.length > 0) throw new Error(`More than five cells: ${row}`)
    return {
      number,
      state,
      where: backticked(where),
      shownBy: shownBy
        .split(';')
        .filter((part) => part !== '')
        .map((part) => ({
          file: backticked(part)[0] ?? '',
          titles: Array.from(part.matchAll(/“([^”]+)”/g), ([, title = '']) => title),
        })),
    }
  })
}

function backticked(text: string): string[] {
  return Array.from(text.matchAll(/`([^`]+)`/g), ([, inside = '']) => inside)
}
