/**
 * What the checks of messages are made of: by hand, so that no schema library is in the default bundle. The door has the
 * checks of what the core and the rooms act on; a subject brings those of its own messages (`port.learn`).
 */
import type { ServerMessageType } from '@tautline/protocol/wire'

export type Fields = Readonly<Record<string, unknown>>

/** Whether a payload has the fields, of the form, on which somebody acts. */
export type Check = (payload: Fields) => boolean

/** By the type of the message. */
export type Checks = { readonly [T in ServerMessageType]?: Check }

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export const isText = (value: unknown): boolean => typeof value === 'string'
export const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0
export const isFlag = (value: unknown): boolean => typeof value === 'boolean'
export const isMaybe = (check: (value: unknown) => boolean, value: unknown): boolean =>
  value === undefined || check(value)
export const isCounts = (value: unknown): boolean => Array.isArray(value) && value.every(isCount)
export const isList = (value: unknown, check: (item: Fields) => boolean): boolean =>
  Array.isArray(value) && value.every((item) => isFields(item) && check(item))

export const isEntry = (item: Fields): boolean =>
  isText(item.type) &&
  isCount(item.seq) &&
  isText(item.sender) &&
  isText(item.messageId) &&
  isCount(item.timestamp) &&
  isFields(item.payload)
export const isAboutRoom: Check = (payload) => isCount(payload.ref) && isText(payload.room)
/** What is left to read in a room. */
export const isUnread: Check = (item) =>
  isText(item.room) && isCount(item.read) && isCount(item.head) && isCount(item.unread)
