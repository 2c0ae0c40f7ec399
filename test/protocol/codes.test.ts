import {
  CODE_NAME,
  CODES,
  type Code,
  type CodeRow,
  encodeCloseReason,
  isCode,
  knownCode,
  MAX_WAIT_MS,
  MEANINGS,
  readClose,
  TautlineError,
} from '@tautline/protocol'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { anyText, holds } from './property.ts'

const rows = Object.entries(CODES) as [Code, CodeRow][]
const closing = rows.flatMap(([code, { closeCode, action, retryable }]) =>
  closeCode === null ? [] : [{ code, closeCode, action, retryable }],
)

describe('each row of the table', () => {
  it.each(rows)('%s agrees with itself', (code, row) => {
    expect(code).toMatch(/^[A-Z]+(_[A-Z]+)*$/)
    expect(code).toMatch(CODE_NAME)
    expect(MEANINGS[code]).toMatch(/^[a-z].*[^.]$/)
    if (row.final) expect(row).toMatchObject({ retryable: false, closeCode: null, action: 'fail' })
    if (row.action === 'fail') expect(row.final).toBe(true)
    if (row.closeCode !== null) {
      expect(['retry', 'retry_slowly', 'reauthenticate', 'stop']).toContain(row.action)
      expect(row.retryable).toBe(row.action !== 'stop')
    }
    if (row.closeCode === null) expect(['none', 'fail', 'retry']).toContain(row.action)
  })

  it('has a meaning of its own', () => {
    expect(new Set(Object.values(MEANINGS)).size).toBe(rows.length)
  })
})

describe('the close codes', () => {
  it('are those of RFC 6455 that an application may send, or its private ones', () => {
    const standard = [1000, 1001, 1003, 1008, 1009, 1011, 1012, 1013]
    expect(closing.map((row) => row.closeCode).filter((code) => code < 4000)).toEqual(standard)
    const own = closing.map((row) => row.closeCode).filter((code) => !standard.includes(code))
    expect(own.every((code) => code >= 4000 && code <= 4999)).toBe(true)
  })

  it('ask for the same action wherever codes share one', () => {
    const actions = new Map<number, string>()
    for (const { closeCode, action } of closing) {
      expect(actions.get(closeCode) ?? action).toBe(action)
      actions.set(closeCode, action)
    }
  })

  // A change of this table is a change of the protocol.
  it('are these', () => {
    expect(
      Object.fromEntries(closing.map(({ code, closeCode, action }) => [code, [closeCode, action]])),
    ).toEqual({
      NORMAL: [1000, 'retry'],
      GOING_AWAY: [1001, 'retry'],
      UNSUPPORTED_DATA: [1003, 'retry_slowly'],
      ABUSE: [1008, 'retry_slowly'],
      FRAME_TOO_BIG: [1009, 'retry_slowly'],
      SERVER_ERROR: [1011, 'retry'],
      RESTART: [1012, 'retry'],
      TRY_AGAIN_LATER: [1013, 'retry'],
      ROOM_ACCESS_DENIED: [4001, 'stop'],
      INVALID_TOKEN: [4002, 'reauthenticate'],
      NO_TOKEN: [4002, 'reauthenticate'],
      TOKEN_EXPIRED: [4002, 'reauthenticate'],
      PARSE_ERROR: [4400, 'retry_slowly'],
      IDENTITY_MISMATCH: [4403, 'stop'],
      UNSUPPORTED_VERSION: [4406, 'stop'],
      HELLO_TIMEOUT: [4408, 'retry'],
      TOO_MANY_CONNECTIONS: [4409, 'retry_slowly'],
      REPLACED: [4410, 'stop'],
      IDLE: [4411, 'retry'],
      SLOW_CONSUMER: [4420, 'retry'],
    })
  })
})

describe('the outcomes of a durable command', () => {
  it('are final for these codes and no others', () => {
    expect(rows.filter(([, row]) => row.final).map(([code]) => code)).toEqual([
      'VALIDATION_ERROR',
      'FORBIDDEN',
      'MUTED',
      'MESSAGE_TOO_LONG',
      'MESSAGE_DELETED',
      'TOO_MANY_REACTIONS',
      'ID_CONFLICT',
      'VOID',
      'SKIPPED',
      'REJECTED',
      'CANCELLED',
      'EXPIRED',
      'POISON',
      'OUTBOX_FULL',
    ])
  })

  it.each(['RATE_LIMIT', 'UNAVAILABLE', 'INTERNAL_ERROR', 'SEND_ERROR', 'FETCH_ERROR', 'GAP'] as const)(
    '%s leaves the lane as it was',
    (code) => expect(CODES[code]).toMatchObject({ retryable: true, final: false, closeCode: null }),
  )
})

describe('a code that the table lacks', () => {
  it('is REJECTED where it is said to be final, and else one to try again', () => {
    expect(knownCode('JOB_NOT_FOUND', true)).toBe('REJECTED')
    expect(knownCode('JOB_NOT_FOUND', false)).toBe('UNAVAILABLE')
    expect(knownCode('toString', undefined)).toBe('UNAVAILABLE')
    for (const [code] of rows) expect([code, knownCode(code, true)]).toEqual([code, code])
  })
})

describe('the codes about a request', () => {
  it.each([
    ['UNKNOWN_TYPE', false],
    ['INVALID_MESSAGE', false],
    ['CLOSED', false],
    ['TIMEOUT', true],
    ['DISCONNECTED', true],
  ] as const)('%s: it helps to ask again: %s', (code, retryable) => {
    expect(CODES[code]).toMatchObject({ retryable, final: false, closeCode: null, action: 'none' })
  })
})

describe('isCode', () => {
  it.each(rows)('knows %s', (code) => expect(isCode(code)).toBe(true))

  it.each([undefined, null, 0, {}, [], '', 'gap', 'toString', '__proto__', 'constructor', ['GAP']])(
    'does not know %j',
    (value) => expect(isCode(value)).toBe(false),
  )
})

describe('TautlineError', () => {
  it('says its code, and what it is told beyond that', () => {
    expect(new TautlineError('GAP').message).toBe('GAP')
    expect(new TautlineError('GAP', 'n is 3, not 2').message).toBe('GAP: n is 3, not 2')
  })

  it('carries code, name, whether retrying helps, and for how long to wait', () => {
    const error = new TautlineError('RATE_LIMIT', undefined, 750)
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({
      name: 'TautlineError',
      code: 'RATE_LIMIT',
      retryable: true,
      retryAfterMs: 750,
    })
    expect(new TautlineError('FORBIDDEN')).toMatchObject({ retryable: false, retryAfterMs: undefined })
  })
})

describe('the reason of a close frame', () => {
  it.each(closing)('names $code, which the other end reads back', ({ code, closeCode, action }) => {
    expect(readClose(closeCode, encodeCloseReason(code))).toEqual({ code, action, retryAfterMs: undefined })
    expect(readClose(closeCode, encodeCloseReason(code, 1500))).toEqual({ code, action, retryAfterMs: 1500 })
  })

  it('carries any wait, rounded and never longer than it can say', () => {
    const wait = fc.oneof(fc.nat(), fc.double(), fc.maxSafeInteger())
    holds(
      fc.property(fc.constantFrom(...closing), wait, ({ code, closeCode }, ms) => {
        const reason = encodeCloseReason(code, ms)
        const expected = Number.isNaN(ms) ? 0 : Math.min(MAX_WAIT_MS, Math.max(0, Math.round(ms)))
        return Buffer.byteLength(reason) <= 123 && readClose(closeCode, reason).retryAfterMs === expected
      }),
    )
  })
})

describe('readClose', () => {
  it.each([1002, 1005, 1006, 1007, 1010, 1014, 1015, 1016, 2999, 3000, 4000, 4999, 0, -1, Number.NaN])(
    'takes the unknown close code %d for a lost connection, to be tried again',
    (closeCode) =>
      expect(readClose(closeCode, '')).toEqual({
        code: 'GOING_AWAY',
        action: 'retry',
        retryAfterMs: undefined,
      }),
  )

  it('takes a wait beyond a day for a day', () => {
    expect(readClose(1013, 'TRY_AGAIN_LATER retry=999999999').retryAfterMs).toBe(86_400_000)
  })

  it('reads the wait that comes with an unknown close code or an unknown word', () => {
    expect(readClose(4999, 'NEW_CODE retry=200').retryAfterMs).toBe(200)
    expect(readClose(1013, 'NEW_CODE retry=200')).toMatchObject({
      code: 'TRY_AGAIN_LATER',
      retryAfterMs: 200,
    })
  })

  it('prefers the first row where the reason is silent', () => {
    expect(readClose(4002, '').code).toBe('INVALID_TOKEN')
    expect(readClose(4002, 'TOKEN_EXPIRED').code).toBe('TOKEN_EXPIRED')
  })

  it.each<[reason: string, why: string]>([
    ['REPLACED', 'a row with another close code'],
    ['FORBIDDEN', 'a row that closes nothing'],
    ['constructor', 'a name that every object has'],
    ['__proto__', 'a name that every object has'],
    ['toString retry=', 'half a wait'],
    ['restart', 'another case'],
    [' RESTART', 'a space before'],
    ['RESTART\nretry=5', 'another separator'],
    ['\0\0\0', 'NULs'],
    ['\ud800', 'a lone surrogate'],
    ['RESTART'.repeat(10_000), 'a reason far too long'],
  ])('does not believe %j', (reason) => {
    expect(readClose(1001, reason)).toEqual({ code: 'GOING_AWAY', action: 'retry', retryAfterMs: undefined })
  })

  it.each([
    'retry=-1',
    'retry=1.5',
    'retry=1e9',
    'retry=0x10',
    'retry=NaN',
    'retry=',
    'retry=9999999999',
    'retry=٣',
    'RETRY=5',
    'retry=5ms',
    ' retry=5',
  ])('does not wait for %j', (wait) => {
    expect(readClose(1012, `RESTART ${wait}`)).toEqual({
      code: 'RESTART',
      action: 'retry',
      retryAfterMs: undefined,
    })
  })

  it('answers anything with a row of the table and a finite wait', () => {
    holds(
      fc.property(fc.integer(), anyText, (closeCode, reason) => {
        const { code, action, retryAfterMs = 0 } = readClose(closeCode, reason)
        const row = CODES[code]
        return row.action === action && row.closeCode !== null && retryAfterMs === 0
      }),
    )
  })
})
