/**
 * The calls that are on, and what becomes of them when somebody comes in, goes out or does not come: who is told, when a
 * call is over, until when somebody is waited for. What was asked, and by whom, is the registry's.
 */
import { MAX_CALL_USERS, MAX_CALLS_OF_USER } from '@tautline/protocol/wire'
import {
  absent,
  type CallState,
  depart,
  join,
  joined,
  type Part,
  partOfPeer,
  reasonToEnd,
  ringing,
  viewOf,
} from './call.ts'
import type { CallEffect, CallRefusal } from './contract.ts'

export interface Device {
  readonly user: string
  readonly session: string
  readonly peerId: string
}

export interface Calls {
  get(callId: string): CallState | undefined
  inRoom(room: string): CallState | undefined
  /** Those that are not over and in which the user is, or that ring for them. */
  ofUser(user: string): CallState[]
  isInCall(user: string): boolean
  open(call: Pick<CallState, 'callId' | 'room' | 'media' | 'startedBy'>): CallState
  /** As if it had never been. */
  drop(call: CallState): void
  /** Undefined: the device is in. */
  enter(call: CallState, device: Device): CallRefusal | undefined
  /** Rings a user, who may be busy. */
  callUser(call: CallState, user: string): void
  goOut(call: CallState, part: Part, state: 'rejected' | 'missed' | 'busy' | 'left' | 'lost'): void
  end(call: CallState, reason: NonNullable<CallState['ended']>['reason'], ...others: readonly string[]): void
  /** Tells all whom it concerns, and `others`, whom it concerned until now. */
  tell(call: CallState, ...others: readonly string[]): void
  /** The device has no connection any more. */
  gone(user: string, session: string): void
  /** Keeps a call that is restored from being over until its devices had time to come. */
  awaitDevices(call: CallState): void
  expire(): void
  nextDeadline(): number | undefined
  members(): readonly { readonly room: string; readonly users: readonly string[] }[]
  size(): number
}

/** For so long who asks about a call that is over is told how it ended. */
const REMEMBERED_MS = 60_000

export function createCalls(context: {
  readonly ringTimeoutMs: number
  readonly reconnectTimeoutMs: number
  readonly now: () => number
  readonly emit: (effect: CallEffect) => void
}): Calls {
  const { now, emit } = context
  const calls = new Map<string, CallState>()
  /** Those that are not over, by room and by user. */
  const byRoom = new Map<string, CallState>()
  const byUser = new Map<string, Set<CallState>>()
  const forgetAt = new Map<CallState, number>()
  /** No deadline is earlier. */
  let deadline = Number.POSITIVE_INFINITY

  function inRoom(room: string): CallState | undefined {
    return byRoom.get(room)
  }

  function ofUser(user: string): CallState[] {
    return Array.from(byUser.get(user) ?? [])
  }

  function isInCall(user: string): boolean {
    return ofUser(user).some((call) => call.parts.get(user)?.state === 'joined')
  }

  function concern(user: string, call: CallState): void {
    const known = byUser.get(user)
    if (known) known.add(call)
    else byUser.set(user, new Set([call]))
  }

  function release(user: string, call: CallState): void {
    const known = byUser.get(user)
    known?.delete(call)
    if (known?.size === 0) byUser.delete(user)
  }

  function wakeAt(time: number): number {
    deadline = Math.min(deadline, time)
    return time
  }

  function tell(call: CallState, ...others: readonly string[]): void {
    // What is not in the log yet is nobody's business.
    if (call.seq === 0) return
    call.revision = Math.max(call.revision + 1, Math.ceil(now()))
    const users = new Set(others)
    for (const { userId } of [...joined(call), ...ringing(call)]) users.add(userId)
    emit({ do: 'tell', users: Array.from(users), call: viewOf(call) })
  }

  function miss(call: CallState, user: string): void {
    emit({ do: 'missed', user, call: viewOf(call) })
  }

  function goOut(call: CallState, part: Part, state: Parameters<Calls['goOut']>[2]): void {
    depart(part, state)
    release(part.userId, call)
    if (state === 'missed' || state === 'busy') miss(call, part.userId)
    const reason = reasonToEnd(call, part, now())
    if (reason === undefined) tell(call, part.userId)
    else end(call, reason, part.userId)
  }

  function end(call: CallState, reason: Parameters<Calls['end']>[1], ...others: readonly string[]): void {
    const waiting = ringing(call).map(({ userId }) => userId)
    const inside = joined(call).map(({ userId }) => userId)
    for (const part of ringing(call)) depart(part, 'missed')
    for (const part of joined(call)) depart(part, 'left')
    for (const user of call.parts.keys()) release(user, call)
    byRoom.delete(call.room)
    call.ended = { at: Math.round(now()), reason }
    forgetAt.set(call, wakeAt(now() + REMEMBERED_MS))
    tell(call, ...inside, ...waiting, ...others)
    for (const user of waiting) miss(call, user)
    emit({ do: 'record', call: viewOf(call) })
  }

  function objectionTo(call: CallState, { user, peerId }: Device): CallRefusal | undefined {
    if (call.parts.get(user)?.state === 'joined') return 'ANSWERED_ELSEWHERE'
    if (isInCall(user)) return 'IN_CALL'
    const others = [...joined(call), ...ringing(call)].filter(({ userId }) => userId !== user)
    if (others.length >= MAX_CALL_USERS) return 'CALL_FULL'
    const namesake = partOfPeer(call, peerId)
    return namesake && namesake.userId !== user ? 'CALL_NOT_FOUND' : undefined
  }

  /** Of those who went, the first makes room where a list would become too long. */
  function makeRoom({ parts }: CallState): void {
    if (parts.size < MAX_CALL_USERS) return
    for (const { userId, state } of parts.values()) {
      if (state === 'joined' || state === 'ringing') continue
      parts.delete(userId)
      return
    }
  }

  /** Tells it, or ends it: where all have come again that can come, one may be alone. */
  function settle(call: CallState): void {
    const wasRestored = call.restoredUntil !== undefined
    if (call.parts.size >= call.expected) call.restoredUntil = undefined
    if (wasRestored && call.restoredUntil === undefined && joined(call).length < 2) end(call, 'ended')
    else tell(call)
  }

  function enter(call: CallState, device: Device): CallRefusal | undefined {
    const { user, session, peerId } = device
    const part = call.parts.get(user)
    if (part?.state === 'joined' && part.peerId === peerId) {
      const isKnown = part.isConnected && part.session === session
      Object.assign(part, { session, isConnected: true, deadline: Number.POSITIVE_INFINITY })
      if (!isKnown) tell(call)
      return undefined
    }
    const objection = objectionTo(call, device)
    if (objection) return objection
    if (!part) makeRoom(call)
    join(call, device, now())
    concern(user, call)
    settle(call)
    // In one call, the user is busy for all others that ring.
    for (const other of ofUser(user)) {
      const invited = other === call ? undefined : other.parts.get(user)
      if (invited) goOut(other, invited, 'busy')
    }
    return undefined
  }

  function callUser(call: CallState, user: string): void {
    const isBusy = isInCall(user) || ofUser(user).length >= MAX_CALLS_OF_USER
    const until = isBusy ? undefined : wakeAt(now() + context.ringTimeoutMs)
    call.parts.set(user, absent(user, isBusy ? 'busy' : 'ringing', until))
    if (isBusy) miss(call, user)
    else concern(user, call)
  }

  function gone(user: string, session: string): void {
    for (const call of ofUser(user)) {
      const part = call.parts.get(user)
      if (part?.state !== 'joined' || part.session !== session || !part.isConnected) continue
      part.isConnected = false
      part.deadline = wakeAt(now() + context.reconnectTimeoutMs)
      tell(call)
    }
  }

  function expireCall(call: CallState): void {
    for (const part of Array.from(call.parts.values())) {
      if (!call.ended && now() >= part.deadline)
        goOut(call, part, part.state === 'ringing' ? 'missed' : 'lost')
    }
    if (call.ended || call.restoredUntil === undefined || now() < call.restoredUntil) return
    call.restoredUntil = undefined
    const hasLeft = Array.from(call.parts.values()).some(({ state }) => state === 'left')
    if (joined(call).length < 2) end(call, hasLeft ? 'ended' : 'failed')
    else tell(call)
  }

  return {
    get: (callId) => calls.get(callId),
    inRoom,
    ofUser,
    isInCall,
    open(call) {
      const opened: CallState = {
        ...call,
        seq: 0,
        startedAt: 0,
        answeredAt: undefined,
        revision: 0,
        restoredUntil: undefined,
        expected: 0,
        parts: new Map(),
        ended: undefined,
      }
      calls.set(call.callId, opened)
      byRoom.set(call.room, opened)
      return opened
    },
    drop(call) {
      for (const user of call.parts.keys()) release(user, call)
      calls.delete(call.callId)
      forgetAt.delete(call)
      if (inRoom(call.room) === call) byRoom.delete(call.room)
    },
    enter,
    callUser,
    goOut,
    end,
    tell,
    gone,
    awaitDevices(call) {
      call.restoredUntil = wakeAt(now() + context.reconnectTimeoutMs)
    },
    expire() {
      if (now() < deadline) return
      for (const [call, at] of forgetAt) {
        if (now() < at) continue
        forgetAt.delete(call)
        calls.delete(call.callId)
      }
      for (const call of Array.from(byRoom.values())) if (call.seq > 0) expireCall(call)
      deadline = Number.POSITIVE_INFINITY
      for (const at of forgetAt.values()) wakeAt(at)
      for (const call of byRoom.values()) {
        // What is not in the log yet is waited for, however long that takes.
        if (call.seq === 0) continue
        wakeAt(call.restoredUntil ?? Number.POSITIVE_INFINITY)
        for (const part of call.parts.values()) wakeAt(part.deadline)
      }
    },
    nextDeadline: () => (deadline === Number.POSITIVE_INFINITY ? undefined : deadline),
    members: () =>
      Array.from(byRoom.values())
        .filter(({ room }) => !room.startsWith('~'))
        .map((call) => ({
          room: call.room,
          users: [...joined(call), ...ringing(call)].map(({ userId }) => userId),
        })),
    size: () => byRoom.size,
  }
}
