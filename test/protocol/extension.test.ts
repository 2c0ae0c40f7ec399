import { MAX_PAYLOAD_BYTES, MAX_PAYLOAD_DEPTH, TautlineError } from '@tautline/protocol'
import { checkPayload, defineProtocol, definitionOf, type PayloadSchema } from '@tautline/protocol/extension'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import * as mini from 'zod/mini'
import { jobs } from '../support/jobs.ts'
import { holds } from './property.ts'

const payload = z.object({})
/** As from JavaScript: whatever the types say. */
const define = (definition: object) => () => defineProtocol(definition as never)

describe('a definition', () => {
  it.each([
    ['no name', { messages: {} }],
    ['a name that is none', { name: 'my jobs', messages: {} }],
    ['a type in capitals', { name: 'm', messages: { Job: { kind: 'event', payload } } }],
    ['a type that every object has', { name: 'm', messages: { constructor: { kind: 'event', payload } } }],
    ['the event of what is not known', { name: 'm', messages: { unknown: { kind: 'event', payload } } }],
    ['no kind', { name: 'm', messages: { job: { payload } } }],
    ['a kind that there is not', { name: 'm', messages: { job: { kind: 'both', payload } } }],
    ['no schema', { name: 'm', messages: { job: { kind: 'event' } } }],
    ['what is no schema', { name: 'm', messages: { job: { kind: 'event', payload: { type: 'object' } } } }],
    ['a request without a response', { name: 'm', messages: { job: { kind: 'request', payload } } }],
    [
      'a code of the protocol',
      { name: 'm', messages: {}, errors: { FORBIDDEN: { message: '', retryable: false } } },
    ],
    [
      'a code in small letters',
      { name: 'm', messages: {}, errors: { gone: { message: '', retryable: false } } },
    ],
    ['an error without words', { name: 'm', messages: {}, errors: { GONE: { retryable: false } } }],
    [
      'an error too long',
      { name: 'm', messages: {}, errors: { GONE: { message: 'x'.repeat(1_001), retryable: true } } },
    ],
    ['an error that leaves open whether', { name: 'm', messages: {}, errors: { GONE: { message: '' } } }],
  ])('is refused with a sentence: %s', (_what, definition) => {
    expect(define(definition)).toThrow(TypeError)
    expect(define(definition)).toThrow(/^(m: \w+ |a protocol needs a name)/)
  })

  it('is found by type and kind', () => {
    expect(definitionOf(jobs, 'job_offer', 'durable')).toBe(jobs.messages.job_offer)
    expect(definitionOf(jobs, 'job_offer', 'signal')).toBeUndefined()
    expect(definitionOf(jobs, 'toString', 'durable')).toBeUndefined()
  })
})

describe('an error of the application', () => {
  it('is a TautlineError with a code of its own', () => {
    const error = jobs.error('JOB_NOT_FOUND')
    expect(error).toBeInstanceOf(TautlineError)
    expect(error).toMatchObject({ code: 'REJECTED', applicationCode: 'JOB_NOT_FOUND', retryable: false })
    expect(error.message).toBe('JOB_NOT_FOUND: There is no such job.')
    const busy = jobs.error('JOB_BUSY', 'Not now.', 5)
    expect(busy).toMatchObject({ code: 'UNAVAILABLE', retryable: true, retryAfterMs: 5, detail: 'Not now.' })
    expect(() => jobs.error('GONE' as 'JOB_BUSY')).toThrow('jobs has no error GONE')
  })

  it('is told from every other', () => {
    const other = new TautlineError('REJECTED', undefined, undefined, 'GONE')
    for (const no of [
      other,
      new TautlineError('REJECTED'),
      new Error('JOB_NOT_FOUND'),
      'JOB_NOT_FOUND',
      null,
    ])
      expect([jobs.isError(no), jobs.isError(no, 'JOB_NOT_FOUND')]).toEqual([false, false])
    const foreign = Object.assign(new Error('x'), { name: 'TautlineError', applicationCode: 'JOB_BUSY' })
    expect([jobs.isError(foreign), jobs.isError(foreign, 'JOB_BUSY')]).toEqual([true, true])
  })
})

describe('a payload', () => {
  const open = z.record(z.string(), z.any())
  const nested = (levels: number): object => (levels === 1 ? {} : { a: nested(levels - 1) })

  it('is what its schema makes of it, as JSON, whatever library the schema is of', () => {
    const schemas: PayloadSchema[] = [
      z.object({ a: z.string(), n: z.int().default(3), u: z.undefined().optional() }),
      mini.object({ a: mini.string(), n: mini._default(mini.int(), 3) }),
      {
        '~standard': {
          version: 1,
          vendor: 'own',
          validate: (value) => ({ value: { a: (value as { a: string }).a, n: 3, u: undefined } }),
        },
      },
    ]
    for (const schema of schemas)
      expect(checkPayload(schema, { a: 'x', more: 1 })).toEqual({ ok: true, payload: { a: 'x', n: 3 } })
  })

  it('is a copy', () => {
    const given = { a: [1] }
    const checked = checkPayload(open, given)
    given.a.push(2)
    expect(checked).toEqual({ ok: true, payload: { a: [1] } })
  })

  it.each<[string, PayloadSchema, unknown]>([
    ['not of its form', z.object({ a: z.string() }), { a: 1 }],
    ['a schema that answers later', z.object({}).refine(() => Promise.resolve(true)), {}],
    [
      'a schema that gives a promise',
      { '~standard': { version: 1, vendor: 'own', validate: () => Promise.resolve({ value: {} }) } },
      {},
    ],
    [
      'a schema that throws',
      {
        '~standard': {
          version: 1,
          vendor: 'own',
          validate: () => {
            throw new Error('no')
          },
        },
      },
      {},
    ],
    ['a bigint', open, { n: 1n }],
    ['a list', z.array(z.string()), ['a']],
    ['nothing', z.any(), undefined],
    ['too deep', open, nested(MAX_PAYLOAD_DEPTH + 1)],
    ['NUL', open, { a: '\0' }],
    ['half of a character', open, { '\ud800': 1 }],
  ])('is refused, and nothing is thrown: %s', (_what, schema, value) => {
    expect(checkPayload(schema, value)).toMatchObject({ ok: false, code: 'VALIDATION_ERROR' })
  })

  it('has a bound of its size and its depth', () => {
    const text = 'x'.repeat(MAX_PAYLOAD_BYTES - '{"a":""}'.length)
    expect(checkPayload(open, { a: text }).ok).toBe(true)
    expect(checkPayload(open, { a: `${text}x` })).toMatchObject({ ok: false, code: 'MESSAGE_TOO_LONG' })
    expect(checkPayload(open, { a: `${text.slice(1)}é` })).toMatchObject({ ok: false })
    expect(checkPayload(open, nested(MAX_PAYLOAD_DEPTH)).ok).toBe(true)
  })

  it('is refused without a word of what was sent', () => {
    const schema = z.record(z.string(), z.int())
    const checked = checkPayload(schema, { 'my secret': 'told' })
    expect(checked).toMatchObject({ ok: false, detail: 'it is not of its form' })
  })

  it('of whatever kind is checked twice as once', () => {
    holds(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const once = checkPayload(open, value)
        if (once.ok) expect(checkPayload(open, once.payload)).toEqual(once)
      }),
    )
  })
})
