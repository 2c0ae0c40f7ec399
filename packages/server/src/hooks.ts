/**
 * The application's hooks: what they are told, what their answers mean, and that none of them can harm the server. One
 * that throws what is no refusal is logged, and whoever asked is told to try again later.
 *
 * What was said is handed to a hook and never to the log.
 */
import { decodeCommand, ENTRIES } from '@tautline/protocol'
import {
  type Alert,
  CODE_NAME,
  CODES,
  type Code,
  type CommandPayload,
  findFault,
  isCode,
  MAX_DEPTH,
  ownLogId,
  type TautlineError,
} from '@tautline/protocol/wire'
import type { Action, Asked, Question, Verdict } from './core/contract.ts'
import type { Acquaintance } from './core/store.ts'
import type { ExtensionRunner, SessionEvent } from './extensions.ts'
import { describeError, type Logger } from './log.ts'
import type { PushNotification } from './pusher.ts'
import type { ReadPolicy } from './queries.ts'

/** Who wants to do what. */
export interface ActionRequest {
  readonly userId: string
  readonly room: string
  /**
   * - `read`: follow the room, read a page, its history, its members or read positions; the user's own log is not asked about
   * - `write`: say something that is not stored yet
   * - `create`: make the room; `join`: become a member, by an invitation or without (which may make the room too)
   * - `invite`, `remove`: let `target` in, put `target` out. To leave is always allowed.
   * - `set_role`, `ban`, `mute`: of `target`, also to lift a ban or a mute
   * - `update`, `delete`: change the room, or remove it
   */
  readonly action: Action
  /** Whom `invite`, `remove`, `set_role`, `ban` and `mute` are about. */
  readonly target?: string | undefined
}

/**
 * What a user wants to say: the message as it was sent, and where. A copy: to change it, return the change. With `target`
 * it is an edit: what that message shall say from now on.
 */
export type SubmittedMessage = (CommandPayload<'send_message'> | CommandPayload<'edit_message'>) & {
  readonly sender: string
  readonly room: string
  readonly messageId: string
}

/**
 * What shall be said instead: these fields replace those of the message; undefined takes a field away. `alert` is no part
 * of the message: so loudly its mentions and answers are told to whom it names.
 */
export type MessageChange = { readonly [K in keyof CommandPayload<'send_message'>]?: unknown } & {
  readonly alert?: Alert | undefined
}

/** Who wants to be told how another user is. */
export interface SightRequest {
  readonly viewer: string
  readonly userId: string
  /**
   * Whether both are members of some room: what decides without the hook. Their direct room counts once `userId` has
   * said something in it: a message, a reaction, a call.
   */
  readonly sharesRoom: boolean
}

/** What the application says of users. */
export interface UserDetails {
  readonly name?: string | undefined
  readonly avatarUrl?: string | undefined
}

export type DescribedUsers =
  | ReadonlyMap<string, UserDetails>
  | Readonly<Record<string, UserDetails | undefined>>
export type DescribeUsers = (userIds: readonly string[]) => DescribedUsers | Promise<DescribedUsers>

export interface ConnectionEvent {
  /** The `connectionId` that the client was told. */
  readonly connection: string
  readonly userId: string
}

/**
 * Functions of the application that the server calls. Each may be left out, and may be asynchronous.
 *
 * A hook refuses by throwing a TautlineError. Its code is told to the client, with its detail, where it has one, as the
 * sentence for whoever asked (the first 1,000 characters; a retry of what was refused for good hears the code alone): a final one (FORBIDDEN, VALIDATION_ERROR,
 * MESSAGE_TOO_LONG …) fails the message for good, a retryable one (RATE_LIMIT, UNAVAILABLE …, with the error's
 * `retryAfterMs`) for now. Whatever else is thrown, and an answer later than `hookTimeoutMs`, is logged and comes to
 * UNAVAILABLE.
 *
 * What the application does by itself (`send`, `rooms`) is not put to `authorize` and `onMessage`.
 */
export interface Hooks {
  /**
   * Whether a user may do something in a room. It can only forbid: what the rights of the room do not allow is refused
   * whatever it says. Anything but true comes to FORBIDDEN, the answer of a room that does not exist. It is asked each
   * time, before every read, change and new message, so it must be quick: later reads of rooms on the same connection wait
   * for its answer. It is not asked again for what is pushed to
   * who follows a room (see `rooms.removeMember` and `disconnect`).
   */
  authorize?(request: ActionRequest): boolean | Promise<boolean>
  /**
   * Looks at a message, or an edit, before it is stored: returns nothing to let it pass, or what shall be changed in it, or throws
   * to refuse it.
   *
   * It is called for new messages alone that the sender may send, in the order in which a user sent them to a room; later
   * ones of that user in that room wait for the answer, nobody else does. A message that was accepted is never shown
   * again, however often the client sends it; one that was not (the store failed afterwards, the hook came too late,
   * the server ended) is shown again with its next try, so let nothing happen here that must happen once.
   */
  onMessage?(
    message: SubmittedMessage,
  ): undefined | MessageChange | Promise<undefined | MessageChange> | Promise<void> | void
  /**
   * Somebody who is away has a notification, or a message in a room of which they want to hear everything: to be given to
   * a push service; where there is `authorize`, what was said in a room is for who may read it by then. Away is who has had no connection for `presenceGraceMs`. It is told once it is committed, at most 16
   * at a time and in no order; what throws, or takes longer than `hookTimeoutMs`, is tried again, five times in all over
   * about three minutes (a TautlineError says with `retryAfterMs` when, or with a final code never). So it may come twice
   * (see `id`), and where the process ends first, not at all: the notification itself is in the user's own log.
   */
  onNotification?(notification: PushNotification): unknown
  /**
   * Whether `viewer` may be told how `userId` is, and when they were last seen, whatever room they are in
   * (`subscribe_presence`). Without it who shares a room may; with it what it says counts, and nothing else. Anything but
   * true is no: the viewer hears nothing of that user. Where it throws, or gives no answer in time, the viewer asks again
   * later. Asked when a client wants to know, and again when one of the two joined or left a room, or `userId` said something
   * in their direct room for the first time; a change of mind in between takes effect with `disconnect(viewer)`. Who is in a room with others is seen there by all who follow it.
   */
  maySee?(request: SightRequest): boolean | Promise<boolean>
  /**
   * What users are called, and where a picture of them is, for clients that ask for it (`users(client)`): a Map or an object
   * by user id. Who is left out has no name; so has everybody where it fails. Asked for up to 100 at once; an answer is
   * believed for `userCacheMs`, unless you say `forgetUsers`. A name has at most 100 characters, an address 1,024, and is
   * https, http or relative. Clients are told of those alone whom they may know: see `maySee`.
   */
  describeUsers?: DescribeUsers
  /** A connection is authenticated. What it returns is ignored; to keep somebody out, refuse the token. */
  onConnect?(event: ConnectionEvent): unknown
  /** Its socket has closed: once for each onConnect. `code`: why the server closed it; undefined: the client went. */
  onDisconnect?(event: ConnectionEvent & { readonly code: Code | undefined }): unknown
}

/** The hooks as the server calls them: nothing here throws. */
export interface HookRunner extends ReadPolicy {
  /** What `authorize` has against it: FORBIDDEN, or a code to retry; undefined: nothing. */
  objectionTo(request: ActionRequest): Promise<Code | undefined>
  review(question: Question): Promise<Verdict>
  /** A signal, whose user may write in the room as far as its rights go, or a request. */
  ask(asked: Asked): Promise<Verdict>
  session(event: SessionEvent): void
  /** Rejects where the hook failed, or took too long. */
  push(notification: PushNotification): Promise<unknown>
  connected(event: ConnectionEvent): void
  disconnected(event: ConnectionEvent & { readonly code: Code | undefined }): void
}

export interface HookRunnerOptions {
  readonly hooks: Hooks
  readonly extensions: ExtensionRunner
  readonly hookTimeoutMs: number
  readonly maxMessageChars: number
  readonly logger: Logger
}

/** Of a sentence to a client, as the protocol bounds the message of an error. */
const MAX_DETAIL_CHARS = 1_000

export function createHookRunner(options: HookRunnerOptions): HookRunner {
  const { hooks, extensions, hookTimeoutMs, maxMessageChars, logger } = options

  /** The message in which the hook changed something, and how loudly it is told; each undefined: as it is. */
  async function changed(
    question: Question,
    { type, messageId, payload }: NonNullable<Question['command']>,
  ): Promise<Omit<Extract<Verdict, { ok: true }>, 'ok'>> {
    if (type !== 'send_message' && type !== 'edit_message')
      return { payload: await extensions.review(question) }
    const { userId: sender, room } = question
    // The hook's own copy: an object changed in place must not come into the store unseen.
    const copy = structuredClone(payload) as CommandPayload<'send_message'> | CommandPayload<'edit_message'>
    const change = await hooks.onMessage?.({ ...copy, sender, room, messageId })
    if (change === undefined) return {}
    if (typeof change !== 'object' || change === null) throw new TypeError('onMessage returned no object')
    const { alert: loudness, ...fields } = change
    const alert = loudness === undefined ? undefined : readAlert(loudness)
    const item: unknown = JSON.parse(JSON.stringify({ type, messageId, payload: { ...payload, ...fields } }))
    const command = decodeCommand(item)
    const fault = findFault(item, true, MAX_DEPTH)
    const isCommand = !fault && command.ok && command.type === type && 'content' in command.payload
    if (!isCommand || command.payload.content.length > maxMessageChars)
      throw new TypeError('onMessage made of a message what is none')
    return { payload: command.payload, alert }
  }

  function verdictOf(error: unknown, about: object): Verdict {
    if (isRefusal(error)) {
      const { code, retryAfterMs } = error
      return { ok: false, code, retryAfterMs, detail: wordsOf(error), applicationCode: ownCodeOf(error) }
    }
    logger.error({ ...about, ...describeError(error) }, 'a hook failed')
    return { ok: false, code: 'UNAVAILABLE' }
  }

  async function mayWrite(userId: string, room: string): Promise<boolean> {
    return (
      !hooks.authorize || isYes(await hooks.authorize({ action: 'write', userId, room, target: undefined }))
    )
  }

  function tell<T>(name: string, hook: ((event: T) => unknown) | undefined, event: T): void {
    if (!hook) return
    void (async () => {
      try {
        await hook.call(hooks, event)
      } catch (error) {
        logger.error({ hook: name, ...describeError(error) }, 'a hook failed')
      }
    })()
  }

  async function visibleTo(viewer: string, others: readonly Acquaintance[]) {
    const answers = others.map(async ({ userId, sharesRoom }) =>
      userId === viewer ? true : hooks.maySee?.({ viewer, userId, sharesRoom }),
    )
    try {
      const isVisible = await within(hookTimeoutMs, Promise.all(answers))
      return others.filter((_other, i) => isYes(isVisible[i]))
    } catch (error) {
      logger.error({ hook: 'maySee', user: viewer, ...describeError(error) }, 'a hook failed')
      return 'UNAVAILABLE'
    }
  }

  async function objectionTo(request: ActionRequest): Promise<Code | undefined> {
    const { action, userId, room } = request
    if (!hooks.authorize || (action === 'read' && room === ownLogId(userId))) return undefined
    try {
      return isYes(await within(hookTimeoutMs, hooks.authorize(request))) ? undefined : 'FORBIDDEN'
    } catch (error) {
      if (isRefusal(error)) return CODES[error.code].final ? 'FORBIDDEN' : error.code
      logger.error({ action, user: userId, room, ...describeError(error) }, 'a hook failed')
      return 'UNAVAILABLE'
    }
  }

  return {
    async review(question) {
      const { action, userId, room, target, command, from } = question
      try {
        if (from !== undefined && hooks.authorize) {
          if (!isYes(await hooks.authorize({ action: 'read', userId, room: from })))
            return { ok: false, code: 'FORBIDDEN' }
        }
        if (hooks.authorize && !isYes(await hooks.authorize({ action, userId, room, target })))
          return { ok: false, code: 'FORBIDDEN' }
        return { ok: true, ...(command && (await changed(question, command))) }
      } catch (error) {
        return verdictOf(error, { action, user: userId, room, type: command?.type })
      }
    },

    async ask(asked) {
      const { type } = asked
      const signal = asked.kind === 'signal' ? asked.probe : undefined
      try {
        if (signal && !(await mayWrite(signal.user, signal.room))) return { ok: false, code: 'FORBIDDEN' }
        return { ok: true, payload: await extensions.ask(asked) }
      } catch (error) {
        return verdictOf(error, { type, session: asked.session, room: signal?.room })
      }
    },

    session: (event) =>
      tell('onSession', (told: SessionEvent) => Promise.all(extensions.session(told)), event),

    objectionTo,
    objectionToRead: (userId, room) => objectionTo({ action: 'read', userId, room }),

    push: async (notification) => within(hookTimeoutMs, hooks.onNotification?.(notification)),
    visibleTo: hooks.maySee && visibleTo,
    connected: (event) => tell('onConnect', hooks.onConnect, event),
    disconnected: (event) => tell('onDisconnect', hooks.onDisconnect, event),
  }
}

/**
 * With a code that can be the answer to one message or request; GAP is the lane's alone. By its name, since an
 * application may have another copy of the class.
 */
function isRefusal(error: unknown): error is TautlineError {
  if (!(error instanceof Error) || error.name !== 'TautlineError') return false
  const { code } = error as Partial<TautlineError>
  if (!isCode(code) || code === 'GAP') return false
  const { action, closeCode } = CODES[code]
  return closeCode === null && (action === 'fail' || action === 'retry')
}

/** What a client may be told of it: no more than the protocol takes, and text that every client can read. */
function wordsOf({ detail }: TautlineError): string | undefined {
  if (typeof detail !== 'string' || detail === '') return undefined
  return Buffer.from(detail.slice(0, MAX_DETAIL_CHARS).replaceAll('\0', '')).toString()
}

/** Of what an entry may hold. */
function readAlert(given: unknown): Alert {
  const read = ENTRIES.notice.safeParse({ title: '-', alert: given })
  if (!read.success || !read.data.alert || findFault(read.data.alert))
    throw new TypeError('onMessage named an alert that is none')
  return read.data.alert
}

/** One that is a code, and not one of the table. */
function ownCodeOf({ applicationCode }: TautlineError): string | undefined {
  const isOwn =
    typeof applicationCode === 'string' && CODE_NAME.test(applicationCode) && !isCode(applicationCode)
  return isOwn ? applicationCode : undefined
}

/** From JavaScript anything may come. A hook that forgets to answer allows nothing. */
function isYes(answer: unknown): boolean {
  return answer === true
}

function within<T>(timeoutMs: number, answer: T | Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs)
    // A server that is closed meanwhile must not keep its process for the sake of an answer.
    timer.unref()
    Promise.resolve(answer)
      .then(resolve, reject)
      .finally(() => clearTimeout(timer))
  })
}
