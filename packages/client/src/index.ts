/** @tautline/client: connect, send, follow rooms; nothing is lost when the link is. */
export {
  type Code,
  directRoomId,
  type Entry,
  type Member,
  type MessageBody,
  type MessageKind,
  type PresenceStatus,
  type Role,
  type RoomDescription,
  TautlineError,
} from '@tautline/protocol/wire'
export {
  type Client,
  type ClientEvents,
  type ClientSnapshot,
  createClient,
  type StatusChange,
} from './client.ts'
export type { BackoffOptions } from './core/backoff.ts'
export type { Gap, RoomPhase } from './core/context.ts'
export type { HeartbeatOptions } from './core/heartbeat.ts'
export type { StorageStatus } from './core/keeper.ts'
export type { OutboxOptions } from './core/outbox.ts'
export type { LaneRow, NewRow, OutboxNotice, SendOutcome, StoredRow } from './core/outbox-row.ts'
export type { RequestMessage } from './core/requests.ts'
export { STATUSES, type Status } from './core/status.ts'
export { type Door, openDoor } from './door.ts'
export { type DurableOutbox, durable } from './durable.ts'
export { browserLifecycle, type Lifecycle, type LifecycleEvent } from './lifecycle.ts'
export type {
  Content,
  Message,
  MessageContent,
  MessageFile,
  MessageLocation,
  MessageName,
} from './message.ts'
export type { Admitted, Appointed, Invited, Mentioned, Removed } from './notices.ts'
export type { ClientOptions } from './options.ts'
export type { OutboxScope, OutboxStorage, OutboxStore, OutboxStoreEvents } from './outbox-store.ts'
export type { OutboxView } from './outbox-view.ts'
export type { ClientPort } from './port.ts'
export type {
  MessageDeleted,
  MessageEdited,
  Reaction,
  Receipt,
  Room,
  RoomEvents,
  RoomSnapshot,
} from './room.ts'
export type { Joined, ListOptions, NewRoom, RoomDirectory, RoomList } from './room-directory.ts'
export { type Scheduler, systemScheduler } from './scheduler.ts'
export type { Acknowledgement, Sent, SentStatus } from './sent.ts'
export type { Readable } from './store.ts'
export type { Dial, Transport, TransportEvents } from './transport.ts'
export { type WebSocketConstructor, type WebSocketLike, webSocket } from './transports/websocket.ts'
export { onceWatched, type WhileWatched, whileWatched } from './while-watched.ts'
