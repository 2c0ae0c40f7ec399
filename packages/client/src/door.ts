/**
 * The client's door for frames: text in, messages out. By hand, so that no schema library is in the default bundle; it
 * checks the envelope, and of each message just the fields on which the core acts. Held by tests to the schemas of the
 * protocol: whatever they accept passes here, and what passes here cannot make the core fail.
 */
import { DEFAULT_LIMITS, MAX_BATCH, type ServerMessage } from '@tautline/protocol/wire'
import type { HandledServerMessageType } from './core/handled.ts'

type Fields = Readonly<Record<string, unknown>>

/** The messages of a frame; those of a type that nobody acts on left out. Undefined: this is not a frame of the protocol. */
export type Door = (data: unknown) => readonly ServerMessage[] | undefined

export const openDoor: Door = (data) => {
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
    if (!Object.hasOwn(CHECKS, item.type)) continue
    if (!isFields(item.payload) || !CHECKS[item.type as HandledServerMessageType](item.payload))
      return undefined
    // A time that is none is left out, as the schemas do: the core reckons with it.
    const { type, payload, timestamp } = item
    messages.push((isCount(timestamp) ? { type, payload, timestamp } : { type, payload }) as ServerMessage)
  }
  return messages
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const isText = (value: unknown): boolean => typeof value === 'string'
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0
const isFlag = (value: unknown): boolean => typeof value === 'boolean'
const isMaybe = (check: (value: unknown) => boolean, value: unknown): boolean =>
  value === undefined || check(value)
const isCounts = (value: unknown): boolean => Array.isArray(value) && value.every(isCount)
const isCursor = (value: unknown): boolean => isFields(value) && isCount(value.seq) && isText(value.h)
const isList = (value: unknown, check: (item: Fields) => boolean): boolean =>
  Array.isArray(value) && value.every((item) => isFields(item) && check(item))

const isEntry = (item: Fields): boolean =>
  isText(item.type) &&
  isCount(item.seq) &&
  isText(item.sender) &&
  isText(item.messageId) &&
  isCount(item.timestamp) &&
  isFields(item.payload)

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
const isAboutRoom = (payload: Fields): boolean => isCount(payload.ref) && isText(payload.room)

const isReceipt = (payload: Fields): boolean =>
  isUserInRoom(payload) && isCount(payload.seq) && isMaybe(isCount, payload.ref)

const isPresence = (item: Fields): boolean => isText(item.userId) && isText(item.status)

const isAttendance = (payload: Fields): boolean =>
  isText(payload.room) &&
  isList(payload.users, (item) => isText(item.userId) && isText(item.status)) &&
  isMaybe(isCount, payload.count)

const CHECKS: { readonly [T in HandledServerMessageType]: (payload: Fields) => boolean } = {
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
  history: (payload) =>
    isAboutRoom(payload) &&
    isList(payload.entries, isEntry) &&
    isCount(payload.at) &&
    isMaybe(isCount, payload.from) &&
    isMaybe(isCount, payload.to) &&
    isFlag(payload.hasOlder) &&
    isFlag(payload.hasNewer),
  user_list: (payload) => isCount(payload.ref) && isList(payload.users, (item) => isText(item.userId)),
  version_list: (payload) =>
    isAboutRoom(payload) &&
    isList(payload.versions, (item) => isCount(item.seq) && isFields(item.body)) &&
    isFlag(payload.hasOlder),
  reaction_list: (payload) => isAboutRoom(payload) && isList(payload.reactions, (item) => isText(item.emoji)),
  unsubscribed: (payload) => isCount(payload.ref),
  done: (payload) => isCount(payload.ref),
  room_info: isAboutRoom,
  room_list: (payload) =>
    isCount(payload.ref) &&
    isList(payload.rooms, (item) => isText(item.room) && isText(item.visibility)) &&
    isFlag(payload.hasMore),
  unread_changed: (payload) =>
    isText(payload.room) && isCount(payload.read) && isCount(payload.head) && isCount(payload.unread),
  room_joined: isAboutRoom,
  room_left: (payload) => isText(payload.room) && isMaybe(isCount, payload.ref),
  member_list: (payload) =>
    isAboutRoom(payload) && isList(payload.members, (item) => isText(item.userId)) && isFlag(payload.hasMore),
  active_member_list: (payload) =>
    isAboutRoom(payload) && isList(payload.members, (item) => isText(item.userId)),
  room_receipts: (payload) =>
    isText(payload.room) &&
    isList(payload.receipts, (item) => isText(item.userId) && isCount(item.delivered) && isCount(item.read)),
  messages_read: isReceipt,
  messages_delivered: isReceipt,
  typing_started: isUserInRoom,
  typing_stopped: isUserInRoom,
  room_presence: isAttendance,
  presence_changed: isAttendance,
  user_presence: (payload) =>
    isMaybe(isCount, payload.ref) &&
    isList(payload.users, isPresence) &&
    isMaybe(Array.isArray, payload.ended),
  notification_list: (payload) =>
    isCount(payload.ref) &&
    isList(
      payload.notifications,
      (item) => isFields(item.entry) && isEntry(item.entry) && isFlag(item.read),
    ) &&
    isCount(payload.unread) &&
    isCount(payload.head) &&
    isFlag(payload.hasOlder),
  notifications_changed: (payload) =>
    isMaybe(isCount, payload.ref) &&
    isMaybe(isCounts, payload.read) &&
    isMaybe(isCounts, payload.cleared) &&
    isMaybe(isCount, payload.readUpTo) &&
    isMaybe(isCount, payload.clearedUpTo) &&
    isCount(payload.unread) &&
    isCount(payload.head),
  notifications_set: (payload) =>
    isMaybe(isCount, payload.ref) &&
    isText(payload.room) &&
    isText(payload.level) &&
    isMaybe(isCount, payload.silencedUntil),
  signal: (payload) =>
    isText(payload.type) &&
    isFields(payload.payload) &&
    isMaybe(isText, payload.room) &&
    isMaybe(isText, payload.sender),
  response: (payload) => isCount(payload.ref) && isFields(payload.payload),
}
