/**
 * @tautline/server/calls: the server's part in calls, for the option `extensions`:
 *
 *     createServer({ …, extensions: [calls()] })
 *
 * It speaks callProtocol with what every extension has. What is decided is decided in calls/core/registry.ts; here its
 * effects are carried out: devices are told, and the log of the room says when a call began and how it ended.
 */
import { createHash, randomBytes } from 'node:crypto'
import { type Call, type CallRecord, callProtocol } from '@tautline/protocol/calls'
import {
  MAX_CALL_USERS,
  MAX_DURATION_MS,
  makeMessageId,
  TautlineError,
  usersOfDirectRoom,
} from '@tautline/protocol/wire'
import type { CallEffect, CallInput, CallRefusal } from './calls/core/contract.ts'
import { createRegistry } from './calls/core/registry.ts'
import { createEndings } from './calls/endings.ts'
import { type CallsOptions, readCallsOptions } from './calls/settings.ts'
import { type Extension, handle, type RequestMessage, type ServerExtension } from './extensions.ts'
import { nextTurn } from './next-turn.ts'

export type { CallsOptions } from './calls/settings.ts'

type App = ServerExtension<typeof callProtocol>
type Do<D extends CallEffect['do']> = Extract<CallEffect, { do: D }>
type Asking = Omit<RequestMessage<unknown>, 'payload'>
type Answer = Do<'reply'> | Do<'list'> | Do<'done'>

/** What is to be in a log and could not be written is tried again after so long, and then twice as long, … */
const FIRST_RETRY_MS = 1_000
/** … so often. */
const MAX_TRIES = 9
/** Users of whom it is asked at once whether they are members still. */
const LOOKS_AT_ONCE = 20

/** Calls, for the option `extensions` of one server. Throws an OptionError for what no option can be. */
export function calls(options: CallsOptions = {}): Extension {
  const settings = readCallsOptions(options)
  const registry = createRegistry(settings)
  const endings = createEndings()
  const waiting = new Map<number, { resolve(answer: Answer): void; reject(error: unknown): void }>()
  const retries = new Set<NodeJS.Timeout>()
  /** Unix milliseconds that never go back. */
  const origin = Date.now() - performance.now()
  let lastAsk = 0
  let timer: NodeJS.Timeout | undefined
  let look: NodeJS.Timeout | undefined
  let isClosed = false

  function step(app: App, input: CallInput): void {
    if (isClosed) return
    for (const effect of registry.step(input, origin + performance.now())) perform(app, effect)
    arm(app)
  }

  /** Who was put out of a room is out of its call. */
  async function lookForMembers(app: App): Promise<void> {
    const all = registry.members().flatMap(({ room, users }) => users.map((user) => ({ room, user })))
    for (let i = 0; i < all.length && !isClosed; i += LOOKS_AT_ONCE) {
      // Others have their turn in between, however many calls are on.
      if (i > 0) await nextTurn()
      await Promise.all(all.slice(i, i + LOOKS_AT_ONCE).map(({ room, user }) => lookFor(app, room, user)))
    }
    look = undefined
    watch(app)
  }

  async function lookFor(app: App, room: string, user: string): Promise<void> {
    const isMember = await app.server.getMembers(room, { as: user, limit: 1 }).then(
      (members) => members !== undefined,
      // The store could not read: they are looked for again.
      () => true,
    )
    if (!isMember) step(app, { type: 'removed', user, room })
  }

  function watch(app: App): void {
    if (!isClosed && registry.members().length > 0)
      look ??= setTimeout(() => void lookForMembers(app), settings.membershipIntervalMs)
  }

  function arm(app: App): void {
    watch(app)
    clearTimeout(timer)
    const deadline = registry.nextDeadline()
    if (deadline === undefined) return
    timer = setTimeout(() => step(app, { type: 'timer' }), Math.ceil(deadline - origin - performance.now()))
  }

  function ask(
    app: App,
    { userId: user, session }: Asking,
    inputOf: (who: { ask: number; user: string; session: string }) => CallInput,
  ): Promise<Answer> {
    const number = ++lastAsk
    return new Promise((resolve, reject) => {
      waiting.set(number, { resolve, reject })
      step(app, inputOf({ ask: number, user, session }))
    })
  }

  function answer(effect: Answer): void {
    waiting.get(effect.ask)?.resolve(effect)
    waiting.delete(effect.ask)
  }

  function refuse(number: number, error: unknown): void {
    waiting.get(number)?.reject(error)
    waiting.delete(number)
  }

  function perform(app: App, effect: CallEffect): void {
    switch (effect.do) {
      case 'reply':
      case 'list':
      case 'done':
        return answer(effect)
      case 'refuse':
        return refuse(effect.ask, errorOf(effect.code, effect.retryAfterMs))
      case 'fail':
        return refuse(effect.ask, effect.error)
      case 'announce':
        return announce(app, effect)
      case 'check':
        return check(app, effect)
      case 'find':
        return find(app, effect)
      case 'tell':
        for (const userId of effect.users) app.tell({ userId }, 'call_changed', { call: effect.call })
        return
      case 'signal': {
        const { session, callId, from, to, signal } = effect
        app.tell({ session }, 'peer_signal', { callId, from, to, signal })
        return
      }
      case 'record':
        return record(app, effect.call)
      case 'missed':
        return missed(app, effect)
      default:
        return effect satisfies never
    }
  }

  // ── What the log is asked and told ────────────────────────────────────────────────────────────────────────────

  function announce(app: App, { callId, room, media, startedBy: as, to }: Do<'announce'>): void {
    const begin = async (): Promise<CallInput> => {
      if (!(await app.authorize({ action: 'write', userId: as, room }))) throw new TautlineError('FORBIDDEN')
      const called = await whomToCall(app, room, as, to)
      // Said again after a restart it is the same entry, where it was.
      const place = await app.send(room, 'call_started', { callId, media }, { as, messageId: callId })
      // The id of a call that is over is no way to call people with nothing to show for it in the log.
      if (await endings.isOver(app.server, { callId, room, as, after: place.seq }))
        throw callProtocol.error('CALL_ENDED')
      return { type: 'announced', callId, seq: place.seq, startedAt: place.timestamp, to: called }
    }
    begin().then(
      (input) => step(app, input),
      (error: unknown) => step(app, { type: 'not_announced', callId, error }),
    )
  }

  function check(app: App, { ask: number, user: as, room }: Do<'check'>): void {
    const isLetIn = async () =>
      (await app.authorize({ action: 'write', userId: as, room })) &&
      (await app.server.getMembers(room, { as, limit: 1 })) !== undefined
    isLetIn().then(
      (isMember) => step(app, { type: 'checked', ask: number, isMember }),
      (error: unknown) => step(app, { type: 'unanswered', ask: number, error }),
    )
  }

  function find(app: App, { ask: number, user: as, callId, room, seq }: Do<'find'>): void {
    const readStart = async () => {
      if (!(await app.authorize({ action: 'write', userId: as, room }))) return undefined
      const [first] = (await app.server.getEntries(room, { as, after: seq - 1, limit: 1 })) ?? []
      const isIt = first?.type === 'call_started' && first.seq === seq && first.messageId === callId
      if (!isIt || (await endings.isOver(app.server, { callId, room, as, after: seq }))) return undefined
      const media = first.payload['media'] === 'video' ? 'video' : 'audio'
      return { media, startedBy: first.sender, at: first.timestamp } as const
    }
    readStart().then(
      (started) => step(app, { type: 'found', ask: number, started }),
      (error: unknown) => step(app, { type: 'unanswered', ask: number, error }),
    )
  }

  function record(app: App, call: Call): void {
    insist(() => app.send(call.room, 'call_ended', recordOf(call), { messageId: endIdOf(call) }))
  }

  function missed(
    app: App,
    { user, call: { callId, room, media, startedBy: sender, startedAt } }: Do<'missed'>,
  ): void {
    const messageId = makeMessageId(Date.now(), randomBytes(9).toString('base64url'))
    const notification = { type: 'missed_call', room, callId, media, startedAt, sender, messageId } as const
    insist(() => app.server.notify(user, notification))
  }

  /** Tries again what may succeed later. */
  function insist(write: () => Promise<unknown>, tries = 1): void {
    write().catch((error: unknown) => {
      const isFinal = !(error instanceof TautlineError && error.retryable)
      if (isFinal || isClosed || tries >= MAX_TRIES) return
      const retry = setTimeout(
        () => {
          retries.delete(retry)
          insist(write, tries + 1)
        },
        FIRST_RETRY_MS * 2 ** (tries - 1),
      )
      retries.add(retry)
    })
  }

  function close(): void {
    isClosed = true
    clearTimeout(timer)
    clearTimeout(look)
    for (const retry of retries) clearTimeout(retry)
    for (const number of Array.from(waiting.keys())) refuse(number, new TautlineError('UNAVAILABLE'))
  }

  const onlyTheServer = () => {
    throw callProtocol.error('SAID_BY_THE_SERVER')
  }

  return handle(
    callProtocol,
    {
      start_call: async ({ payload, ...asking }, app) =>
        toldOf(await ask(app, asking, (who) => ({ type: 'start', ...who, ...payload, to: payload.to }))),
      answer_call: async ({ payload, ...asking }, app) =>
        toldOf(await ask(app, asking, (who) => ({ type: 'answer', ...who, ...payload }))),
      resume_call: async ({ payload, ...asking }, app) => {
        const { answeredAt } = payload
        return toldOf(await ask(app, asking, (who) => ({ type: 'resume', ...who, ...payload, answeredAt })))
      },
      async reject_call({ payload, ...asking }, app) {
        await ask(app, asking, (who) => ({ type: 'reject', ...who, ...payload }))
        return {}
      },
      async end_call({ payload, ...asking }, app) {
        await ask(app, asking, (who) => ({ type: 'end', ...who, ...payload }))
        return {}
      },
      async signal_peer({ payload, ...asking }, app) {
        await ask(app, asking, (who) => ({ type: 'signal', ...who, ...payload }))
        return {}
      },
      async get_calls(asking, app) {
        const answered = await ask(app, asking, (who) => ({ type: 'list', ...who }))
        return { calls: answered.do === 'list' ? Array.from(answered.calls) : [] }
      },
      call_started: onlyTheServer,
      call_ended: onlyTheServer,
    },
    {
      onSession({ session, userId: user, isConnected }, app) {
        // Who is back says so itself, with the call in which it is.
        if (!isConnected) step(app, { type: 'gone', user, session })
      },
      onClose: close,
    },
  )
}

function toldOf(answer: Answer): { call: Call } {
  if (answer.do !== 'reply') throw new TypeError(`a call was asked for, and answered by ${answer.do}`)
  return { call: answer.call }
}

/** The same for each try, and of no other room: whoever starts a call gives it its id. */
function endIdOf({ room, callId }: Call): string {
  return createHash('sha256').update(`${room}\n${callId}`).digest('base64url').slice(0, 32)
}

/** Members of the room, as the caller may know them. */
async function whomToCall(
  app: App,
  room: string,
  as: string,
  to: readonly string[] | undefined,
): Promise<readonly string[]> {
  const direct = usersOfDirectRoom(room)
  if (direct) return direct.filter((user) => user !== as && (to === undefined || to.includes(user)))
  const limit = MAX_CALL_USERS + 1
  const found = await app.server.getMembers(room, to ? { as, only: to } : { as, limit })
  if (!found) throw new TautlineError('FORBIDDEN')
  const members = found.members.map(({ userId }) => userId)
  if (to && members.length < new Set(to).size) throw new TautlineError('FORBIDDEN')
  if (members.length > MAX_CALL_USERS) throw callProtocol.error('ROOM_TOO_LARGE')
  return members
}

function recordOf({
  callId,
  media,
  startedBy,
  startedAt,
  answeredAt,
  ended,
  participants,
}: Call): CallRecord {
  const { at, reason } = ended ?? { at: startedAt, reason: 'failed' }
  const lastedMs = answeredAt === undefined ? 0 : Math.max(0, at - answeredAt)
  return {
    callId,
    media,
    startedBy,
    startedAt,
    ...(answeredAt === undefined ? {} : { answeredAt }),
    durationMs: Math.min(Math.round(lastedMs), MAX_DURATION_MS),
    reason,
    users: participants.map(({ userId }) => userId),
  }
}

function errorOf(code: CallRefusal, retryAfterMs: number | undefined): TautlineError {
  switch (code) {
    case 'FORBIDDEN':
    case 'UNAVAILABLE':
    case 'RATE_LIMIT':
      return new TautlineError(code, undefined, retryAfterMs)
    default:
      return callProtocol.error(code)
  }
}
