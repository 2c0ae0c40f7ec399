/**
 * Typing: relayed to the others who follow the room, from who follows it themselves, and stored nowhere but in "does
 * this connection type", so that a leave or a lost connection can end it. Left out where a connection is slow: readers
 * forget it by themselves.
 */
import { TYPING_INTERVAL_MS } from '@tautline/protocol/wire'
import type { Connection } from './connection.ts'
import { broadcast, type Context } from './context.ts'
import { isOpen, type Subscription } from './rooms.ts'

/** Clients say it once in TYPING_INTERVAL_MS; the network may bring two of them closer together. */
const MIN_INTERVAL_MS = TYPING_INTERVAL_MS / 2

export function startTyping(context: Context, connection: Connection, room: string): void {
  const subscription = connection.subscriptions.get(room)
  if (!subscription || !isOpen(subscription)) return
  if (context.now - subscription.typedAt < MIN_INTERVAL_MS) return
  subscription.typedAt = context.now
  subscription.isTyping = true
  relay(context, subscription, 'typing_started')
}

export function stopTyping(context: Context, subscription: Subscription | undefined): void {
  if (!subscription?.isTyping) return
  subscription.isTyping = false
  relay(context, subscription, 'typing_stopped')
}

function relay(
  context: Context,
  { room, connection }: Subscription,
  type: 'typing_started' | 'typing_stopped',
) {
  const { userId } = connection
  const recipients: number[] = []
  for (const other of room.followers) {
    if (other.connection.userId === userId || !isOpen(other)) continue
    if (other.connection.bufferedBytes <= context.options.relievedBytes) recipients.push(other.connection.id)
  }
  broadcast(context, recipients, { type, payload: { room: room.id, userId } })
}
