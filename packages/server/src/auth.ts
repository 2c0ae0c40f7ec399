/**
 * Tokens: JWTs signed with one secret by one pinned algorithm, or whatever the application verifies itself. A token
 * must say who (sub), until when (exp) and since when (iat), and may not live longer than an hour by default: its end
 * is the end of the connection, unless it is renewed.
 */
import { CODES, type Code, TautlineError, USER_ID } from '@tautline/protocol/wire'
import { errors, type JWTVerifyOptions, jwtVerify, SignJWT } from 'jose'
import type { Verification } from './core/contract.ts'

export type Algorithm = 'HS256' | 'HS384' | 'HS512'

/** The secret must be as long as the digest (RFC 7518, section 3.2), in bytes. */
const MIN_SECRET_BYTES: { readonly [A in Algorithm]: number } = { HS256: 32, HS384: 48, HS512: 64 }

export const ALGORITHMS: readonly string[] = Object.keys(MIN_SECRET_BYTES)

export interface TokenOptions {
  /** At least 32 bytes (HS256), 48 (HS384) or 64 (HS512). A text stands for its UTF-8. */
  readonly secret: string | Uint8Array
  /** The one algorithm that is accepted. Default HS256. */
  readonly algorithm?: Algorithm | undefined
  /** The `iss` that a token must have. Default: not checked. */
  readonly issuer?: string | undefined
  /** The `aud` that a token must have. Default: not checked. */
  readonly audience?: string | undefined
  /** The longest life of a token, `exp` − `iat`. Default 3,600,000 ms. */
  readonly maxTokenAgeMs?: number | undefined
}

export interface Identity {
  readonly userId: string
  /** Unix milliseconds; left out: the connection does not end by itself. */
  readonly expiresAt?: number | undefined
}

export interface CustomAuth {
  /**
   * Verifies a token in the application's own way. Throw TautlineError('INVALID_TOKEN') or ('TOKEN_EXPIRED') to
   * refuse; any other error means that it could not be decided, and the client tries again later.
   */
  verify(token: string): Identity | Promise<Identity>
}

export type AuthOptions = TokenOptions | CustomAuth

export type Verifier = (token: string) => Promise<Verification>

const DEFAULT_MAX_TOKEN_AGE_MS = 3_600_000
/** How far ahead of ours the clock of who issued a token may be. */
const CLOCK_SKEW_MS = 60_000

/** `onUndecided`: told the error of a verification that neither accepted nor refused. */
export function createVerifier(auth: AuthOptions, onUndecided: (error: unknown) => void): Verifier {
  const identify = 'verify' in auth ? (token: string) => auth.verify(token) : createJwtReader(auth)
  return async (token) => {
    try {
      const { userId, expiresAt } = await identify(token)
      // Neither a token nor an application is bound by the types.
      if (typeof userId !== 'string' || !USER_ID.test(userId)) return { ok: false, code: 'INVALID_TOKEN' }
      if (expiresAt !== undefined && !Number.isSafeInteger(Math.floor(expiresAt)))
        throw new TypeError('expiresAt must be Unix milliseconds')
      return { ok: true, userId, expiresAt: expiresAt === undefined ? undefined : Math.floor(expiresAt) }
    } catch (error) {
      const code = codeOf(error)
      if (code === 'SERVER_ERROR') onUndecided(error)
      return { ok: false, code }
    }
  }
}

export interface NewToken extends TokenOptions {
  readonly userId: string
  /** Default: maxTokenAgeMs. */
  readonly lifetimeMs?: number | undefined
}

/** Makes a token that a server with the same options accepts. For the command line, tests and demonstrations. */
export async function createToken(options: NewToken): Promise<string> {
  const { userId, secret, algorithm = 'HS256', issuer, audience } = options
  if (!USER_ID.test(userId))
    throw new TypeError('A user id is 1 to 128 characters of A-Z a-z 0-9 . _ @ | : + = and -.')
  const objection = objectionToSecret(secret, algorithm)
  if (objection !== undefined) throw new TypeError(objection)
  const lifetimeMs = options.lifetimeMs ?? options.maxTokenAgeMs ?? DEFAULT_MAX_TOKEN_AGE_MS
  const issuedAt = Math.floor(Date.now() / 1_000)
  const token = new SignJWT()
    .setProtectedHeader({ alg: algorithm, typ: 'JWT' })
    .setSubject(userId)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + Math.floor(lifetimeMs / 1_000))
  if (issuer !== undefined) token.setIssuer(issuer)
  if (audience !== undefined) token.setAudience(audience)
  return token.sign(keyOf(secret))
}

/** What speaks against the secret, without repeating it; undefined: nothing. */
export function objectionToSecret(secret: unknown, algorithm: Algorithm = 'HS256'): string | undefined {
  const min = MIN_SECRET_BYTES[algorithm]
  const wanted = `The secret of the tokens (auth.secret) must be at least ${min} bytes long for ${algorithm}`
  if (typeof secret !== 'string' && !(secret instanceof Uint8Array)) return `${wanted}; none was given.`
  const { length } = keyOf(secret)
  return length < min ? `${wanted}; it has ${length}.` : undefined
}

function keyOf(secret: string | Uint8Array): Uint8Array {
  return typeof secret === 'string' ? new TextEncoder().encode(secret) : secret
}

function createJwtReader(options: TokenOptions): (token: string) => Promise<Identity> {
  const { secret, algorithm = 'HS256', issuer, audience, maxTokenAgeMs = DEFAULT_MAX_TOKEN_AGE_MS } = options
  const key = keyOf(secret)
  const required: JWTVerifyOptions = { algorithms: [algorithm], requiredClaims: ['sub', 'iat', 'exp'] }
  if (issuer !== undefined) required.issuer = issuer
  if (audience !== undefined) required.audience = audience
  return async (token) => {
    const { payload } = await jwtVerify(token, key, required)
    const { sub, iat, exp } = payload
    if (sub === undefined || iat === undefined || exp === undefined) throw new TautlineError('INVALID_TOKEN')
    if (iat * 1_000 > Date.now() + CLOCK_SKEW_MS) throw new TautlineError('INVALID_TOKEN')
    if ((exp - iat) * 1_000 > maxTokenAgeMs) throw new TautlineError('INVALID_TOKEN')
    return { userId: sub, expiresAt: exp * 1_000 }
  }
}

function codeOf(error: unknown): Code {
  if (error instanceof errors.JWTExpired) return 'TOKEN_EXPIRED'
  if (error instanceof errors.JOSEError) return 'INVALID_TOKEN'
  if (error instanceof TautlineError && CODES[error.code].closeCode !== null) return error.code
  return 'SERVER_ERROR'
}
