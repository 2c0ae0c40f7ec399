/**
 * What is asked about calls goes in, answers and everything else that is to be done come out. A room has one call at a
 * time, and a user is in one at a time; whoever starts one where one is on comes into it. So two who call each other at
 * once meet in one call.
 *
 * Nothing here waits: a question to the log is an effect whose answer is an input, and deadlines are data. Time is Unix
 * milliseconds that never go back.
 */
import { MAX_CALL_USERS } from '@tautline/protocol/wire'
import { UserBuckets } from '../../core/limiter.ts'
import { type CallState, depart, partOfPeer, reasonToEnd, viewOf } from './call.ts'
import { createCalls } from './calls.ts'
import type { CallEffect, CallInput, CallRefusal } from './contract.ts'

export interface RegistryOptions {
  /** How long it rings. */
  readonly ringTimeoutMs: number
  /** How long a device may be without a connection before it is out of its call. */
  readonly reconnectTimeoutMs: number
  /** Calls that a user may start: so many at once, and as many again, evenly spread, in each further minute. */
  readonly startsPerMinute: number
  /** Calls of the whole server. */
  readonly maxCalls: number
}

export interface CallRegistry {
  /** The effects are to be carried out in their order, and before the next input. */
  step(input: CallInput, now: number): CallEffect[]
  /** When to call with `timer`; undefined: no need. An early call does nothing. */
  nextDeadline(): number | undefined
  /** Who is in or is called by the calls of rooms that one can be put out of. */
  members(): readonly { readonly room: string; readonly users: readonly string[] }[]
}

type Asked<T extends CallInput['type']> = Extract<CallInput, { type: T }>
/** Who wants to be in a call. */
type Question = Asked<'start' | 'answer' | 'resume'>

export function createRegistry(options: RegistryOptions): CallRegistry {
  /** Calls that are not in the log yet, and who waits for that. */
  const opening = new Map<CallState, Question[]>()
  /** What the log was asked about. */
  const questions = new Map<number, Question>()
  const starts = new UserBuckets({ perSecond: options.startsPerMinute / 60, burst: options.startsPerMinute })
  let effects: CallEffect[] = []
  let now = 0
  const emit = (effect: CallEffect) => void effects.push(effect)
  const calls = createCalls({ ...options, now: () => now, emit })

  const reply = (ask: number, call: CallState) => emit({ do: 'reply', ask, call: viewOf(call) })
  const refuse = (ask: number, code: CallRefusal) => emit({ do: 'refuse', ask, code })

  /** Into a call that is there: at once who was called or was in it, another member of the room after a look. */
  function come(call: CallState, question: Question): void {
    const waiting = opening.get(call)
    if (waiting) waiting.push(question)
    else if (call.parts.has(question.user)) enter(call, question)
    else {
      questions.set(question.ask, question)
      emit({ do: 'check', ask: question.ask, user: question.user, room: call.room })
    }
  }

  /** Whom it concerned is told by the call itself that it is over. */
  function enter(call: CallState, question: Question): void {
    const refusal = call.ended ? undefined : calls.enter(call, question)
    if (refusal) refuse(question.ask, refusal)
    else reply(question.ask, call)
  }

  /** Whether the user may bring up a call that the server does not have, new or restored; else they are refused. */
  function mayOpen(ask: number, user: string): boolean {
    const retryAfterMs = starts.msUntil(user, 1, now)
    if (calls.isInCall(user)) refuse(ask, 'IN_CALL')
    else if (calls.size() >= options.maxCalls) refuse(ask, 'UNAVAILABLE')
    else if (retryAfterMs > 0) emit({ do: 'refuse', ask, code: 'RATE_LIMIT', retryAfterMs })
    else {
      starts.take(user, 1, now)
      return true
    }
    return false
  }

  function start(input: Asked<'start'>): void {
    const { ask, user, callId, room, media, to } = input
    const known = calls.get(callId)
    if (known && (known.room !== room || known.startedBy !== user)) return refuse(ask, 'CALL_NOT_FOUND')
    const there = known ?? calls.inRoom(room)
    if (there) return come(there, input)
    if (!mayOpen(ask, user)) return
    const call = calls.open({ callId, room, media, startedBy: user })
    opening.set(call, [input])
    calls.enter(call, input)
    emit({ do: 'announce', callId, room, media, startedBy: user, to })
  }

  function announced({ callId, seq, startedAt, to }: Asked<'announced'>): void {
    const call = calls.get(callId)
    const waiting = call && opening.get(call)
    const starter = call?.parts.get(call.startedBy)
    if (!waiting || !starter) return
    opening.delete(call)
    Object.assign(call, { seq, startedAt })
    const called = to.filter((user) => user !== call.startedBy).slice(0, MAX_CALL_USERS - 1)
    for (const user of called) calls.callUser(call, user)
    const busy = Array.from(call.parts.values()).find(({ state }) => state === 'busy')
    // Who hung up meanwhile has cancelled it.
    const reason = reasonToEnd(call, starter.state === 'joined' ? (busy ?? starter) : starter, now)
    if (reason) calls.end(call, reason, call.startedBy)
    else calls.tell(call)
    for (const question of waiting) come(call, question)
  }

  function notAnnounced({ callId, error }: Asked<'not_announced'>): void {
    const call = calls.get(callId)
    const waiting = call && opening.get(call)
    if (!waiting) return
    opening.delete(call)
    calls.drop(call)
    for (const { ask } of waiting) emit({ do: 'fail', ask, error })
  }

  function answer(input: Asked<'answer'>): void {
    const call = calls.get(input.callId)
    if (call) come(call, input)
    else refuse(input.ask, 'CALL_NOT_FOUND')
  }

  function reject({ ask, user, callId }: Asked<'reject'>): void {
    const call = calls.get(callId)
    const part = call?.parts.get(user)
    if (call && part?.state === 'ringing') calls.goOut(call, part, 'rejected')
    emit({ do: 'done', ask })
  }

  function hangUp({ ask, user, callId, peerId }: Asked<'end'>): void {
    const call = calls.get(callId)
    const part = call?.parts.get(user)
    if (call && part?.state === 'joined' && part.peerId === peerId) {
      // What is not in the log yet ends when it is.
      if (opening.has(call)) depart(part, 'left')
      else calls.goOut(call, part, 'left')
    }
    emit({ do: 'done', ask })
  }

  function resume(input: Asked<'resume'>): void {
    const { ask, user, callId, peerId, room, seq } = input
    const call = calls.get(callId)
    if (call?.room !== room) {
      questions.set(ask, input)
      return emit({ do: 'find', ask, user, callId, room, seq })
    }
    // Who hung up, on whatever path, does not come back by mistake.
    const part = call.parts.get(user)
    if (part?.peerId === peerId && part.state === 'left') reply(ask, call)
    else come(call, input)
  }

  function found({ ask, started }: Asked<'found'>): void {
    const question = questions.get(ask)
    questions.delete(ask)
    if (question?.type !== 'resume') return
    const { callId, room, seq, answeredAt, others } = question
    if (!started) return refuse(ask, 'CALL_NOT_FOUND')
    const namesake = calls.get(callId)
    const known = namesake?.room === room ? namesake : undefined
    // Its starter is about to restore it, too: it is in the log when that is answered.
    if (known && opening.has(known)) return come(known, question)
    if (!known) {
      if (namesake && !mustGiveWay(namesake, started.at)) return refuse(ask, 'CALL_NOT_FOUND')
      // Another call since: the earlier one ended before the server did.
      if (calls.inRoom(room)) return refuse(ask, 'CALL_ENDED')
      // A call that nobody would be in, and which nobody asked to start, must not take the room's place.
      if (!mayOpen(ask, question.user)) return
      if (namesake) giveWay(namesake)
    }
    const call = known ?? restore({ callId, room, seq }, started)
    if (answeredAt !== undefined)
      call.answeredAt ??= Math.min(Math.max(answeredAt, call.startedAt), Math.floor(now))
    call.expected = Math.max(call.expected, others + 1)
    // A stranger to the call as the server knows it, but in its room.
    enter(call, question)
  }

  /** An id that was taken in another room while the server knew of no call belongs to the call that began first. */
  function mustGiveWay(other: CallState, startedAt: number): boolean {
    return other.seq === 0 || other.startedAt > startedAt
  }

  function giveWay(other: CallState): void {
    for (const { ask } of opening.get(other) ?? []) refuse(ask, 'CALL_NOT_FOUND')
    opening.delete(other)
    if (other.seq > 0 && !other.ended) calls.end(other, 'failed')
    calls.drop(other)
  }

  function restore(
    { callId, room, seq }: { readonly callId: string; readonly room: string; readonly seq: number },
    { media, startedBy, at }: NonNullable<Asked<'found'>['started']>,
  ): CallState {
    const call = calls.open({ callId, room, media, startedBy })
    Object.assign(call, { seq, startedAt: at })
    calls.awaitDevices(call)
    return call
  }

  function checked({ ask, isMember }: Asked<'checked'>): void {
    const question = questions.get(ask)
    questions.delete(ask)
    if (!question) return
    const there = question.type === 'start' ? calls.inRoom(question.room) : undefined
    const call = calls.get(question.callId) ?? there
    if (!isMember) refuse(ask, question.type === 'start' ? 'FORBIDDEN' : 'CALL_NOT_FOUND')
    else if (!call || call.ended) refuse(ask, 'CALL_ENDED')
    else enter(call, question)
  }

  function unanswered({ ask, error }: Asked<'unanswered'>): void {
    if (questions.delete(ask)) emit({ do: 'fail', ask, error })
  }

  function list({ ask, user }: Asked<'list'>): void {
    const concerned = calls.ofUser(user).filter((call) => !opening.has(call))
    emit({ do: 'list', ask, calls: concerned.map(viewOf) })
  }

  function signal({ ask, user, session, callId, from, to, signal: said }: Asked<'signal'>): void {
    const call = calls.get(callId)
    const sender = call?.parts.get(user)
    const target = call && partOfPeer(call, to)
    if (!call || sender?.peerId !== from) return refuse(ask, 'CALL_NOT_FOUND')
    if (sender.state !== 'joined' || sender.session !== session) return refuse(ask, 'CALL_ENDED')
    if (target?.state !== 'joined' || !target.isConnected || target.session === undefined)
      return refuse(ask, 'PEER_UNAVAILABLE')
    emit({ do: 'signal', session: target.session, callId, from, to, signal: said })
    emit({ do: 'done', ask })
  }

  function removed({ user, room }: Asked<'removed'>): void {
    const call = calls.inRoom(room)
    const part = call?.parts.get(user)
    if (!call || !part || opening.has(call)) return
    if (part.state === 'joined' || part.state === 'ringing') calls.goOut(call, part, 'left')
  }

  function take(input: CallInput): void {
    switch (input.type) {
      case 'start':
        return start(input)
      case 'answer':
        return answer(input)
      case 'reject':
        return reject(input)
      case 'end':
        return hangUp(input)
      case 'resume':
        return resume(input)
      case 'list':
        return list(input)
      case 'signal':
        return signal(input)
      case 'announced':
        return announced(input)
      case 'not_announced':
        return notAnnounced(input)
      case 'checked':
        return checked(input)
      case 'found':
        return found(input)
      case 'unanswered':
        return unanswered(input)
      case 'gone':
        return calls.gone(input.user, input.session)
      case 'removed':
        return removed(input)
      case 'timer':
        return calls.expire()
      default:
        return input satisfies never
    }
  }

  return {
    step(input, at) {
      now = Math.max(now, at)
      effects = []
      take(input)
      return effects
    },
    nextDeadline: calls.nextDeadline,
    members: calls.members,
  }
}
