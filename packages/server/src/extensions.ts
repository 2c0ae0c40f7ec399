/**
 * Messages of the application's own, at the server: `handle` gives a protocol its handlers, the option `extensions` puts
 * it into a server, `server.extension(protocol)` speaks it. Here the handlers are called; when they are, and who waits
 * for them, is decided in core/reviews.ts (durable messages) and core/extensions.ts (all else).
 *
 * A handler can do no more harm than a hook (hooks.ts): what it throws that is no refusal is logged, and whoever asked is
 * told to try again later. What it gives is checked like what clients say.
 */
import { CLIENT_MESSAGES, COMMANDS, ENTRIES, SERVER_MESSAGES } from '@tautline/protocol'
import {
  checkPayload,
  definitionOf,
  type NameOf,
  type PayloadInput,
  type PayloadOutput,
  type Protocol,
  type ResponseInput,
} from '@tautline/protocol/extension'
import { CODES, type Code, SYSTEM_USER_ID, TautlineError } from '@tautline/protocol/wire'
import type { SentMessage } from './application.ts'
import { fault, OptionError } from './checks.ts'
import type { Asked, Question, Recipient } from './core/contract.ts'
import type { OwnMessages } from './core/extensions.ts'
import type { ActionRequest } from './hooks.ts'
import type { Server } from './server.ts'

/** A durable message before it is committed. */
export interface DurableMessage<P> {
  readonly payload: P
  readonly userId: string
  readonly room: string
  /** Of the connection by which it came: where tabs share an outbox, of the tab that sends. */
  readonly session: string
  readonly messageId: string
}

export interface SignalMessage<P> {
  readonly payload: P
  readonly userId: string
  readonly room: string
  readonly session: string
}

export interface RequestMessage<P> {
  readonly payload: P
  readonly userId: string
  /** One load of a page, or one process, of this user: the same over its reconnects, and nobody else's. */
  readonly session: string
}

type Awaitable<T> = T | Promise<T>

/** What a handler is given, by the kind of its message. */
type HandledMessage<P extends Protocol, N extends keyof P['messages']> = {
  readonly durable: DurableMessage<PayloadOutput<P, N>>
  readonly signal: SignalMessage<PayloadOutput<P, N>>
  readonly request: RequestMessage<PayloadOutput<P, N>>
  readonly event: never
}[P['messages'][N]['kind']]

/** What it may return. */
type HandlerAnswer<P extends Protocol, N extends keyof P['messages']> = {
  readonly durable: Awaitable<PayloadInput<P, N> | undefined> | Promise<void> | void
  readonly signal: Awaitable<PayloadInput<P, N> | false | undefined> | Promise<void> | void
  readonly request: Awaitable<ResponseInput<P, N>>
  readonly event: never
}[P['messages'][N]['kind']]

type Handler<P extends Protocol, N extends keyof P['messages']> = (
  message: HandledMessage<P, N>,
  app: ServerExtension<P>,
) => HandlerAnswer<P, N>

/**
 * Called as `job_offer({ payload, userId … }, app)`. Each refuses by throwing one of the protocol's errors
 * (`jobs.error('JOB_NOT_FOUND')`), or a TautlineError as in Hooks.
 *
 * - A durable message is shown before it is stored, as to `onMessage`: new ones alone that their sender may send, in
 *   order. What is returned is stored instead.
 * - A signal of a user who may write in the room, before it is told. What is returned is told instead; false: nothing is.
 *   Without a handler it is told as it is.
 * - A request: what is returned is the answer. A client whose connection was lost asks again, so what is done for it must
 *   bear to be done twice.
 */
export type Handlers<P extends Protocol> = {
  readonly [N in NameOf<P, 'durable' | 'signal'>]?: Handler<P, N>
} & {
  readonly [N in NameOf<P, 'request'>]: Handler<P, N>
}

export interface SessionEvent {
  readonly session: string
  readonly userId: string
  /** False: its connection is gone, and perhaps it comes back. */
  readonly isConnected: boolean
}

export interface ExtensionOptions<P extends Protocol> {
  /** The server has closed its connections and is about to let its store go: what is armed ends here. Must not wait. */
  readonly onClose?: (() => void) | undefined
  /** A session has a new connection, or none any more. What it returns is ignored. */
  readonly onSession?: ((event: SessionEvent, app: ServerExtension<P>) => unknown) | undefined
}

/** Who hears an event: who follows the room, a user's connections, or one session. */
export type EventRecipient = Recipient

/** A protocol as the server speaks it. */
export interface ServerExtension<P extends Protocol = Protocol> {
  /** The server that speaks it: there when the first handler is called. */
  readonly server: Server
  /**
   * Says something durable, as a user or as the system. Resolves and rejects as `server.send` does; neither its handler
   * nor `authorize` is asked.
   */
  send<N extends NameOf<P, 'durable'>>(
    room: string,
    type: N,
    payload: PayloadInput<P, N>,
    options?: {
      /** A member of the room. Default: the system. */
      readonly as?: string | undefined
      /** See NewMessage. */
      readonly messageId?: string | undefined
    },
  ): Promise<SentMessage>
  /**
   * Asks `authorize` whether a user may do so in a room: for what a request makes the extension do in their name. False
   * where it says no, true where the application has no such hook; rejects with a retryable code where it cannot say.
   */
  authorize(request: ActionRequest): Promise<boolean>
  /**
   * Tells who is connected to this server now. False: nobody was. Throws VALIDATION_ERROR or MESSAGE_TOO_LONG for what
   * the schema does not take.
   */
  tell<N extends NameOf<P, 'event'>>(to: EventRecipient, type: N, payload: PayloadInput<P, N>): boolean
}

type AnyHandler = (message: unknown, app: unknown) => unknown

/** A protocol with its handlers, for the option `extensions`. */
export interface Extension {
  readonly protocol: Protocol
  readonly handlers: Readonly<Record<string, AnyHandler | undefined>>
  readonly onSession: ((event: SessionEvent, app: unknown) => unknown) | undefined
  readonly onClose: (() => void) | undefined
}

/** Gives a protocol its handlers. Requests need one each; durable messages and signals may have one. */
export function handle<P extends Protocol>(
  protocol: P,
  handlers: Handlers<NoInfer<P>>,
  options: ExtensionOptions<P> = {},
): Extension {
  return {
    protocol,
    handlers,
    onSession: options.onSession as Extension['onSession'],
    onClose: options.onClose,
  }
}

/** The option: which names are whose. Throws an OptionError where two clash, or a request has no handler. */
export function readExtensions(given: readonly Extension[] = []): readonly Extension[] {
  if (!isList(given)) throw fault('extensions', given, 'a list of handle(protocol, handlers)')
  const owners = new Map<string, string>()
  for (const table of [CLIENT_MESSAGES, SERVER_MESSAGES, COMMANDS, ENTRIES])
    for (const type of Object.keys(table)) owners.set(type, 'the protocol itself')
  for (const extension of given) {
    if (typeof extension?.protocol?.isError !== 'function')
      throw fault('extensions', extension, 'a list of handle(protocol, handlers)')
    const { protocol } = extension
    for (const name of [...Object.keys(protocol.messages), ...Object.keys(protocol.errors)]) {
      const owner = owners.get(name)
      if (owner !== undefined)
        throw new OptionError(
          'extensions',
          `cannot have ${name} of ${protocol.name}: ${owner} has it already.`,
        )
      owners.set(name, protocol.name)
    }
    checkHandlers(extension)
  }
  return given
}

/** From JavaScript anything may come. */
function isList(value: unknown): boolean {
  return Array.isArray(value)
}

function checkHandlers({ protocol: { name, messages }, handlers }: Extension): void {
  for (const [type, { kind }] of Object.entries(messages)) {
    const handler = Object.hasOwn(handlers, type) ? handlers[type] : undefined
    if (kind === 'request' && typeof handler !== 'function')
      throw new OptionError('extensions', `needs a handler of ${name} for the request ${type}.`)
  }
  for (const [type, handler] of Object.entries(handlers)) {
    const kind = Object.hasOwn(messages, type) ? messages[type]?.kind : undefined
    if (kind === undefined || kind === 'event' || (handler !== undefined && typeof handler !== 'function'))
      throw new OptionError('extensions', `cannot handle ${type}: ${name} has no such message from a client.`)
  }
}

/** What the core asks of the schemas. */
export function ownMessagesOf(extensions: readonly Extension[]): OwnMessages {
  const handled = new Set<string>()
  for (const { protocol, handlers } of extensions)
    for (const [type, { kind }] of Object.entries(protocol.messages))
      if (kind === 'durable' && handlers[type]) handled.add(type)
  return {
    hasHandlers: handled.size > 0,
    isHandled: (type) => handled.has(type),
    check(kind, type, payload) {
      for (const { protocol } of extensions) {
        const definition = definitionOf(protocol, type, kind)
        if (definition) return checkPayload(definition.payload, payload)
      }
      return undefined
    },
  }
}

/** What the server does for the application. */
export interface ExtensionHost {
  /** Throws while it is being started. */
  server(): Server
  command(user: string, room: string, type: string, payload: object, messageId?: string): Promise<SentMessage>
  /** What `authorize` has against it. */
  objectionTo(request: ActionRequest): Promise<Code | undefined>
  /** False: nobody is there. */
  tell(to: Recipient, type: string, payload: Record<string, unknown>): boolean
}

type Payload = Readonly<Record<string, unknown>>

/** The handlers, as the hooks call them. They may throw whatever the application throws. */
export interface ExtensionRunner {
  /** What shall be stored instead; undefined: what was said. */
  review(question: Question): Promise<Payload | undefined>
  /** What shall be told, or answered; undefined: nothing. */
  ask(asked: Asked): Promise<Payload | undefined>
  /** One promise for each extension. */
  session(event: SessionEvent): readonly Promise<unknown>[]
  /** Ends each of them, whatever the others throw. */
  close(failed: (error: unknown) => void): void
  /** Throws a TypeError where this server does not speak it. */
  speak<P extends Protocol>(protocol: P): ServerExtension<P>
}

export function createExtensionRunner(
  extensions: readonly Extension[],
  host: ExtensionHost,
): ExtensionRunner {
  const apps = new Map<Protocol, ServerExtension>()
  for (const { protocol } of extensions) apps.set(protocol, speakerOf(protocol, host))

  function extensionWith(type: string): Extension | undefined {
    return extensions.find(({ protocol }) => Object.hasOwn(protocol.messages, type))
  }

  function call(type: string, message: object): unknown {
    const extension = extensionWith(type)
    return extension?.handlers[type]?.(message, apps.get(extension.protocol))
  }

  return {
    async review({ userId, room, session, command }) {
      const definition = command && extensionWith(command.type)?.protocol.messages[command.type]
      if (!definition) return undefined
      const { type, messageId } = command
      const payload = structuredClone(command.payload)
      const change = await call(type, { payload, userId, room, session, messageId })
      return change === undefined ? undefined : asGiven(definition.payload, change, type)
    },

    async ask(asked) {
      const { kind, type, session } = asked
      const definition = extensionWith(type)?.protocol.messages[type]
      if (!definition) throw new TypeError(`nobody knows ${type}`)
      const payload = structuredClone(asked.payload)
      if (kind === 'request') {
        const answer = await call(type, { payload, userId: asked.userId, session })
        const schema = definition.kind === 'request' ? definition.response : definition.payload
        return asGiven(schema, answer, type)
      }
      const { user: userId, room } = asked.probe
      const change = await call(type, { payload, userId, room, session })
      if (change === false) return undefined
      return change === undefined ? asked.payload : asGiven(definition.payload, change, type)
    },

    // One that throws is no reason to leave out those behind it.
    session: (event) =>
      extensions.map(async ({ protocol, onSession }) => onSession?.(event, apps.get(protocol))),

    close(failed) {
      for (const { onClose } of extensions) void (async () => onClose?.())().catch(failed)
    },

    speak(protocol: Protocol) {
      const app = apps.get(protocol)
      if (!app) throw new TypeError(`${protocol.name} is not among the extensions of this server`)
      return app
    },
  }
}

function speakerOf(protocol: Protocol, host: ExtensionHost): ServerExtension {
  function checked(kind: 'durable' | 'event', type: string, payload: unknown): Record<string, unknown> {
    const definition = definitionOf(protocol, type, kind)
    if (!definition)
      throw new TautlineError('UNKNOWN_TYPE', `${protocol.name} has no ${kind} message ${type}`)
    const result = checkPayload(definition.payload, payload)
    if (!result.ok) throw new TautlineError(result.code, result.detail)
    return result.payload
  }

  return {
    get server() {
      return host.server()
    },
    async send(room, type, payload, { as: user = SYSTEM_USER_ID, messageId } = {}) {
      return await host.command(user, room, type, checked('durable', type, payload), messageId)
    },
    async authorize(request) {
      const objection = await host.objectionTo(request)
      if (objection !== undefined && !CODES[objection].final) throw new TautlineError(objection)
      return objection === undefined
    },
    tell: (to, type, payload) => host.tell(to, type, checked('event', type, payload)),
  }
}

/** What a handler gave, as it is told. */
function asGiven(schema: Parameters<typeof checkPayload>[0], value: unknown, type: string): Payload {
  const result = checkPayload(schema, value)
  if (!result.ok)
    throw new TypeError(`the handler of ${type} gave what its schema does not take: ${result.detail}`)
  return result.payload
}
