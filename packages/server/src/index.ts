/** @tautline/server: the reference server. Rooms as durable logs over WebSocket. */
export { SYSTEM_USER_ID, TautlineError } from '@tautline/protocol/wire'
export type {
  ActingUser,
  MessageEdit,
  MessageTarget,
  NewMessage,
  NewMissedCall,
  NewNotice,
  NewNotification,
  NewRoom,
  SentMessage,
  ServerRooms,
} from './application.ts'
export {
  type Algorithm,
  type AuthOptions,
  type CustomAuth,
  createToken,
  type Identity,
  type KeyAlgorithm,
  type KeySetOptions,
  type NewToken,
  type TokenOptions,
  type TokenWays,
} from './auth.ts'
export { OptionError } from './checks.ts'
export type { ServerOptions } from './config.ts'
export type {
  Acquaintance,
  Appended,
  CommandOp,
  CommitResult,
  HistoryRequest,
  HistoryResult,
  JoinOp,
  LeaveOp,
  MarkReadOp,
  MembersResult,
  Outcome,
  PageRequest,
  PageResult,
  ReadPosition,
  Seen,
  Store,
  StoredMember,
  StoreFactory,
  StoreOp,
} from './core/store.ts'
export type { Quota } from './core/usage.ts'
export {
  type DurableMessage,
  type EventRecipient,
  type Extension,
  type ExtensionOptions,
  type Handlers,
  handle,
  type RequestMessage,
  type ServerExtension,
  type SessionEvent,
  type SignalMessage,
} from './extensions.ts'
export type {
  ActionRequest,
  ConnectionEvent,
  DescribedUsers,
  DescribeUsers,
  Hooks,
  MessageChange,
  SightRequest,
  SubmittedMessage,
  UserDetails,
} from './hooks.ts'
export type { RequestHandler } from './http.ts'
export type { Logger } from './log.ts'
export type { ConnectionInfo, Metrics, RoomInfo } from './metrics.ts'
export type { PushNotification } from './pusher.ts'
export type { EntriesOptions, MembersOptions } from './room-reads.ts'
export { createServer, type Health, type Server } from './server.ts'
export type { ServerSocket, SocketListener } from './socket.ts'
export { type MemoryOptions, type MemoryStoreFactory, memory } from './stores/memory.ts'
export { type SqliteOptions, sqlite } from './stores/sqlite.ts'
export type { Usage } from './usage.ts'
