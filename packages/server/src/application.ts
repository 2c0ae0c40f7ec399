/**
 * The application's own code as one that speaks in rooms: what it asks is put into the words of a client, checked at
 * the same door and handed to the node; what the node answers settles a promise. Like a client it numbers what it says,
 * in a lane for each sender and room, and begins a new one where the server could not decide.
 */
import { randomBytes } from 'node:crypto'
import { type ClientMessage, decodeClientFrame, ENTRIES } from '@tautline/protocol'
import {
  CODES,
  type Code,
  type CommandPayload,
  type EntryPayload,
  findFault,
  knownCode,
  MAX_DEPTH,
  MESSAGE_ID,
  makeMessageId,
  type PayloadOf,
  type Role,
  type ServerMessage,
  SYSTEM_USER_ID,
  TautlineError,
  USER_ID,
} from '@tautline/protocol/wire'
import type { ApplicationMessage, ApplicationRequest } from './core/contract.ts'

/** What a message holds (`content`, and what else its `kind` has), where it goes and who says it. */
export type NewMessage = CommandPayload<'send_message'> & {
  readonly room: string
  /**
   * The user who says it: a member of the room, who need not be connected. Left out: the system (SYSTEM_USER_ID), which
   * may speak in every room that there is and in every direct one; what it says is of the kind `system` where no other
   * is named.
   */
  readonly sender?: string | undefined
  /**
   * Names the message for good: the same one again (same sender, same content) is acknowledged where it stands, and not
   * stored twice. 8 to 64 characters of A-Z a-z 0-9 _ and -. Give one of your own, kept with whatever made you send, to
   * try again after a failure or a restart. Default: one at random.
   */
  readonly messageId?: string | undefined
}

/** Names a message of a room. */
export interface MessageTarget {
  readonly room: string
  readonly messageId: string
  /** Who said it. Default: the system. */
  readonly sender?: string | undefined
}

/** A message, and what it shall say from now on: all of it, as in `send`. */
export type MessageEdit = Omit<CommandPayload<'edit_message'>, 'target'> & {
  readonly target: MessageTarget
}

/** Who does it: a member of the room. Default: the system. */
export interface ActingUser {
  readonly as?: string | undefined
}

/** A message that is committed. */
export interface SentMessage {
  /** Its position in the room, the same for everybody and for ever. */
  readonly seq: number
  readonly messageId: string
  /** When it was committed, in Unix milliseconds. */
  readonly timestamp: number
}

/** Something of the application's own: a line, what there is to say beyond that, and data for its own client. */
export type NewNotice = EntryPayload<'notice'>

/** That nobody took a call to the user: who called is its `sender`. */
export type NewMissedCall = EntryPayload<'missed_call'>

/** What a user shall find among their notifications, beside who caused it. */
export type NewNotification = (
  | ({ readonly type?: 'notice' | undefined } & NewNotice)
  | ({ readonly type: 'missed_call' } & NewMissedCall)
) & {
  /** The user who caused it, another than who is told. Default: the system (SYSTEM_USER_ID). */
  readonly sender?: string | undefined
  /**
   * Names it for good, among those of this sender: the same one again (same user, same content) is made once. As that of
   * a message. Default: one at random.
   */
  readonly messageId?: string | undefined
}

/** What a room shall be: who may come, and what it says of itself. */
export interface NewRoom extends Omit<PayloadOf<'create_room'>, 'ref' | 'room'> {
  /** A chosen name; see the protocol's forms of ids. */
  readonly id: string
  /** Who becomes its first member, as owner. Default: nobody; it has no members then. */
  readonly owner?: string | undefined
}

export interface ServerRooms {
  /**
   * Makes a room. Idempotent: resolves where it is just so already. Rejects with FORBIDDEN where there is another room
   * of this id (other words, another visibility, another owner) or nobody may choose the id, with VALIDATION_ERROR for
   * what no room can be.
   */
  create(room: NewRoom): Promise<void>
  /**
   * Makes a user a member, whom nobody need have invited. The room is told by an entry `member_joined` of the system,
   * the user by one in their own log. Idempotent: who is a member stays what they are, whatever `role` says. Rejects with FORBIDDEN where
   * there is no such room, or it is a direct one. Default role: member.
   */
  addMember(room: string, userId: string, role?: Role): Promise<void>
  /**
   * Puts a member out, also the owner, and takes an invitation back. Their connections are told at once and get nothing
   * of the room any more. Idempotent: resolves where they are no member. Rejects with FORBIDDEN where there is no such
   * room, or it is a direct one.
   */
  removeMember(room: string, userId: string): Promise<void>
  /** Changes what is named, as an owner may; an empty name or topic is none. Rejects with FORBIDDEN where there is no such room. */
  update(room: string, change: Omit<PayloadOf<'update_room'>, 'ref' | 'room'>): Promise<void>
  /** Removes a room and all that was said in it, for ever: its members are told, and no other can have its id. */
  delete(room: string): Promise<void>
  /** Of a member. The application may also leave a room without an owner. */
  setRole(room: string, userId: string, role: Role): Promise<void>
  /** Puts a user out who can neither join nor be invited until `unban` or `addMember`. */
  ban(room: string, userId: string): Promise<void>
  unban(room: string, userId: string): Promise<void>
  /** For so long what the member sends fails with MUTED. */
  mute(room: string, userId: string, durationMs: number): Promise<void>
  unmute(room: string, userId: string): Promise<void>
}

/** What the application says, and what it does with what was said. */
export interface ServerMessages {
  send(message: NewMessage): Promise<SentMessage>
  edit(change: MessageEdit): Promise<SentMessage>
  delete(target: MessageTarget, by?: ActingUser): Promise<SentMessage>
  react(target: MessageTarget, emoji: string, by?: ActingUser): Promise<SentMessage>
  unreact(target: MessageTarget, emoji: string, by?: ActingUser): Promise<SentMessage>
}

export interface Application extends ServerMessages {
  notify(userId: string, notification: NewNotification): Promise<SentMessage>
  /** One command, of whatever type, of this user in the room. */
  command(user: string, room: string, type: string, payload: object, messageId?: string): Promise<SentMessage>
  readonly rooms: ServerRooms
  /** What the node says to the application. */
  hear(message: ServerMessage): void
  /** Whatever is not settled by now fails, and so does everything from now on. */
  stop(): void
}

/** The commands of one sender in one room. */
interface Lane {
  readonly sid: string
  lastN: number
}

interface Pending {
  /** Undefined for what is no command. */
  readonly lane: { readonly key: string; readonly is: Lane } | undefined
  settle(place: { readonly seq: number; readonly timestamp: number } | undefined): void
  fail(error: TautlineError): void
}

/** Lanes that are kept in mind; then new ones are begun, which costs a row in the store for each. */
const MAX_LANES = 10_000

/** `ask`: puts it to the node. `maxFrameBytes`: what a client could not send at once, the application cannot either. */
export function createApplication(options: {
  readonly maxFrameBytes: number
  readonly ask: (user: string, message: ApplicationMessage) => void
  /** Default: what nobody can guess. A simulation gives its own, and its own time. */
  readonly randomId?: (length: number) => string
  /** Unix milliseconds. */
  readonly unixTime?: () => number
}): Application {
  const { randomId = safeId, unixTime = Date.now } = options
  const pending = new Map<number, Pending>()
  const lanes = new Map<string, Lane>()
  let lastRef = 0
  let isStopped = false

  function laneOf(key: string): Lane {
    const known = lanes.get(key)
    if (known) return known
    if (lanes.size >= MAX_LANES) lanes.clear()
    const lane: Lane = { sid: randomId(16), lastN: 0 }
    lanes.set(key, lane)
    return lane
  }

  function put(
    user: string,
    message: ApplicationMessage,
    lane?: Pending['lane'],
  ): Promise<{ readonly seq: number; readonly timestamp: number } | undefined> {
    return new Promise((settle, fail) => {
      if (isStopped) {
        fail(new TautlineError('UNAVAILABLE', 'the server is closed'))
        return
      }
      pending.set(message.payload.ref, { lane, settle, fail })
      options.ask(user, message)
    })
  }

  /** The pending request of this ref, which is none any more. */
  function take(ref: number | undefined): Pending | undefined {
    if (ref === undefined) return undefined
    const request = pending.get(ref)
    pending.delete(ref)
    return request
  }

  function acknowledge({ acks }: PayloadOf<'ack'>, committedAt: number): void {
    for (const { ref, seq, count = 1, timestamp = committedAt } of acks) {
      for (let i = 0; i < count; i++) take(ref + i)?.settle({ seq: seq + i, timestamp })
    }
  }

  function refuse({ ref, count = 1, code, final, message, retryAfterMs }: PayloadOf<'error'>): void {
    if (ref === undefined) return
    for (let i = 0; i < count; i++) refuseOne(ref + i, knownCode(code, final), message, retryAfterMs)
  }

  function refuseOne(ref: number, code: Code, message: string, retryAfterMs: number | undefined): void {
    const request = take(ref)
    if (!request) return
    const { lane } = request
    // The lane stands where it stood: what is said from now on must not wait for what may never come again.
    if (lane && !CODES[code].final && lanes.get(lane.key) === lane.is) lanes.delete(lane.key)
    request.fail(
      code === 'GAP'
        ? new TautlineError('UNAVAILABLE', 'an earlier message of this sender was not decided', retryAfterMs)
        : new TautlineError(code, message, retryAfterMs),
    )
  }

  function check<K extends ApplicationRequest['type']>(
    type: K,
    payload: Omit<PayloadOf<K>, 'ref'>,
  ): Extract<ApplicationRequest, { type: K }> {
    const { maxFrameBytes } = options
    const text = frameText({ type, payload: { ...payload, ref: ++lastRef } })
    const [decoded] = decodeClientFrame(text, { maxFrameBytes })
    if (decoded?.ok && isOf(type, decoded.message)) return decoded.message
    if (decoded?.ok === false && decoded.code === 'FRAME_TOO_BIG') throw new TautlineError('MESSAGE_TOO_LONG')
    throw new TautlineError('VALIDATION_ERROR', decoded?.ok === false ? decoded.detail : undefined)
  }

  async function command(
    user: string,
    room: string,
    type: string,
    payload: object,
    messageId = makeMessageId(unixTime(), randomId(12)),
  ): Promise<SentMessage> {
    checkUserId('sender', user)
    checkMessageId(messageId)
    const key = `${user}\n${room}`
    const is = laneOf(key)
    const item = { type, messageId, payload }
    const message = check('commands', { room, sid: is.sid, n: is.lastN + 1, commands: [item] })
    is.lastN++
    const place = await put(user, message, { key, is })
    if (!place) throw new Error('a command was answered without its place')
    return { seq: place.seq, messageId, timestamp: place.timestamp }
  }

  const react =
    (type: 'add_reaction' | 'remove_reaction'): ServerMessages['react'] =>
    async ({ room, ...target }, emoji, { as = SYSTEM_USER_ID } = {}) =>
      command(as, room, type, { target: nameOf(target), emoji })

  return {
    command,

    send: async ({ room, sender = SYSTEM_USER_ID, messageId, ...payload }) =>
      command(sender, room, 'send_message', payload, messageId),

    async edit({ target: { room, ...named }, ...content }) {
      const target = nameOf(named)
      return command(target.sender, room, 'edit_message', { ...content, target })
    },

    delete: async ({ room, ...target }, { as = SYSTEM_USER_ID } = {}) =>
      command(as, room, 'delete_message', { target: nameOf(target) }),

    react: react('add_reaction'),
    unreact: react('remove_reaction'),

    async notify(userId, notification) {
      const {
        type = 'notice',
        sender = SYSTEM_USER_ID,
        messageId = makeMessageId(Date.now(), randomId(12)),
        ...said
      } = notification
      checkUserId('userId', userId)
      checkUserId('sender', sender)
      checkMessageId(messageId)
      if (sender === userId)
        throw new TautlineError('VALIDATION_ERROR', 'nobody is told what they did themselves')
      const payload = notificationPayload(type, said)
      const ref = ++lastRef
      const entry = { type, payload }
      const place = await put(sender, { type: 'notify', payload: { ref, userId, messageId, entry } })
      if (!place) throw new Error('a notification was answered without its place')
      return { seq: place.seq, messageId, timestamp: place.timestamp }
    },

    rooms: {
      async create({ id: room, owner = SYSTEM_USER_ID, ...about }) {
        checkUserId('owner', owner)
        await put(owner, check('create_room', { room, ...about }))
      },
      async addMember(room, userId, role = 'member') {
        await put(SYSTEM_USER_ID, check('invite_member', { room, userId, role }))
      },
      async removeMember(room, userId) {
        await put(SYSTEM_USER_ID, check('remove_member', { room, userId }))
      },
      async update(room, change) {
        await put(SYSTEM_USER_ID, check('update_room', { room, ...change }))
      },
      async delete(room) {
        await put(SYSTEM_USER_ID, check('delete_room', { room }))
      },
      async setRole(room, userId, role) {
        await put(SYSTEM_USER_ID, check('set_role', { room, userId, role }))
      },
      async ban(room, userId) {
        await put(SYSTEM_USER_ID, check('ban_member', { room, userId }))
      },
      async unban(room, userId) {
        await put(SYSTEM_USER_ID, check('unban_member', { room, userId }))
      },
      async mute(room, userId, durationMs) {
        await put(SYSTEM_USER_ID, check('mute_member', { room, userId, durationMs }))
      },
      async unmute(room, userId) {
        await put(SYSTEM_USER_ID, check('unmute_member', { room, userId }))
      },
    },

    hear(message) {
      if (message.type === 'ack') acknowledge(message.payload, message.timestamp ?? 0)
      else if (message.type === 'error') refuse(message.payload)
      else if ('ref' in message.payload) take(message.payload.ref)?.settle(undefined)
    },

    stop() {
      isStopped = true
      for (const { fail } of pending.values()) fail(new TautlineError('UNAVAILABLE', 'the server is closed'))
      pending.clear()
    },
  }
}

function nameOf({ sender = SYSTEM_USER_ID, messageId }: Omit<MessageTarget, 'room'>) {
  return { sender, messageId }
}

/** A copy that no caller can change any more, as everything that comes over a wire is. */
function frameText(message: { readonly type: string; readonly payload: object }): string {
  try {
    return JSON.stringify(message)
  } catch (cause) {
    const error = new TautlineError('VALIDATION_ERROR', 'it is not JSON')
    error.cause = cause
    throw error
  }
}

function isOf<K extends ApplicationRequest['type']>(
  type: K,
  message: ClientMessage,
): message is Extract<ApplicationRequest, { type: K }> {
  return message.type === type
}

function checkUserId(name: string, userId: string): void {
  if (!USER_ID.test(userId))
    throw new TautlineError('VALIDATION_ERROR', `the ${name} has not the form of a user id`)
}

function checkMessageId(messageId: string): void {
  if (!MESSAGE_ID.test(messageId))
    throw new TautlineError('VALIDATION_ERROR', 'the messageId has not the form of one')
}

/** A copy, of its form, of text that every store and client can take. */
function notificationPayload(type: string, said: object): Readonly<Record<string, unknown>> {
  const schema = type === 'missed_call' ? ENTRIES.missed_call : ENTRIES.notice
  if (type !== 'missed_call' && type !== 'notice')
    throw new TautlineError('VALIDATION_ERROR', 'the type of a notification is notice or missed_call')
  const copy: unknown = JSON.parse(frameText({ type, payload: said }))
  const fault = findFault(copy, true, MAX_DEPTH)
  const parsed = schema.safeParse((copy as { readonly payload: unknown }).payload)
  if (!fault && parsed.success) return parsed.data
  const where = parsed.success ? undefined : parsed.error.issues[0]?.path.join('.')
  throw new TautlineError('VALIDATION_ERROR', `the ${where || 'content'} of a ${type} is not of its form`)
}

/** Of characters that every id may hold. */
function safeId(length: number): string {
  return randomBytes(length).toString('base64url').slice(0, length)
}
