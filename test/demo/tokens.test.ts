import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { keptSecret, objectionTo } from '../../packages/demo/tokens.ts'

const ours = { host: '127.0.0.1:8080', origin: 'http://127.0.0.1:8080', 'sec-fetch-site': 'same-origin' }

describe('a request for a demo token', () => {
  it.each([
    ['from the page', '127.0.0.1', ours],
    ['over IPv6', '::1', { host: '[::1]:8080', origin: 'http://[::1]:8080' }],
    ['by its name', '::ffff:127.0.0.1', { host: 'localhost:8080', origin: 'http://localhost:8080' }],
    ['of a program', '127.0.0.1', { host: '127.0.0.1:8080' }],
  ])('is answered %s', (_, address, headers) => {
    expect(objectionTo(address, headers)).toBeUndefined()
  })

  it.each([
    ['of another machine', '192.168.1.2', ours],
    ['of nobody', undefined, ours],
    ['through a proxy', '127.0.0.1', { ...ours, 'x-forwarded-for': '203.0.113.9' }],
    ['through a proxy that says so by the book', '127.0.0.1', { ...ours, forwarded: 'for=203.0.113.9' }],
    [
      'under a foreign name that points here',
      '127.0.0.1',
      { host: 'evil.example', origin: 'http://evil.example' },
    ],
    ['without a Host', '127.0.0.1', {}],
    ['of a page of another port', '127.0.0.1', { ...ours, origin: 'http://127.0.0.1:3000' }],
    ['of a page without an origin', '127.0.0.1', { ...ours, origin: 'null' }],
    ['of another site', '127.0.0.1', { host: '127.0.0.1:8080', 'sec-fetch-site': 'cross-site' }],
  ])('is refused %s', (_, address, headers) => {
    expect(objectionTo(address, headers)).toMatch(/demo tokens/)
  })
})

describe('the secret', () => {
  it('is made once, long enough, and for its owner alone', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tautline-secret-'))
    const file = join(folder, 'token-secret')
    const secret = keptSecret(file)
    expect(secret.length).toBeGreaterThanOrEqual(32)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(keptSecret(file)).toBe(secret)
    rmSync(folder, { recursive: true })
  })
})
