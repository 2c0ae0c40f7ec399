/**
 * The protocol without its validators: the entry point for a browser bundle. Types of messages, codes, limits, ids,
 * the room log. Nothing here loads a schema library.
 */
export {
  boundedWait,
  type ClientAction,
  type CloseMeaning,
  CODES,
  type Code,
  type CodeRow,
  encodeCloseReason,
  isCode,
  MEANINGS,
  readClose,
  TautlineError,
} from './codes.ts'
export {
  directRoomId,
  FINGERPRINT,
  MESSAGE_ID,
  makeMessageId,
  ownLogId,
  ROOM_ID,
  SID,
  SYSTEM_USER_ID,
  USER_ID,
  usersOfDirectRoom,
} from './ids.ts'
export { decide, type ExistingEntry, type LaneCommand, type LaneDecision } from './lane.ts'
export {
  DEFAULT_LIMITS,
  HEARTBEAT_INTERVAL_MS,
  HEARTBEAT_TIMEOUT_MS,
  HELLO_TIMEOUT_MS,
  type Limits,
  MAX_BATCH,
  MAX_DEPTH,
  MAX_FRAME_BYTES,
  MAX_MENTIONS,
  MAX_PAGE_BYTES,
  MAX_PAGE_ENTRIES,
  MAX_PAGE_MEMBERS,
  MAX_REPLAY_ENTRIES,
  MAX_ROOMS_PER_FRAME,
  MAX_USERS_PER_FRAME,
  MAX_WAIT_MS,
  PRESENCE_GRACE_MS,
  SUBPROTOCOL,
  TYPING_INTERVAL_MS,
  TYPING_TIMEOUT_MS,
} from './limits.ts'
export { type Cursor, digestOf, type Follow, follow, LOG_START, nextFingerprint } from './log.ts'
export { findFault, isWellFormed, type TextFault, utf8Bytes } from './text.ts'
export type {
  ClientMessage,
  ClientMessageType,
  CommandPayload,
  CommandType,
  Entry,
  EntryOf,
  EntryPayload,
  EntryType,
  Member,
  MessageKind,
  PayloadOf,
  PresenceStatus,
  Role,
  RoomDescription,
  ServerMessage,
  ServerMessageType,
  Visibility,
} from './vocabulary.ts'
