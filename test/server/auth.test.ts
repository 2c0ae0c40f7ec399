import { createHmac } from 'node:crypto'
import { TautlineError } from '@tautline/protocol'
import { createToken } from '@tautline/server'
import { SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { createVerifier, type TokenOptions } from '../../packages/server/src/auth.ts'
import { SECRET } from './wire.ts'

const KEY = new TextEncoder().encode(SECRET)
const now = () => Math.floor(Date.now() / 1_000)

/** What comes of it at once, and what after tokens with the same headers were accepted, which must be the same. */
async function verify(token: string, options: Partial<TokenOptions> = {}) {
  const undecided: unknown[] = []
  const verifier = createVerifier({ secret: SECRET, ...options }, (error) => undecided.push(error))
  const first = await verifier(token)
  const { issuer, audience, algorithm: alg = 'HS256' } = options
  const key = new TextEncoder().encode(String(options.secret ?? SECRET))
  const accepted = { ...valid(), ...(issuer && { iss: issuer }), ...(audience && { aud: audience }) }
  for (const header of [{ alg }, { alg, typ: options.tokenType ?? 'JWT' }])
    await verifier(await new SignJWT(accepted).setProtectedHeader(header).sign(key))
  expect(await verifier(token)).toEqual(first)
  expect(undecided).toEqual([])
  return first.ok ? `${first.userId} ${first.expiresAt}` : first.code
}

function sign(claims: Record<string, unknown>, alg = 'HS256', key = KEY) {
  return new SignJWT(claims).setProtectedHeader({ alg }).sign(key)
}

const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

const valid = () => ({ sub: 'alice', iat: now(), exp: now() + 60 })

describe('a token', () => {
  it('says who, and until when', async () => {
    const claims = valid()
    expect(await verify(await sign(claims))).toBe(`alice ${claims.exp * 1_000}`)
  })

  it('as createToken makes it is good for an hour', async () => {
    const before = now()
    const [user, expiresAt] = (await verify(await createToken({ secret: SECRET, userId: 'alice' }))).split(
      ' ',
    )
    expect(user).toBe('alice')
    const madeAt = Number(expiresAt) / 1_000 - 3_600
    expect(madeAt).toBeGreaterThanOrEqual(before)
    expect(madeAt).toBeLessThanOrEqual(now())
  })

  it.each<[string, Record<string, unknown>]>([
    ['without a user', { sub: undefined }],
    ['without an end', { exp: undefined }],
    ['without a beginning', { iat: undefined }],
    ['of a user whose id has no such form', { sub: 'alice smith' }],
    ['of nobody', { sub: '' }],
    ['of a user whose id is too long', { sub: 'a'.repeat(129) }],
    ['of a user that is no text', { sub: 7 }],
    ['that lives longer than an hour', { exp: now() + 3_700 }],
    ['from the future', { iat: now() + 600, exp: now() + 700 }],
    ['that is not valid yet', { nbf: now() + 600 }],
    ['whose end is a text', { exp: 'tomorrow' }],
  ])('%s is refused', async (_, claims) => {
    expect(await verify(await sign({ ...valid(), ...claims }))).toBe('INVALID_TOKEN')
  })

  it('that has run out is refused as such', async () => {
    expect(await verify(await sign({ sub: 'alice', iat: now() - 100, exp: now() - 1 }))).toBe('TOKEN_EXPIRED')
  })

  it('of another secret is refused', async () => {
    const other = new TextEncoder().encode('another secret of 32 bytes or more')
    expect(await verify(await sign(valid(), 'HS256', other))).toBe('INVALID_TOKEN')
  })

  it('of another algorithm is refused, none at all above all', async () => {
    const long = new TextEncoder().encode('x'.repeat(64))
    const secret = 'x'.repeat(64)
    expect(await verify(await sign(valid(), 'HS512', long), { secret })).toBe('INVALID_TOKEN')
    expect(await verify(await sign(valid(), 'HS512', long), { secret, algorithm: 'HS512' })).toMatch(/^alice/)
    expect(await verify(`${base64({ alg: 'none' })}.${base64(valid())}.`)).toBe('INVALID_TOKEN')
    const unsigned = `${base64({ alg: 'None' })}.${base64(valid())}`
    const signature = createHmac('sha256', KEY).update(unsigned).digest('base64url')
    expect(await verify(`${unsigned}.${signature}`)).toBe('INVALID_TOKEN')
  })

  it.each(['', '.', '..', 'a.b', 'a.b.c', 'a.b.c.d', 'é', '{}', 'x'.repeat(10_000)])(
    'that is none (%#) is refused',
    async (token) => {
      expect(await verify(token)).toBe('INVALID_TOKEN')
    },
  )

  it('whose parts were exchanged or written in another form is refused', async () => {
    const [head, claims, signature = ''] = (await sign(valid())).split('.')
    const [, others, otherSignature] = (await sign({ ...valid(), sub: 'bob' })).split('.')
    expect(await verify(`${head}.${claims}.${signature}`)).toMatch(/^alice/)
    for (const forged of [
      `${head}.${others}.${signature}`,
      `${head}.${claims}.${otherSignature}`,
      `${head}.${claims}.${signature.slice(0, -1)}`,
      `${head}.${claims}.`,
      `${head}.${claims}`,
      `${head}.${claims}.${others}.${signature}`,
      `${head}..${signature}`,
    ])
      expect(await verify(forged)).toBe('INVALID_TOKEN')
  })

  it('must name the issuer and the audience that are asked for', async () => {
    const wanted = { issuer: 'the issuer', audience: 'the chat' }
    const right = { iss: 'the issuer', aud: 'the chat' }
    expect(await verify(await sign({ ...valid(), ...right }), wanted)).toMatch(/^alice/)
    expect(await verify(await sign({ ...valid(), ...right, aud: ['other', 'the chat'] }), wanted)).toMatch(
      /^alice/,
    )
    for (const wrong of [{ iss: 'x' }, { aud: 'x' }, { iss: undefined }, { aud: undefined }]) {
      expect(await verify(await sign({ ...valid(), ...right, ...wrong }), wanted)).toBe('INVALID_TOKEN')
    }
    const made = await createToken({ secret: SECRET, userId: 'alice', ...wanted })
    expect(await verify(made, wanted)).toMatch(/^alice/)
  })

  it('may live as long as is allowed', async () => {
    const claims = { sub: 'alice', iat: now(), exp: now() + 86_400 }
    expect(await verify(await sign(claims), { maxTokenAgeMs: 86_400_000 })).toMatch(/^alice/)
  })

  it('is not made for somebody who cannot be, nor with a secret that is too short', async () => {
    await expect(createToken({ secret: SECRET, userId: 'alice smith' })).rejects.toThrow('A user id is')
    await expect(createToken({ secret: 'short', userId: 'alice' })).rejects.toThrow('at least 32 bytes')
  })
})

describe('a verification by the application', () => {
  const of = async (act: () => { userId: string; expiresAt?: number }) => {
    const undecided: unknown[] = []
    const verifier = createVerifier({ verify: act }, (error) => undecided.push(error))
    return { verification: await verifier('token'), undecided: undecided.length }
  }

  it('accepts', async () => {
    expect((await of(() => ({ userId: 'alice', expiresAt: 5 }))).verification).toEqual({
      ok: true,
      userId: 'alice',
      expiresAt: 5,
    })
  })

  it('refuses with a code', async () => {
    const refuse = () => {
      throw new TautlineError('TOKEN_EXPIRED')
    }
    expect(await of(refuse)).toEqual({ verification: { ok: false, code: 'TOKEN_EXPIRED' }, undecided: 0 })
  })

  it('that names no time as the end is undecided, and told', async () => {
    for (const expiresAt of [Number.NaN, Number.POSITIVE_INFINITY, 1e300]) {
      expect(await of(() => ({ userId: 'alice', expiresAt }))).toEqual({
        verification: { ok: false, code: 'SERVER_ERROR' },
        undecided: 1,
      })
    }
  })

  it('that fails is undecided, and told', async () => {
    const fail = () => {
      throw new Error('no connection')
    }
    expect(await of(fail)).toEqual({ verification: { ok: false, code: 'SERVER_ERROR' }, undecided: 1 })
  })
})
