import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { readPage } from '../../packages/demo/page.ts'

const folder = mkdtempSync(join(tmpdir(), 'tautline-page-'))
mkdirSync(join(folder, 'assets'))
writeFileSync(join(folder, 'index.html'), '<!doctype html>')
writeFileSync(join(folder, 'assets', 'index-1a2b.js'), 'export {}')
const page = readPage(folder)

afterAll(() => rmSync(folder, { recursive: true }))

describe('the page', () => {
  it('has its files, and no path leads elsewhere', () => {
    expect([...page.keys()].sort()).toEqual(['/', '/assets/index-1a2b.js'])
    expect(page.get('/../token-secret')).toBeUndefined()
  })

  it('is asked for anew each time, its assets never again', () => {
    expect(page.get('/')?.headers['Cache-Control']).toBe('no-cache')
    expect(page.get('/assets/index-1a2b.js')?.headers['Cache-Control']).toContain('immutable')
  })

  it('may run only its own scripts, without eval, and talk to its own server', () => {
    const policy = page.get('/')?.headers['Content-Security-Policy'] ?? ''
    expect(policy.split('; ')).toEqual(
      expect.arrayContaining([
        "default-src 'none'",
        "script-src 'self'",
        "connect-src 'self'",
        "frame-ancestors 'none'",
      ]),
    )
    expect(policy).not.toContain('unsafe')
  })
})
