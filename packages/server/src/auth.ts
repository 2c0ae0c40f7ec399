/**
 * Tokens: JWTs signed with one secret by one pinned algorithm, or by a key of a published set (JWKS), or whatever the
 * application verifies itself. A token must say who (sub), until when (exp) and since when (iat), and may not live
 * longer than an hour by default: its end is the end of the connection, unless it is renewed.
 */
import { CODES, type Code, SYSTEM_USER_ID, TautlineError, USER_ID } from '@tautline/protocol/wire'
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  errors,
  type FlattenedJWSInput,
  type JSONWebKeySet,
  type JWSHeaderParameters,
  type JWTPayload,
  type JWTVerifyOptions,
  jwtVerify,
  SignJWT,
} from 'jose'
import { isLoopback } from './addresses.ts'
import type { Verification } from './core/contract.ts'
import { HmacTokens } from './hmac-tokens.ts'

export type Algorithm = 'HS256' | 'HS384' | 'HS512'

/** The secret must be as long as the digest (RFC 7518, section 3.2), in bytes. */
const MIN_SECRET_BYTES: { readonly [A in Algorithm]: number } = { HS256: 32, HS384: 48, HS512: 64 }

export const ALGORITHMS: readonly string[] = Object.keys(MIN_SECRET_BYTES)

/** The algorithms of key pairs: no secret can be mistaken for one of their keys. */
export const KEY_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
] as const

export type KeyAlgorithm = (typeof KEY_ALGORITHMS)[number]

/** What a token must say, whoever signed it. */
interface TokenRules {
  /** The `iss` that a token must have. Default: not checked. */
  readonly issuer?: string | undefined
  /** The `aud` that a token must have. Default: not checked. */
  readonly audience?: string | undefined
  /** The `typ` that the header of a token must have, such as `at+jwt`. Default: not checked; createToken writes `JWT`. */
  readonly tokenType?: string | undefined
  /** The longest life of a token, `exp` − `iat`. Default 3,600,000 ms. */
  readonly maxTokenAgeMs?: number | undefined
}

export interface TokenOptions extends TokenRules {
  /** At least 32 bytes (HS256), 48 (HS384) or 64 (HS512). A text stands for its UTF-8. */
  readonly secret: string | Uint8Array
  /** The one algorithm that is accepted with it. Default HS256. */
  readonly algorithm?: Algorithm | undefined
}

export interface KeySetOptions extends TokenRules, Partial<Pick<TokenOptions, 'secret' | 'algorithm'>> {
  /**
   * The public keys of who issues tokens: the address of a JSON Web Key Set (https, or http on this machine), fetched
   * when the first token comes and again when an unknown key is named, at most every 30 s; or the set itself, as JSON.
   * A `secret` beside it is accepted too, for its own algorithm.
   */
  readonly jwks: string | JSONWebKeySet
  /** The algorithms that are accepted with the keys. Default RS256 alone. */
  readonly jwksAlgorithms?: readonly KeyAlgorithm[] | undefined
}

export interface Identity {
  readonly userId: string
  /** Unix milliseconds; left out: the connection does not end by itself. */
  readonly expiresAt?: number | undefined
  /** The token's own id (`jti`), by which it can be revoked. */
  readonly tokenId?: string | undefined
}

export interface CustomAuth {
  /**
   * Verifies a token in the application's own way. Throw TautlineError('INVALID_TOKEN') or ('TOKEN_EXPIRED') to
   * refuse; any other error means that it could not be decided, and the client tries again later.
   */
  verify(token: string): Identity | Promise<Identity>
}

/** What holds for tokens of every kind. */
export interface TokenWays {
  /** How long a ticket of `POST /ticket` can be used, once. Default 300,000 ms. */
  readonly ticketLifetimeMs?: number | undefined
  /**
   * Whether a token or a ticket may come in the URL, as `?token=` or `?ticket=`. Default false: proxies and browsers
   * write URLs down. Switch it on for clients that can do nothing else, and let them use tickets.
   */
  readonly allowQuery?: boolean | undefined
}

export type AuthOptions = (TokenOptions | KeySetOptions | CustomAuth) & TokenWays

export type Verifier = (token: string) => Promise<Verification>

const DEFAULT_MAX_TOKEN_AGE_MS = 3_600_000
/** How far ahead of ours the clock of who issued a token may be. */
const CLOCK_SKEW_MS = 60_000
/** Less than the time that a connection has for its authentication. */
const KEY_SET_TIMEOUT_MS = 4_000

/** `onUndecided`: told the error of a verification that neither accepted nor refused. */
export function createVerifier(auth: AuthOptions, onUndecided: (error: unknown) => void): Verifier {
  const identify = 'verify' in auth ? (token: string) => auth.verify(token) : createJwtReader(auth)
  return async (token) => {
    try {
      const { userId, expiresAt, tokenId } = await identify(token)
      // Neither a token nor an application is bound by the types.
      if (typeof userId !== 'string' || !USER_ID.test(userId)) return { ok: false, code: 'INVALID_TOKEN' }
      if (expiresAt !== undefined && !Number.isSafeInteger(Math.floor(expiresAt)))
        throw new TypeError('expiresAt must be Unix milliseconds')
      return {
        ok: true,
        userId,
        expiresAt: expiresAt === undefined ? undefined : Math.floor(expiresAt),
        tokenId: typeof tokenId === 'string' ? tokenId : undefined,
      }
    } catch (error) {
      const code = codeOf(error)
      if (code === 'SERVER_ERROR') onUndecided(withoutToken(error, token))
      return { ok: false, code }
    }
  }
}

/** How long no token can live. One of the application's own making may: a day is what it gets. */
export function maxTokenLifeMs(auth: AuthOptions): number {
  if ('verify' in auth) return 86_400_000
  return (auth.maxTokenAgeMs ?? DEFAULT_MAX_TOKEN_AGE_MS) + CLOCK_SKEW_MS
}

/** The error of the application's own verification goes to the log, where no token may be. */
function withoutToken(error: unknown, token: string): unknown {
  if (!(error instanceof Error) || token === '') return error
  return `${error.message}${error.stack}`.includes(token)
    ? new Error(error.message.replaceAll(token, '[the token]'))
    : error
}

export interface NewToken extends TokenOptions {
  readonly userId: string
  /** Default: maxTokenAgeMs. */
  readonly lifetimeMs?: number | undefined
  /** Its `jti`, by which the server can revoke it. Default: none. */
  readonly tokenId?: string | undefined
}

/** Makes a token that a server with the same options accepts. For the command line, tests and demonstrations. */
export async function createToken(options: NewToken): Promise<string> {
  const { userId, secret, algorithm = 'HS256', issuer, audience, tokenType = 'JWT', tokenId } = options
  if (!USER_ID.test(userId))
    throw new TypeError('A user id is 1 to 128 characters of A-Z a-z 0-9 . _ @ | : + = and -.')
  if (userId === SYSTEM_USER_ID)
    throw new TypeError(`The user id ${SYSTEM_USER_ID} is that of the server itself; no token is for it.`)
  const objection = objectionToSecret(secret, algorithm)
  if (objection !== undefined) throw new TypeError(`The secret of the tokens ${objection}`)
  const lifetimeMs = options.lifetimeMs ?? options.maxTokenAgeMs ?? DEFAULT_MAX_TOKEN_AGE_MS
  const issuedAt = Math.floor(Date.now() / 1_000)
  const token = new SignJWT()
    .setProtectedHeader({ alg: algorithm, typ: tokenType })
    .setSubject(userId)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + Math.floor(lifetimeMs / 1_000))
  if (issuer !== undefined) token.setIssuer(issuer)
  if (audience !== undefined) token.setAudience(audience)
  if (tokenId !== undefined) token.setJti(tokenId)
  return token.sign(keyOf(secret))
}

/** What speaks against the secret, without repeating it; undefined: nothing. */
export function objectionToSecret(secret: unknown, algorithm: Algorithm = 'HS256'): string | undefined {
  const min = MIN_SECRET_BYTES[algorithm]
  const wanted = `must be at least ${min} bytes long for ${algorithm}`
  if (typeof secret !== 'string' && !(secret instanceof Uint8Array)) return `${wanted}; none was given.`
  const { length } = keyOf(secret)
  return length < min ? `${wanted}; it has ${length}.` : undefined
}

function keyOf(secret: string | Uint8Array): Uint8Array {
  return typeof secret === 'string' ? new TextEncoder().encode(secret) : secret
}

function createJwtReader(options: TokenOptions | KeySetOptions): (token: string) => Promise<Identity> {
  const { issuer, audience, tokenType, maxTokenAgeMs = DEFAULT_MAX_TOKEN_AGE_MS } = options
  const { algorithms, keyFor, secret } = keysOf(options)
  const required: JWTVerifyOptions = { algorithms, requiredClaims: ['sub', 'iat', 'exp'] }
  if (issuer !== undefined) required.issuer = issuer
  if (audience !== undefined) required.audience = audience
  if (tokenType !== undefined) required.typ = tokenType
  const short = secret && new HmacTokens(secret.algorithm, secret.key, required)

  async function claimsOf(token: string): Promise<JWTPayload> {
    const known = short?.read(token)
    if (known) return known
    const { payload, protectedHeader } = await jwtVerify(token, keyFor, required)
    if (protectedHeader.alg === secret?.algorithm) short?.trustHeaderOf(token)
    return payload
  }

  return async (token) => {
    const { sub, iat, exp, jti } = await claimsOf(token)
    if (sub === undefined || iat === undefined || exp === undefined) throw new TautlineError('INVALID_TOKEN')
    if (iat * 1_000 > Date.now() + CLOCK_SKEW_MS) throw new TautlineError('INVALID_TOKEN')
    if ((exp - iat) * 1_000 > maxTokenAgeMs) throw new TautlineError('INVALID_TOKEN')
    return { userId: sub, expiresAt: exp * 1_000, tokenId: jti }
  }
}

/** The secret for its algorithm, the key set for the others: so no public key is ever taken for a secret. */
function keysOf(options: TokenOptions | KeySetOptions) {
  const { secret, algorithm = 'HS256' } = options
  const key = secret === undefined ? undefined : keyOf(secret)
  const set = 'jwks' in options ? keySetOf(options.jwks) : undefined
  const keyAlgorithms = set && 'jwks' in options ? (options.jwksAlgorithms ?? ['RS256']) : []
  return {
    secret: key && { algorithm, key },
    algorithms: [...(key ? [algorithm] : []), ...keyAlgorithms],
    keyFor: async (header: JWSHeaderParameters, input: FlattenedJWSInput) => {
      if (key && header.alg === algorithm) return key
      if (set) return set(header, input)
      throw new TautlineError('INVALID_TOKEN')
    },
  }
}

function keySetOf(jwks: string | JSONWebKeySet) {
  if (typeof jwks !== 'string') return createLocalJWKSet(jwks)
  if (jwks.trimStart().startsWith('{')) return createLocalJWKSet(JSON.parse(jwks) as JSONWebKeySet)
  return createRemoteJWKSet(new URL(jwks), { timeoutDuration: KEY_SET_TIMEOUT_MS })
}

/** What speaks against the key set; undefined: nothing. Symmetric and private keys have no place in it. */
export function objectionToKeySet(jwks: unknown): string | undefined {
  const wanted = 'must be the https address of a JSON Web Key Set, or the set itself'
  if (typeof jwks === 'string' && !jwks.trimStart().startsWith('{'))
    return isKeySetAddress(jwks) ? undefined : `${wanted}; it is "${jwks.slice(0, 100)}".`
  try {
    const set: unknown = typeof jwks === 'string' ? JSON.parse(jwks) : jwks
    createLocalJWKSet(set as JSONWebKeySet)
    const { keys } = set as JSONWebKeySet
    return keys.some((key) => key.kty === 'oct' || key.d !== undefined)
      ? `${wanted}; it holds a key that is not public.`
      : undefined
  } catch {
    return `${wanted}; it is no such set.` // and is not repeated: who knows what it holds
  }
}

function isKeySetAddress(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, hostname } = new URL(text)
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname))
}

function codeOf(error: unknown): Code {
  if (error instanceof errors.JWTExpired) return 'TOKEN_EXPIRED'
  // The key set could not be fetched or is none: that says nothing about the token.
  if (error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid) return 'SERVER_ERROR'
  if (error instanceof errors.JOSEError)
    return error.code === errors.JOSEError.code ? 'SERVER_ERROR' : 'INVALID_TOKEN'
  if (error instanceof TautlineError && CODES[error.code].closeCode !== null) return error.code
  return 'SERVER_ERROR'
}
