/**
 * The client's door for frames: text in, messages out. By hand, so that no schema library is in the default bundle; it
 * checks the envelope, and of each message just the fields on which the core acts. Held by tests to the schemas of the
 * protocol: whatever they accept passes here, and what passes here cannot make the core fail.
 */
import {
  DEFAULT_LIMITS,
  MAX_BATCH,
  type ServerMessage,
  type ServerMessageType,
} from '@tautline/protocol/wire'
import type { HandledServerMessageType } from './core/handled.ts'
import {
  type Check,
  type Checks,
  type Fields,
  isAboutRoom,
  isCount,
  isEntry,
  isFields,
  isFlag,
  isList,
  isMaybe,
  isText,
  isUnread,
} from './shapes.ts'

/**
 * The messages of a frame; those of a type that nobody acts on left out. Undefined: this is not a frame of the protocol.
 * `learned`: the checks of the subjects that are in use.
 */
export type Door = (data: unknown, learned?: Checks) => readonly ServerMessage[] | undefined

export const openDoor: Door = (data, learned = {}) => {
  if (typeof data !== 'string') return undefined
  let value: unknown
  try {
    value = JSON.parse(data)
  } catch {
    return undefined
  }
  const messages: ServerMessage[] = []
  for (const item of Array.isArray(value) ? (value as unknown[]) : [value]) {
    if (!isFields(item) || typeof item.type !== 'string') return undefined
    const check = checkOf(CHECKS, item.type) ?? checkOf(learned, item.type)
    if (!check) continue
    if (!isFields(item.payload) || !check(item.payload)) return undefined
    // A time that is none is left out, as the schemas do: the core reckons with it.
    const { type, payload, timestamp } = item
    messages.push((isCount(timestamp) ? { type, payload, timestamp } : { type, payload }) as ServerMessage)
  }
  return messages
}

function checkOf(checks: Checks, type: string): Check | undefined {
  return Object.hasOwn(checks, type) ? checks[type as ServerMessageType] : undefined
}

/** Entries without a hole: the follower's rule relies on it. */
function isRun(value: unknown, from?: number): boolean {
  if (!isList(value, isEntry)) return false
  const run = value as readonly { readonly seq: number }[]
  return run.every((entry, i) => entry.seq === (from ?? (run[0]?.seq ?? 0) - 1) + i + 1)
}

/** The core takes each command of a run by itself. */
const isBatchSize = (value: unknown): boolean => isCount(value) && (value as number) <= MAX_BATCH
const isAck = (item: Fields): boolean =>
  isCount(item.ref) &&
  isCount(item.seq) &&
  isMaybe(isBatchSize, item.count) &&
  isMaybe(isCount, item.timestamp)

const LIMIT_NAMES = Object.keys(DEFAULT_LIMITS)
const isLimits = (value: unknown): boolean =>
  isFields(value) && LIMIT_NAMES.every((name) => typeof value[name] === 'number' && value[name] > 0)

const isUserInRoom = (payload: Fields): boolean => isText(payload.room) && isText(payload.userId)
const isCursor = (value: unknown): boolean => isFields(value) && isCount(value.seq) && isText(value.h)

const isReceipt = (payload: Fields): boolean =>
  isUserInRoom(payload) && isCount(payload.seq) && isMaybe(isCount, payload.ref)

const isAttendance = (payload: Fields): boolean =>
  isText(payload.room) &&
  isList(payload.users, (item) => isText(item.userId) && isText(item.status)) &&
  isMaybe(isCount, payload.count)

const CHECKS: { readonly [T in HandledServerMessageType]: Check } = {
  connected: (payload) =>
    isText(payload.userId) &&
    isText(payload.epoch) &&
    isMaybe(isCount, payload.tokenExpiresAt) &&
    isLimits(payload.limits),
  token_renewed: (payload) => isCount(payload.ref) && isMaybe(isCount, payload.tokenExpiresAt),
  ping: (payload) => isCount(payload.ref),
  pong: (payload) => isCount(payload.ref),
  ack: (payload) => isList(payload.acks, isAck),
  error: (payload) =>
    isMaybe(isCount, payload.ref) &&
    isText(payload.code) &&
    isMaybe(isBatchSize, payload.count) &&
    isMaybe(isText, payload.room) &&
    isMaybe(isCount, payload.retryAfterMs),
  going_away: (payload) => isCount(payload.reconnectAfterMs),
  entries: (payload) => isText(payload.room) && isText(payload.h) && isRun(payload.entries),
  page: (payload) =>
    isAboutRoom(payload) &&
    isText(payload.epoch) &&
    isCursor(payload.after) &&
    isRun(payload.entries, (payload.after as { seq: number }).seq) &&
    isText(payload.h) &&
    isCount(payload.head) &&
    isMaybe(isFields, payload.gap),
  reset: (payload) => isAboutRoom(payload) && isText(payload.epoch),
  checked: (payload) => isCount(payload.ref) && Array.isArray(payload.rooms) && payload.rooms.every(isText),
  unsubscribed: (payload) => isCount(payload.ref),
  done: (payload) => isCount(payload.ref),
  room_info: isAboutRoom,
  room_list: (payload) =>
    isCount(payload.ref) &&
    isList(payload.rooms, (item) => isText(item.room) && isText(item.visibility)) &&
    isFlag(payload.hasMore),
  unread_changed: isUnread,
  room_joined: isAboutRoom,
  room_left: (payload) => isText(payload.room) && isMaybe(isCount, payload.ref),
  room_receipts: (payload) =>
    isText(payload.room) &&
    isList(payload.receipts, (item) => isText(item.userId) && isCount(item.delivered) && isCount(item.read)),
  messages_read: isReceipt,
  messages_delivered: isReceipt,
  typing_started: isUserInRoom,
  typing_stopped: isUserInRoom,
  room_presence: isAttendance,
  presence_changed: isAttendance,
}
