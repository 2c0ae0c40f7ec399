/**
 * What a client says: from the text of a frame to the part that deals with each message. Here is what binds all
 * messages alike: their form, how many there may be, and that nothing but the hello is heard before authentication.
 */
import { decodeClientFrame } from '@tautline/protocol'
import { type ClientMessage, CODES } from '@tautline/protocol/wire'
import type { Commands } from './commands.ts'
import { type Connection, REFUSALS } from './connection.ts'
import { type Context, refuse, refuseRun, send, unreachable } from './context.ts'
import { type Drain, isChange } from './drain.ts'
import type { Extensions } from './extensions.ts'
import { noteUse } from './idle.ts'
import { fullBucket, msUntilToken, takeToken } from './limiter.ts'
import { isNoticeRequest } from './notice-requests.ts'
import type { People } from './people.ts'
import { isRoomRequest } from './room-requests.ts'
import type { Sessions } from './session.ts'
import type { Subscriptions } from './subscriptions.ts'
import { startTyping, stopTyping } from './typing.ts'
import type { Usage } from './usage.ts'
import type { Watching } from './watching.ts'

/** How long an abuser is asked to stay away. */
const ABUSE_RETRY_MS = 30_000

export interface InboxParts {
  readonly sessions: Sessions
  readonly subscriptions: Subscriptions
  readonly commands: Commands
  readonly extensions: Extensions
  readonly drain: Drain
  readonly usage: Usage
  readonly people: Pick<People, 'update'>
  readonly watching: Pick<Watching, 'subscribe' | 'unsubscribe'>
}

type Decoded = ReturnType<typeof decodeClientFrame>[number]
type Good = Extract<Decoded, { ok: true }>
type Bad = Extract<Decoded, { ok: false }>

/** What to do with the text of each frame. */
export function createInbox(
  context: Context,
  { sessions, subscriptions, commands, extensions, drain, usage, people, watching }: InboxParts,
): (connection: Connection, text: string) => void {
  const { limits, framesPerSecond, frameBurst } = context.options
  const frameRate = { perSecond: framesPerSecond, burst: frameBurst }

  function receive(connection: Connection, text: string): void {
    for (const decoded of decodeClientFrame(text, { maxFrameBytes: limits.maxFrameBytes })) {
      if (connection.phase === 'closed') return
      if (!takeToken(connection.frames, frameRate, context.now)) refuseFrame(connection, decoded)
      else if (!decoded.ok) object(connection, decoded)
      else if (connection.phase !== 'ready') receiveEarly(connection, decoded.message)
      else receiveReady(connection, decoded)
    }
  }

  function receiveReady(connection: Connection, decoded: Good): void {
    const { message } = decoded
    noteUse(context, connection, message.type)
    if (drain.hasBegun() && isChange(message)) drain.refuseChange(connection, message)
    else if (isWithinUsage(connection, decoded)) dispatch(connection, message)
  }

  /** What is too much is refused here; typing, which nobody waits for, is left out in silence. */
  function isWithinUsage(connection: Connection, decoded: Good): boolean {
    const retryAfterMs = usage.takeMessage(connection.userId, decoded.message)
    const ref = refOf(decoded.message)
    if (retryAfterMs > 0 && ref !== undefined) {
      refuseWhole(connection, decoded, ref, retryAfterMs)
      countRefusal(connection)
    }
    return retryAfterMs === 0
  }

  function object(connection: Connection, { code, ref, detail, count }: Bad): void {
    if (CODES[code].closeCode !== null) {
      context.hangUp(connection, code)
      return
    }
    refuse(
      context,
      connection,
      ref,
      code,
      count === undefined ? { message: detail } : { message: detail, count },
    )
    if (connection.phase !== 'ready') context.hangUp(connection, 'NO_TOKEN')
  }

  function receiveEarly(connection: Connection, message: ClientMessage): void {
    if (message.type === 'ping') send(context, connection, { type: 'pong', payload: message.payload })
    else if (message.type === 'authenticate' && connection.phase === 'hello')
      sessions.authenticate(connection, message.payload)
    else context.hangUp(connection, 'NO_TOKEN')
  }

  function dispatch(connection: Connection, message: ClientMessage): void {
    if (isRoomRequest(message) || isNoticeRequest(message)) {
      commands.change(connection, message)
      return
    }
    switch (message.type) {
      case 'commands':
        if (!commands.take(connection, message.payload)) countRefusal(connection)
        break
      case 'subscribe':
        subscriptions.subscribe(connection, message.payload)
        break
      case 'unsubscribe':
        subscriptions.unsubscribe(connection, message.payload)
        break
      case 'get_page':
        subscriptions.ask(connection, { why: 'page', ask: message.payload })
        break
      case 'get_history':
        subscriptions.ask(connection, { why: 'history', ask: message.payload })
        break
      case 'get_thread':
        subscriptions.ask(connection, { why: 'thread', ask: message.payload })
        break
      case 'get_versions':
        if (context.options.messageVersions)
          subscriptions.ask(connection, { why: 'versions', ask: message.payload })
        else refuse(context, connection, message.payload.ref, 'UNKNOWN_TYPE')
        break
      case 'get_reactions':
        subscriptions.ask(connection, { why: 'reactions', ask: message.payload })
        break
      case 'list_rooms':
        subscriptions.ask(connection, { why: 'rooms', ask: message.payload })
        break
      case 'list_unread':
        subscriptions.ask(connection, { why: 'unread', ask: message.payload })
        break
      case 'get_users':
        subscriptions.ask(connection, { why: 'users', ask: message.payload })
        break
      case 'list_members':
        subscriptions.ask(connection, { why: 'members', ask: message.payload })
        break
      case 'check':
        subscriptions.ask(connection, { why: 'check', ask: message.payload })
        break
      case 'join_rooms':
        for (const room of message.payload.rooms)
          commands.change(connection, { type: 'join_room', payload: { ref: message.payload.ref, room } })
        break
      case 'get_room':
        subscriptions.ask(connection, { why: 'room', ask: message.payload })
        break
      case 'list_active_members':
        subscriptions.askActive(connection, message.payload)
        break
      case 'get_notifications':
        subscriptions.ask(connection, { why: 'notices', ask: message.payload })
        break
      case 'start_typing':
        startTyping(context, connection, message.payload.room)
        break
      case 'stop_typing':
        stopTyping(context, connection.subscriptions.get(message.payload.room))
        break
      case 'send_signal':
        extensions.signal(connection, message.payload)
        break
      case 'send_request':
        extensions.request(connection, message.payload)
        break
      case 'update_presence':
        people.update(connection, message.payload)
        break
      case 'subscribe_presence':
        watching.subscribe(connection, message.payload)
        break
      case 'unsubscribe_presence':
        watching.unsubscribe(connection, message.payload)
        break
      case 'renew_token':
        sessions.renewToken(connection, message.payload)
        break
      case 'authenticate':
        sessions.authenticate(connection, message.payload)
        break
      case 'ping':
        send(context, connection, { type: 'pong', payload: message.payload })
        break
      case 'pong':
        break
      default:
        unreachable(message)
    }
  }

  function refuseFrame(connection: Connection, decoded: Decoded): void {
    const ref = decoded.ok ? refOf(decoded.message) : decoded.ref
    const retryAfterMs = msUntilToken(connection.frames, frameRate)
    if (ref !== undefined) refuseWhole(connection, decoded, ref, retryAfterMs)
    countRefusal(connection)
  }

  /** A `commands` frame has a ref for each command, a `subscribe` a room for each answer. */
  function refuseWhole(connection: Connection, decoded: Decoded, ref: number, retryAfterMs: number): void {
    const message = decoded.ok ? decoded.message : undefined
    if (message?.type === 'commands') {
      refuseRun(context, connection, ref, 'RATE_LIMIT', message.payload.commands.length, retryAfterMs)
    } else if (message?.type === 'join_rooms') {
      for (const room of message.payload.rooms)
        refuse(context, connection, ref, 'RATE_LIMIT', { room, retryAfterMs })
    } else if (message?.type === 'subscribe') {
      for (const { room } of message.payload.rooms)
        refuse(context, connection, ref, 'RATE_LIMIT', { room, retryAfterMs })
    } else refuseRun(context, connection, ref, 'RATE_LIMIT', countOf(decoded), retryAfterMs)
  }

  /** Being refused now and then is nothing; for a long time it is abuse. */
  function countRefusal(connection: Connection): void {
    connection.refusals ??= fullBucket(REFUSALS, context.now)
    if (!takeToken(connection.refusals, REFUSALS, context.now))
      context.hangUp(connection, 'ABUSE', ABUSE_RETRY_MS)
  }

  return receive
}

/** Of how many commands a frame that is not of its form speaks. */
function countOf(decoded: Decoded): number {
  return decoded.ok ? 1 : (decoded.count ?? 1)
}

function refOf({ payload }: ClientMessage): number | undefined {
  return 'ref' in payload ? payload.ref : undefined
}
