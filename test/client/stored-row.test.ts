// Which rows of a store are rows: whatever a client may have written, and nothing that would break one.

import { describe, expect, it } from 'vitest'
import { isStoredRow } from '../../packages/client/src/stored-row.ts'
import { laneRow } from './support/outbox-tab.ts'

const row = { ...laneRow('message-1'), order: 1 }

describe('a row of a store', () => {
  it.each([
    ['as it is', {}],
    // A clock of the application's own may tell parts of a millisecond.
    ['of a clock with a fraction', { createdAt: 1_790_000_184_104.7178 }],
    ['of a clock before 1970', { createdAt: -1 }],
    ['that gives its place up', { skipFor: 'CANCELLED' }],
    ['that waits for a join', { joins: true }],
    ['that failed', { failed: { code: 'FORBIDDEN', detail: 'no' } }],
    ['of another type', { type: 'job_offer', payload: {} }],
  ])('is one %s', (_what, more) => expect(isStoredRow({ ...row, ...more })).toBe(true))

  it.each([
    ['without a payload', { payload: undefined }],
    ['whose payload is a list', { payload: [] }],
    ['without a room', { room: '' }],
    ['whose place is a text', { n: '1' }],
    ['whose order is a part', { order: 1.5 }],
    ['of no time', { createdAt: Number.NaN }],
    ['of no size', { bytes: -1 }],
    ['that fails for no code', { failed: { code: 'toString' } }],
    ['that gives up for no code', { skipFor: '__proto__' }],
  ])('is none %s', (_what, more) => expect(isStoredRow({ ...row, ...more })).toBe(false))
})
