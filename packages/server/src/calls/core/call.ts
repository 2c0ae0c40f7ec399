/**
 * One call: who is in it, who is rung, who is waited for, and whether it is over. Time is an argument, in Unix
 * milliseconds that never go back; who waits for whom until when is data.
 */
import type { Call, CallEndReason, CallMedia, Participant } from '@tautline/protocol/calls'

/** A user in a call. */
export interface Part {
  readonly userId: string
  state: Participant['state']
  peerId: string | undefined
  /** The device, as the server knows it: of one load of the page, over reconnects. */
  session: string | undefined
  isConnected: boolean
  /** Ringing: when it is missed. Joined without a connection: when it is given up. */
  deadline: number
}

export interface CallState {
  readonly callId: string
  readonly room: string
  readonly media: CallMedia
  readonly startedBy: string
  /** Of `call_started`; 0 until it is in the log. */
  seq: number
  startedAt: number
  answeredAt: number | undefined
  revision: number
  /** Until then a call of before the server's start is not over for want of devices. */
  restoredUntil: number | undefined
  /** So many users must have come for a restored call to be whole. */
  expected: number
  readonly parts: Map<string, Part>
  ended: { readonly at: number; readonly reason: CallEndReason } | undefined
}

export function joined(call: CallState): Part[] {
  return inState(call, 'joined')
}

export function ringing(call: CallState): Part[] {
  return inState(call, 'ringing')
}

function inState({ parts }: CallState, state: Part['state']): Part[] {
  return Array.from(parts.values()).filter((part) => part.state === state)
}

export function partOfPeer({ parts }: CallState, peerId: string): Part | undefined {
  for (const part of parts.values()) if (part.peerId === peerId) return part
  return undefined
}

/** In with this device. What was before is over for this user. */
export function join(
  call: CallState,
  { user, peerId, session }: { readonly user: string; readonly peerId: string; readonly session: string },
  now: number,
): void {
  const deadline = Number.POSITIVE_INFINITY
  call.parts.set(user, { userId: user, state: 'joined', peerId, session, isConnected: true, deadline })
  if (joined(call).length >= 2) call.answeredAt ??= Math.round(now)
}

export function absent(userId: string, state: Part['state'], deadline = Number.POSITIVE_INFINITY): Part {
  return { userId, state, peerId: undefined, session: undefined, isConnected: false, deadline }
}

/** Not in it any more, or never. */
export function depart(part: Part, state: 'rejected' | 'missed' | 'busy' | 'left' | 'lost'): void {
  part.state = state
  part.isConnected = false
  part.session = undefined
  part.deadline = Number.POSITIVE_INFINITY
}

/**
 * Why the call is over, if it is: nobody is in it, or one alone for whom nobody comes any more. `last`: who went or did
 * not come just now.
 */
export function reasonToEnd(call: CallState, last: Part, now: number): CallEndReason | undefined {
  const inside = joined(call)
  if (inside.length >= 2) return undefined
  if (call.restoredUntil !== undefined && now < call.restoredUntil) return undefined
  if (inside.length === 1 && ringing(call).length > 0) return undefined
  if (last.state === 'lost') return 'failed'
  if (call.answeredAt !== undefined || call.restoredUntil !== undefined) return 'ended'
  if (last.userId === call.startedBy) return 'cancelled'
  const states = new Set(Array.from(call.parts.values(), ({ state }) => state))
  return (['missed', 'rejected', 'busy'] as const).find((state) => states.has(state)) ?? 'ended'
}

/** The call as everybody is told it. */
export function viewOf(call: CallState): Call {
  const { callId, room, media, startedBy, seq, startedAt, answeredAt, revision, ended } = call
  return {
    callId,
    room,
    media,
    startedBy,
    seq,
    startedAt,
    ...(answeredAt === undefined ? {} : { answeredAt }),
    revision,
    ...(call.restoredUntil === undefined ? {} : { isRestored: true }),
    participants: Array.from(call.parts.values(), viewOfPart),
    ...(ended ? { ended } : {}),
  }
}

function viewOfPart({ userId, state, peerId, isConnected }: Part): Participant {
  return state === 'joined' && peerId !== undefined
    ? { userId, state, peerId, isConnected }
    : { userId, state }
}
