/**
 * Whether what a store of the outbox gave is a row: other versions, other programs and broken disks write there, too. By
 * hand, since it comes with every store. One that is none is never sent, and the application is told of it.
 */
import { isCode } from '@tautline/protocol/wire'
import type { LaneRow, StoredRow } from './core/outbox-row.ts'

export function isStoredRow(value: unknown): value is StoredRow {
  if (!isLaneRow(value) || !isFields(value)) return false
  const { order, failed } = value
  return isCount(order) && (failed === undefined || (isFields(failed) && isFailure(failed)))
}

export function isLaneRow(value: unknown): value is LaneRow {
  return (
    isFields(value) &&
    isName(value.room) &&
    isName(value.type) &&
    isFields(value.payload) &&
    isName(value.messageId) &&
    isCount(value.bytes) &&
    isTime(value.createdAt) &&
    isName(value.sid) &&
    isCount(value.n) &&
    (value.skipFor === undefined || isCode(value.skipFor)) &&
    (value.joins === undefined || typeof value.joins === 'boolean')
  )
}

function isFailure({ code, detail, applicationCode }: Fields): boolean {
  return isCode(code) && isMaybeText(detail) && isMaybeText(applicationCode)
}

function isMaybeText(value: unknown): boolean {
  return value === undefined || typeof value === 'string'
}

type Fields = Readonly<Record<string, unknown>>

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

/** A clock may tell parts of milliseconds. */
function isTime(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value)
}

/** Whether it is a good one the server says. */
function isName(value: unknown): boolean {
  return typeof value === 'string' && value !== ''
}
