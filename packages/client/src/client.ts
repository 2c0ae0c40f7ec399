/**
 * The client: the shell around the core. It owns the clock's one timer, the transport, and the application's callbacks;
 * everything that happens goes into the core as an input, and every effect that comes out is carried out before the
 * next input is taken.
 */
import {
  type ClientMessage,
  CODES,
  type Code,
  DEFAULT_LIMITS,
  directRoomId,
  findFault,
  MAX_BATCH,
  MAX_DEPTH,
  makeMessageId,
  ROOM_ID,
  type ServerMessage,
  type ServerMessageType,
  TautlineError,
  USER_ID,
  usersOfDirectRoom,
  utf8Bytes,
} from '@tautline/protocol/wire'
import type { Effect, RoomEffect } from './core/context.ts'
import { createCore } from './core/core.ts'
import type { StorageStatus } from './core/keeper.ts'
import type { Fault, NewRow } from './core/outbox-row.ts'
import type { RequestMessage } from './core/requests.ts'
import type { Status } from './core/status.ts'
import { openDoor } from './door.ts'
import { createDriver } from './driver.ts'
import { createEmitter } from './emitter.ts'
import { browserLifecycle } from './lifecycle.ts'
import { type NoticeEvents, tellNotice } from './notices.ts'
import { type ClientOptions, coreOptionsOf, dialOf, randomLetters, randomSeed, storeOf } from './options.ts'
import { createLedger, type OutboxView } from './outbox-view.ts'
import { type ClientPort, createPort } from './port.ts'
import { createRoom, errorOf, type Room, type RoomControl } from './room.ts'
import { createRoomDirectory, type RoomDirectory } from './room-directory.ts'
import { systemScheduler } from './scheduler.ts'
import { createSending, type Sent } from './sent.ts'
import type { Checks } from './shapes.ts'
import { createStore, type Readable } from './store.ts'
import type { Transport } from './transport.ts'

export interface StatusChange {
  readonly status: Status
  /** Why: the code of a loss or a refusal. */
  readonly reason: Code | undefined
  /** What was said beyond the code: the message of the error that `getToken` failed with. */
  readonly detail: string | undefined
  /** In `waiting` and `suspended`: milliseconds until the next attempt. */
  readonly retryInMs: number | undefined
}

export interface ClientEvents extends NoticeEvents {
  /** Signed in: once, however often the connection is lost, until `logout`. */
  login: [user: { readonly userId: string }]
  /**
   * Signed in no longer, and not by a lost connection: signed out by you (`logout`), closed by you (CLOSED), or the token
   * was refused for good (INVALID_TOKEN, TOKEN_EXPIRED, NO_TOKEN) or turned out to be another user's (IDENTITY_MISMATCH).
   */
  logout: [end: { readonly userId: string; readonly reason: Code | 'logout' }]
  status: [change: StatusChange]
  /** A message of ours failed for good. */
  failed: [sent: Sent]
  /** A failed message of ours was discarded, or tried again under a new id: it is shown no longer. */
  discarded: [sent: Sent]
  /** Invitations, admissions, removals, mentions and answers were not told, for we were away too long: look at `rooms.list()`. */
  missed: []
  /** We have read on, on any device; also in rooms that are not followed. */
  unread: [change: { readonly room: string; readonly read: number; readonly unread: number }]
  /**
   * The outbox is kept elsewhere from now on; `lost`: from memory alone, and `detail` says what happened to the store. With the
   * code FETCH_ERROR nothing changed, but some of what is in the store cannot be read: it is left there, and not sent.
   */
  storage: [
    change: {
      readonly status: StorageStatus
      readonly code: Code | undefined
      readonly detail: string | undefined
    },
  ]
  /** Something failed that no call stands for, such as a token that could not be had. */
  error: [error: TautlineError]
}

export interface ClientSnapshot {
  readonly status: Status
  readonly reason: Code | undefined
  /** What was said beyond the code: the message of the error that `getToken` failed with. */
  readonly detail: string | undefined
  /** Who we are, once it is known. */
  readonly userId: string | undefined
  /** Unix milliseconds of the next attempt, while waiting for it. */
  readonly retryAt: number | undefined
  /** Messages without an outcome; while `storage` is `opening`, without those that a former load left. */
  readonly queued: number
  /** How full the outbox is, from 0 to 1: at 1 `send()` fails with OUTBOX_FULL. */
  readonly pressure: number
  /** Whether queued messages would survive a reload or a crash. */
  readonly storage: StorageStatus
  /** The last round trip measured. */
  readonly latencyMs: number | undefined
}

export interface Client extends Readable<ClientSnapshot> {
  readonly status: Status
  readonly userId: string | undefined
  /**
   * Resolves when authenticated, and every followed room is live or known to be behind; at once where that is so
   * already. Rejects when the client stops (INVALID_TOKEN, IDENTITY_MISMATCH, REPLACED, …). A lost connection is not
   * the end: it is tried again until it works.
   */
  connect(): Promise<void>
  /** Ends the connection; `connect()` begins anew. Queued messages stay queued. */
  disconnect(): Promise<void>
  /**
   * Ends everything, for good; resolves when the store of the outbox is let go of. Undecided messages stay undecided, and
   * `send()` fails with CLOSED.
   */
  close(): Promise<void>
  /**
   * Signs the user out, and closes the client for good: another user, or this one again, needs a new one. The first call
   * decides.
   *
   * What is queued stays in the store of this user and goes out when they sign in again; in memory nothing can be kept, and
   * what is undecided stays so. With `keepOutbox: false` everything undecided is given up: while connected, the server is
   * asked for at most 5 s, and its answer is the outcome (CANCELLED, or acknowledged where it has the message already).
   * Then what was never sent is CANCELLED, what was sent and not answered stays undecided, and all rows of the user are
   * removed from the store, also failed ones and those of other tabs. Rejects with UNAVAILABLE where that cannot be done, and
   * with CLOSED where the client was closed before.
   */
  logout(options?: { readonly keepOutbox?: boolean | undefined }): Promise<void>
  /** The room of this id; the same object for the same id. Throws VALIDATION_ERROR where it can be no room's id. */
  room(id: string): Room
  /**
   * The room of just this user and us, the same from both sides. It needs no making: it is there, empty, for both, and
   * `send` works at once. Throws VALIDATION_ERROR where this is no other user's id, or where our own is not known: give
   * the option `userId`, or connect first.
   */
  directRoom(userId: string): Room
  readonly rooms: RoomDirectory
  readonly outbox: OutboxView
  /** For the makers of subjects beyond rooms and messages. */
  readonly port: ClientPort
  on<E extends keyof ClientEvents>(event: E, listener: (...args: ClientEvents[E]) => void): () => void
  once<E extends keyof ClientEvents>(event: E, listener: (...args: ClientEvents[E]) => void): () => void
  off<E extends keyof ClientEvents>(event: E, listener: (...args: ClientEvents[E]) => void): void
}

/** What is left of the depth of a frame below batch, envelope, payload, list of commands, and command. */
const BODY_DEPTH = MAX_DEPTH - 5

export function createClient(options: ClientOptions): Client {
  const dial = dialOf(options)
  const scheduler = options.scheduler ?? systemScheduler
  const readFrame = options.door ?? openDoor
  /** The checks of the subjects in use. */
  const learned: Checks = {}
  const core = createCore(coreOptionsOf(options), options.seed ?? randomSeed())
  const events = createEmitter<ClientEvents>()
  const ledger = createLedger()
  const rooms = new Map<string, RoomControl>()
  const requests = new Map<number, { resolve(payload: unknown): void; reject(error: TautlineError): void }>()
  const connecting: { resolve(): void; reject(error: TautlineError): void }[] = []
  const store = createStore<ClientSnapshot>({
    status: 'idle',
    reason: undefined,
    detail: undefined,
    userId: options.userId,
    retryAt: undefined,
    queued: 0,
    pressure: 0,
    storage: core.storage(),
    latencyMs: undefined,
  })
  let transport: Transport | undefined
  let maxFrameBytes: number = DEFAULT_LIMITS.maxFrameBytes
  let isReady = false
  /** Undefined: neither login nor logout were told. */
  let isLoggedIn: boolean | undefined
  let whyOver: Code | 'logout' = 'CLOSED'
  let leaving: Promise<void> | undefined
  let isClosed = () => {}
  const closed = new Promise<void>((resolve) => {
    isClosed = resolve
  })
  let nextRequest = 1
  let stopLifecycle: (() => void) | undefined
  const driver = createDriver({
    core,
    scheduler,
    endOfTurn: (task) => queueMicrotask(task),
    perform,
    settled: showOutbox,
  })
  const { step } = driver
  const runner = storeOf(options)?.start(options, step, scheduler, tellDamage)
  // Also one that goes because a hundred others failed since.
  ledger.onRemove((sent) => {
    step({ type: 'discard', messageId: sent.messageId })
    events.emit('discarded', sent)
  })

  /** All at once: where it says `durable`, what the store holds is counted. */
  function showOutbox(): void {
    const { rows, pressure } = core.queued()
    store.update({ queued: rows, pressure, storage: core.storage() })
  }

  function perform(effect: Effect): void {
    switch (effect.type) {
      case 'get_token':
        return getToken(effect.link, effect.refused)
      case 'dial':
        return open(effect.link)
      case 'transmit':
        return transmit(effect.messages)
      case 'hang_up':
        transport?.close(effect.closeCode, effect.reason)
        transport = undefined
        return
      case 'status':
        return onStatus(effect)
      case 'identified':
        maxFrameBytes = effect.limits.maxFrameBytes
        return store.update({ userId: effect.userId })
      case 'ready':
        isReady = true
        for (const { resolve } of connecting.splice(0)) resolve()
        return
      case 'latency':
        return store.update({ latencyMs: effect.latencyMs })
      case 'progress':
        return ledger.get(effect.messageId)?.progress(effect.status)
      case 'settled':
        return onSettled(effect)
      case 'restored':
        return onRestored(effect)
      case 'discarded':
        ledger.remove(effect.messageId)
        return
      case 'storage':
        showOutbox()
        events.emit('storage', { status: effect.status, code: undefined, detail: effect.detail })
        return
      case 'store':
        return runner?.run(effect.id, effect.call)
      case 'reply':
        return onReply(effect)
      case 'problem':
        events.emit('error', errorOf(effect.failure))
        return
      case 'message':
        return onMessage(effect.message)
      case 'room':
      case 'entries':
      case 'gap':
      case 'reset':
      case 'left':
      case 'presence':
      case 'typing':
        rooms.get(effect.room)?.take(effect)
        return isOwnLog(effect.room) ? onOwnLog(effect) : subjects.room(effect)
      default:
        return effect satisfies never
    }
  }

  // ── Token, transport, frames ──────────────────────────────────────────────────────────────────────────────────

  function getToken(link: number, refused: boolean): void {
    const fail = (detail: string) => step({ type: 'token_failed', link, detail })
    new Promise<string>((resolve) => {
      resolve(options.getToken({ refused }))
    }).then(
      (token) => {
        if (typeof token === 'string' && token !== '') step({ type: 'token', link, token })
        else fail('getToken gave no token')
      },
      (error: unknown) => fail(error instanceof Error ? error.message : 'getToken failed'),
    )
  }

  function open(link: number): void {
    try {
      transport = dial({
        onOpen: () => step({ type: 'opened', link }),
        onMessage(data) {
          const messages = readFrame(data, learned)
          step(messages ? { type: 'received', link, messages } : { type: 'garbled', link })
        },
        onClose: (closeCode, reason) => step({ type: 'lost', link, closeCode, reason }),
      })
    } catch (error) {
      events.emit(
        'error',
        errorOf({ code: 'GOING_AWAY', detail: `the transport cannot be opened: ${String(error)}` }),
      )
      step({ type: 'lost', link, closeCode: 1006, reason: '' })
    }
  }

  /** As few frames as the server's limit allows. */
  function transmit(messages: readonly ClientMessage[]): void {
    let frame: string[] = []
    let bytes = 2
    for (const message of messages) {
      const text = JSON.stringify(message)
      const more = utf8Bytes(text) + 1
      if (frame.length === MAX_BATCH || (frame.length > 0 && bytes + more > maxFrameBytes)) {
        write(frame)
        frame = []
        bytes = 2
      }
      frame.push(text)
      bytes += more
    }
    write(frame)
  }

  function write(frame: readonly string[]): void {
    try {
      transport?.send(frame.length === 1 ? (frame[0] as string) : `[${frame.join(',')}]`)
    } catch {
      // A socket that closed since: its close event follows, and what was written is written again on the next one.
    }
  }

  // ── What the core tells ───────────────────────────────────────────────────────────────────────────────────────

  function onStatus({ status, reason, detail, retryInMs }: StatusChange): void {
    isReady = false
    const retryAt = retryInMs === undefined ? undefined : scheduler.unixTime() + retryInMs
    store.update({ status, reason, detail, retryAt })
    if (status === 'stopped' || status === 'idle' || status === 'closed') {
      const error = new TautlineError(reason ?? (status === 'closed' ? 'CLOSED' : 'DISCONNECTED'), detail)
      for (const { reject } of connecting.splice(0)) reject(error)
    }
    events.emit('status', { status, reason, detail, retryInMs })
    subjects.ready(status === 'connected')
    tellLogin(status, reason)
    if (status !== 'closed') return
    stopLifecycle?.()
    isClosed()
  }

  function tellLogin(status: Status, reason: Code = 'CLOSED'): void {
    const userId = client.userId ?? ''
    const isRefused = CODES[reason].action === 'reauthenticate' || reason === 'IDENTITY_MISMATCH'
    if (status === 'connected' && !isLoggedIn) {
      isLoggedIn = true
      events.emit('login', { userId })
    } else if (isLoggedIn && (status === 'closed' || (status === 'stopped' && isRefused))) {
      isLoggedIn = false
      events.emit('logout', { userId, reason: status === 'closed' ? whyOver : reason })
    }
  }

  function onSettled({ messageId, outcome }: Extract<Effect, { type: 'settled' }>): void {
    const sending = ledger.get(messageId)
    if (!sending) return
    sending.settle(outcome)
    ledger.settled(sending)
    if (outcome.status === 'failed') events.emit('failed', sending.sent)
  }

  function onRestored({ row, outcome }: Extract<Effect, { type: 'restored' }>): void {
    if (ledger.get(row.messageId)) return
    const sending = createSending(row)
    ledger.add(sending)
    if (outcome) {
      sending.settle(outcome)
      ledger.settled(sending)
    }
    rooms.get(row.room)?.sending(sending.sent)
  }

  function onMessage(message: ServerMessage): void {
    const { type, payload } = message
    if ('room' in payload && payload.room !== undefined) rooms.get(payload.room)?.hear(message)
    if (type === 'unread_changed') {
      const { room, read, unread } = payload
      events.emit('unread', { room, read, unread })
    }
    subjects.message(message)
  }

  function onOwnLog(effect: RoomEffect): void {
    if (effect.type === 'entries') {
      for (const entry of effect.entries) tellNotice(entry, events.emit)
      subjects.ownEntries(effect.entries)
    } else if (effect.type === 'gap' || effect.type === 'reset') {
      events.emit('missed')
      subjects.ownGap()
    }
  }

  function tellDamage(rows: number): void {
    const detail = `${rows} of what the store of the outbox holds cannot be read`
    events.emit('storage', { status: core.storage(), code: 'FETCH_ERROR', detail })
  }

  function onReply({ id, reply }: Extract<Effect, { type: 'reply' }>): void {
    const waiting = requests.get(id)
    requests.delete(id)
    if (reply.ok) waiting?.resolve(reply.payload)
    else waiting?.reject(errorOf(reply.failure))
  }

  // ── What the application asks ─────────────────────────────────────────────────────────────────────────────────

  function request(message: RequestMessage, answer?: ServerMessageType): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const id = nextRequest++
      requests.set(id, { resolve, reject })
      step({ type: 'request', id, message, answer })
    })
  }

  function send(room: string, type: string, said: NewRow['payload'], replaces?: string, fault?: Fault): Sent {
    const text = jsonOf(said)
    // A copy: what the application changes afterwards is not what it said, and an attempt may be hours away.
    const payload = (text === undefined ? { content: said.content } : JSON.parse(text)) as NewRow['payload']
    const createdAt = scheduler.unixTime()
    const messageId = makeMessageId(createdAt, randomLetters(12))
    const row: NewRow = {
      room,
      type,
      payload,
      messageId,
      bytes: utf8Bytes(text ?? ''),
      createdAt,
    }
    const sending = createSending(row)
    ledger.add(sending)
    if (!fault && text !== undefined && !findFault(payload, true, BODY_DEPTH) && isSaid(type, payload)) {
      step({ type: 'send', row, replaces })
    } else {
      const why = fault ?? { code: 'VALIDATION_ERROR', detail: 'empty, or what no JSON can say' }
      onSettled({ type: 'settled', room, messageId, outcome: { status: 'failed', ...why } })
    }
    rooms.get(room)?.sending(sending.sent)
    return sending.sent
  }

  function listenToLifecycle(): void {
    stopLifecycle ??= (options.lifecycle ?? browserLifecycle)((event) => step({ type: 'lifecycle', event }))
  }

  async function leave(keepOutbox: boolean): Promise<void> {
    if (!keepOutbox && core.status() === 'closed') throw new TautlineError('CLOSED')
    whyOver = 'logout'
    // Also who has not been connected yet was signed in for the application.
    isLoggedIn ??= client.userId !== undefined
    step({ type: keepOutbox ? 'close' : 'logout' })
    await closed
    await runner?.closed
    if (!keepOutbox && core.storage() === 'lost')
      throw new TautlineError('UNAVAILABLE', 'the outbox could not be emptied')
  }

  const subjects = createPort({
    request,
    learn: (checks) => void Object.assign(learned, checks),
    tell(message) {
      if (core.status() !== 'connected') return false
      step({ type: 'tell', message })
      return true
    },
    send: (room, type, payload, fault) =>
      send(roomIdOf(room), type, payload as NewRow['payload'], undefined, fault),
    greet: (presence) => step({ type: 'greet', presence }),
    after: (ms, callback) => scheduler.after(ms, callback),
    now: () => scheduler.unixTime(),
    userId: () => client.userId,
  })
  const client: Client = {
    get status() {
      return core.status()
    },
    get userId() {
      return store.getSnapshot().userId
    },
    connect() {
      if (isReady) return Promise.resolve()
      return new Promise((resolve, reject) => {
        if (core.status() === 'closed') return reject(new TautlineError('CLOSED'))
        connecting.push({ resolve, reject })
        listenToLifecycle()
        // Also in the middle of a wait: who asks does not want to wait any longer.
        step({ type: 'connect' })
      })
    },
    disconnect() {
      step({ type: 'disconnect' })
      return Promise.resolve()
    },
    close() {
      step({ type: 'close' })
      return closed.then(() => runner?.closed)
    },
    logout({ keepOutbox = true } = {}) {
      leaving ??= leave(keepOutbox)
      return leaving
    },
    room(id) {
      const known = rooms.get(id)
      if (known) return known.room
      const control = createRoom(roomIdOf(id), {
        client,
        userId: () => client.userId,
        request,
        send,
        follow: (room) => step({ type: 'follow', room }),
        unfollow: (room) => step({ type: 'unfollow', room }),
        after: (ms, callback) => scheduler.after(ms, callback),
        typing: (room, active) => step({ type: 'typing', room, active }),
      })
      rooms.set(id, control)
      return control.room
    },
    directRoom(userId) {
      const own = client.userId
      if (own === undefined) throw new TautlineError('VALIDATION_ERROR', 'userId is not known yet')
      if (!USER_ID.test(userId) || userId === own)
        throw new TautlineError('VALIDATION_ERROR', 'not the id of another user')
      return client.room(directRoomId(own, userId))
    },
    rooms: createRoomDirectory({ request, room: (id) => client.room(id) }),
    outbox: {
      list: () => ledger.list(),
      cancel: (messageId) => step({ type: 'cancel', messageId }),
      retry(messageId) {
        const row = ledger.failed(messageId)?.row
        // The new one first: a crash between the two must not lose what was said.
        const sent = row && send(row.room, row.type, row.payload, messageId)
        // What could not even be queued would be in no store: what is kept is the message that failed before.
        ledger.remove(sent?.status === 'failed' ? sent.messageId : messageId)
        return sent
      },
      discard(messageId) {
        ledger.remove(messageId)
      },
    },
    port: subjects.port,
    getSnapshot: store.getSnapshot,
    subscribe: store.subscribe,
    on: events.on,
    once: events.once,
    off: events.off,
  }
  return client
}

/** Of the two ways to write a direct room, one is the room. */
function roomIdOf(id: string): string {
  if (ROOM_ID.test(id) && (!id.includes('~', 1) || usersOfDirectRoom(id))) return id
  throw new TautlineError('VALIDATION_ERROR', 'not the id of a room')
}

function isOwnLog(id: string): boolean {
  return id.startsWith('~') && !id.includes('~', 1)
}

/** A text that says nothing is none; what else may be wrong the server says. */
function isSaid(type: string, { content, kind = 'text' }: NewRow['payload']): boolean {
  if (type !== 'send_message' && type !== 'edit_message') return true
  return typeof content === 'string' && (content !== '' || (kind !== 'text' && kind !== 'encrypted'))
}

function jsonOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value)
  } catch {
    // Cycles and bigints: the caller tells the sender.
    return undefined
  }
}
