/**
 * One call as this device has it. The server tells the whole call with each change (a picture); here it is compared with
 * what we are in it, and statuses, peer connections and what the application sees follow. Whatever is asked of the server
 * bears to be asked again, and is, on the next connection.
 */
import type {
  CallEndReason,
  CallMedia,
  CallSignal,
  Participant,
  Call as Picture,
} from '@tautline/protocol/calls'
import type { PayloadInput } from '@tautline/protocol/extension'
import { TautlineError } from '@tautline/protocol/wire'
import { createEmitter } from '../emitter.ts'
import { createStore, type Readable } from '../store.ts'
import { type CallMove, type CallStatus, canCallMove, nextCallStatus } from './core/status.ts'
import { createLocalMedia } from './local-media.ts'
import { createPair, type Pair } from './pair.ts'
import type { PeerConnection } from './peer-connection.ts'
import type { callWords } from './words.ts'

/**
 * Why a call is over on this device: as for all (`ended`: hung up after it was answered, `cancelled`, `missed`, `rejected`,
 * `busy`, `failed`), or here alone: another device of ours took it, or we came into it by a call of our own (`merged`).
 */
export type CallEnd = CallEndReason | 'answered_elsewhere' | 'merged'

export interface CallParticipant {
  readonly userId: string
  readonly isSelf: boolean
  readonly state: Participant['state']
  /** Whether the server has a connection of their device; without one media may go on. */
  readonly isConnected: boolean
  /** Of the peer connection between them and us; undefined: there is none. */
  readonly connection: RTCPeerConnectionState | undefined
  /** What they send; our own streams are the application's. */
  readonly streams: readonly MediaStream[]
}

export interface CallSnapshot {
  /** Changes where our call met one that was on in the room. */
  readonly callId: string
  readonly room: string
  readonly media: CallMedia
  readonly isIncoming: boolean
  readonly startedBy: string
  readonly status: CallStatus
  /** Once it is over. */
  readonly reason: CallEnd | undefined
  /** What failed, where that is why it is over. */
  readonly error: TautlineError | undefined
  /** Unix milliseconds, by the server's clock. */
  readonly startedAt: number | undefined
  readonly answeredAt: number | undefined
  readonly participants: readonly CallParticipant[]
}

export interface CallEvents {
  status: [change: { readonly status: CallStatus; readonly reason: CallEnd | undefined }]
  /** A stream of another participant is there. */
  stream: [event: { readonly userId: string; readonly stream: MediaStream }]
  ended: [reason: CallEnd]
  /** Something failed that the call survived so far. */
  error: [error: unknown]
}

export interface Call extends Readable<CallSnapshot> {
  readonly callId: string
  readonly room: string
  readonly status: CallStatus
  /**
   * Takes a call that rings, with what we send in it. Resolves when it is ours. Rejects with ANSWERED_ELSEWHERE, IN_CALL,
   * CALL_FULL or CALL_ENDED (`callProtocol.isError`), or as requests do: it then still rings, and may be answered again.
   */
  answer(stream?: MediaStream): Promise<void>
  /** Ends the ringing, on all devices of ours. */
  reject(): void
  /** Ends it here at once, whatever it is, and for the others as soon as there is a connection. */
  hangUp(): void
  /** What we send from now on, instead of the stream before; undefined: nothing. The others need not do anything. */
  setStream(stream: MediaStream | undefined): void
  /** Something more, such as a screen; `stream` is how the others tell it from the rest. */
  addTrack(track: MediaStreamTrack, stream: MediaStream): void
  removeTrack(track: MediaStreamTrack): void
  on<E extends keyof CallEvents>(event: E, listener: (...args: CallEvents[E]) => void): () => void
  once<E extends keyof CallEvents>(event: E, listener: (...args: CallEvents[E]) => void): () => void
  off<E extends keyof CallEvents>(event: E, listener: (...args: CallEvents[E]) => void): void
}

/** The end that the list of calls holds. */
export interface CallControl {
  readonly call: Call
  /** Names our part in it, once we have one. */
  peerId(): string | undefined
  /** How it stands, and under which id. */
  apply(picture: Picture): void
  hear(from: string, signal: CallSignal): void
  ready(isReady: boolean): void
  ask(): void
  finish(reason: CallEnd, error?: TautlineError): void
}

type Words = typeof callWords
type Asks = 'start_call' | 'answer_call' | 'resume_call' | 'reject_call' | 'end_call' | 'signal_peer'

export interface CallHost {
  readonly userId: () => string | undefined
  readonly isReady: () => boolean
  readonly request: <N extends Asks>(type: N, payload: PayloadInput<Words, N>) => Promise<{ call?: Picture }>
  /** Asks until the server has heard it. */
  readonly insist: <N extends 'reject_call' | 'end_call'>(
    type: N,
    payload: PayloadInput<Words, N>,
    /** On another connection, say this before it. */
    resume?: PayloadInput<Words, 'resume_call'>,
  ) => void
  /** A picture that an answer brought: it may be of another call. */
  readonly onPicture: (picture: Picture) => void
  readonly connect: () => PeerConnection
  readonly makeId: () => string
  readonly after: (ms: number, callback: () => void) => () => void
  readonly onEnded: (call: Call) => void
}

/** Nothing flows for so long between us and anybody: the call has failed. */
const MEDIA_TIMEOUT_MS = 60_000
/** Before something is asked again that the server could not do. */
const ASK_AGAIN_MS = 2_000

const NO_STREAMS: readonly MediaStream[] = []

export function createCall(
  host: CallHost,
  about: {
    readonly callId: string
    readonly room: string
    readonly media: CallMedia
    readonly startedBy: string
    readonly isIncoming: boolean
    readonly to?: readonly string[] | undefined
  },
): CallControl {
  const events = createEmitter<CallEvents>()
  const local = createLocalMedia()
  const pairs = new Map<string, Pair>()
  const store = createStore<CallSnapshot>({
    callId: about.callId,
    room: about.room,
    media: about.media,
    isIncoming: about.isIncoming,
    startedBy: about.startedBy,
    status: about.isIncoming ? 'ringing' : 'starting',
    reason: undefined,
    error: undefined,
    startedAt: undefined,
    answeredAt: undefined,
    participants: [],
  })
  let peerId = about.isIncoming ? undefined : host.makeId()
  let picture: Picture | undefined
  /** The next picture counts, however it is numbered: on a new connection the server may be another. */
  let isAnew = false
  /** Not told yet. */
  const newStreams: { readonly userId: string; readonly stream: MediaStream }[] = []
  let stopWatching: (() => void) | undefined
  let stopWaiting: (() => void) | undefined

  const snapshot = store.getSnapshot
  const isOver = () => snapshot().status === 'ended'

  // ── Statuses ──────────────────────────────────────────────────────────────────────────────────────────────────

  function move(by: CallMove): void {
    const status = nextCallStatus(snapshot().status, by)
    store.update({ status })
    watch(status)
    events.emit('status', { status, reason: snapshot().reason })
  }

  /** Where it can be: the same picture may come again. */
  function moveOnce(by: CallMove): void {
    if (canCallMove(snapshot().status, by)) move(by)
  }

  function watch(status: CallStatus): void {
    stopWatching?.()
    stopWatching = undefined
    if (status !== 'connecting' && status !== 'interrupted') return
    stopWatching = host.after(MEDIA_TIMEOUT_MS, () => {
      sayEnd()
      finish('failed')
    })
  }

  function finish(reason: CallEnd, error?: TautlineError): void {
    if (isOver()) return
    stopWaiting?.()
    for (const pair of pairs.values()) pair.close()
    pairs.clear()
    store.update({ reason, error })
    move('end')
    showParticipants()
    events.emit('ended', reason)
    host.onEnded(call)
  }

  // ── What the server tells ─────────────────────────────────────────────────────────────────────────────────────

  function apply(next: Picture): void {
    if (isOver() || (!isAnew && picture && next.revision < picture.revision)) return
    isAnew = false
    picture = next
    const { callId, media, startedBy, startedAt, answeredAt } = next
    store.update({ callId, media, startedBy, startedAt, answeredAt })
    if (next.ended) return finish(next.ended.reason)
    const own = next.participants.find(({ userId }) => userId === host.userId())
    if (own?.state === 'joined' && own.peerId === peerId) enter(next)
    else if (own) outside(own.state)
    showParticipants()
  }

  function outside(state: Participant['state']): void {
    switch (state) {
      case 'joined':
        return finish('answered_elsewhere')
      case 'rejected':
      case 'missed':
      case 'busy':
        return finish(state)
      case 'left':
        return finish('ended')
      case 'lost':
        // We were away for too long, and the call is still on.
        return ask()
      case 'ringing':
        return
      default:
        return state satisfies never
    }
  }

  function enter({ participants, isRestored }: Picture): void {
    const others = participants.filter(({ state, userId }) => state === 'joined' && userId !== host.userId())
    const present = new Set(others.map((other) => other.peerId))
    // A server that was started anew hears of the others one by one.
    if (!isRestored) for (const [id, pair] of pairs) if (!present.has(id)) drop(id, pair)
    for (const other of others) if (other.peerId !== undefined) pairWith(other.peerId)
    // An answer that was thought lost was heard.
    moveOnce('answer')
    if (pairs.size > 0) moveOnce('joined')
    else moveOnce(snapshot().status === 'starting' ? 'rings' : 'alone')
    reach()
    onMedia()
  }

  function pairWith(other: string): void {
    if (peerId === undefined || pairs.has(other)) return
    const pair = createPair({
      ourPeerId: peerId,
      peerId: other,
      connection: host.connect(),
      media: snapshot().media,
      local,
      send: (to, signal) =>
        host.request('signal_peer', { callId: snapshot().callId, from: peerId ?? '', to, signal }),
      after: host.after,
      onChange: onMedia,
      onError: (error) => events.emit('error', error),
    })
    pairs.set(other, pair)
  }

  function drop(id: string, pair: Pair): void {
    pair.close()
    pairs.delete(id)
  }

  /** Signals go where the server has both of us on a connection. */
  function reach(): void {
    const connected = new Set(
      picture?.participants.flatMap((each) => (each.isConnected && each.peerId ? [each.peerId] : [])),
    )
    const isHere = host.isReady() && peerId !== undefined && connected.has(peerId)
    for (const [id, pair] of pairs) pair.reach(isHere && connected.has(id))
  }

  function onMedia(): void {
    if (isOver()) return
    const flows = Array.from(pairs.values()).some(({ state }) => state === 'connected')
    moveOnce(flows ? 'flows' : 'stalls')
    showParticipants()
  }

  function showParticipants(): void {
    const before = snapshot().participants
    const after = (picture?.participants ?? []).map((each) => {
      const known = before.find(({ userId }) => userId === each.userId)
      const shown = participantOf(each)
      for (const stream of shown.streams)
        if (!known?.streams.includes(stream)) newStreams.push({ userId: each.userId, stream })
      return known && isSame(known, shown) ? known : shown
    })
    const isUnchanged = after.length === before.length && after.every((each, i) => each === before[i])
    if (!isUnchanged) store.update({ participants: after })
    for (const event of newStreams.splice(0)) events.emit('stream', event)
  }

  function participantOf({
    userId,
    state,
    isConnected = false,
    peerId: id = '',
  }: Participant): CallParticipant {
    const pair = pairs.get(id)
    return {
      userId,
      isSelf: userId === host.userId(),
      state,
      isConnected,
      connection: pair?.state,
      streams: pair?.streams ?? NO_STREAMS,
    }
  }

  // ── What is asked of the server ───────────────────────────────────────────────────────────────────────────────

  /** Into the call, or back into it: on whatever connection there is, and on a server that may not know it any more. */
  function ask(): void {
    const { status, callId, room, media, startedBy } = snapshot()
    if (peerId === undefined || status === 'ended' || status === 'ringing' || status === 'answering') return
    const isOurs = startedBy === host.userId() && picture?.answeredAt === undefined
    const asked =
      isOurs || !picture
        ? host.request('start_call', {
            callId,
            peerId,
            room,
            media,
            ...(about.to ? { to: Array.from(about.to) } : {}),
          })
        : host.request('resume_call', resumption(peerId, picture))
    asked.then(takeAnswer, onRefused)
  }

  function resumption(
    ours: string,
    { callId, room, seq, answeredAt }: Picture,
  ): PayloadInput<Words, 'resume_call'> {
    const resume = { callId, peerId: ours, room, seq, others: pairs.size }
    return answeredAt === undefined ? resume : { ...resume, answeredAt }
  }

  function takeAnswer({ call: told }: { call?: Picture }): void {
    if (!told) return
    if (!isOver()) return host.onPicture(told)
    // What we asked before it was over has brought us into it (again).
    const isIn = told.participants.some((each) => each.state === 'joined' && each.peerId === peerId)
    if (isIn && peerId !== undefined) host.insist('end_call', { callId: told.callId, peerId })
  }

  function onRefused(error: unknown): void {
    if (isOver()) return
    const {
      code = 'INTERNAL_ERROR',
      retryable = false,
      applicationCode,
    } = error instanceof TautlineError ? error : {}
    const isAway = code === 'DISCONNECTED' || code === 'TIMEOUT'
    if (snapshot().status === 'starting' || !(retryable || isAway)) {
      finish(applicationCode === 'ANSWERED_ELSEWHERE' ? 'answered_elsewhere' : 'failed', errorOf(error))
    } else if (host.isReady()) {
      stopWaiting?.()
      stopWaiting = host.after(ASK_AGAIN_MS, ask)
    }
    // Else the next connection asks.
  }

  async function answer(stream?: MediaStream): Promise<void> {
    if (snapshot().status !== 'ringing')
      throw new TautlineError('REJECTED', 'it does not ring here', undefined, 'CALL_ENDED')
    if (stream) local.setStream(stream)
    // The same in a second try: the first may have been heard.
    const id = peerId ?? host.makeId()
    peerId = id
    move('answer')
    try {
      takeAnswer(await host.request('answer_call', { callId: snapshot().callId, peerId: id }))
    } catch (error) {
      onNotAnswered(error)
      // By a call of our own we are in it.
      if (snapshot().reason !== 'merged') throw error
    }
  }

  function onNotAnswered(error: unknown): void {
    const { applicationCode } = error instanceof TautlineError ? error : {}
    if (applicationCode === 'ANSWERED_ELSEWHERE') finish('answered_elsewhere')
    else if (applicationCode === 'CALL_ENDED' || applicationCode === 'CALL_NOT_FOUND') finish('ended')
    else moveOnce('unanswered')
  }

  function sayEnd(): void {
    const { callId, status } = snapshot()
    if (status === 'ringing') host.insist('reject_call', { callId })
    else if (peerId !== undefined)
      host.insist('end_call', { callId, peerId }, picture && resumption(peerId, picture))
  }

  function hangUp(): void {
    const { status } = snapshot()
    if (status === 'ended') return
    sayEnd()
    if (status === 'ringing') finish('rejected')
    else finish(picture?.answeredAt === undefined && status !== 'answering' ? 'cancelled' : 'ended')
  }

  function sendTracks(): void {
    for (const pair of pairs.values()) pair.sendTracks()
  }

  const call: Call = {
    get callId() {
      return snapshot().callId
    },
    room: about.room,
    get status() {
      return snapshot().status
    },
    getSnapshot: snapshot,
    subscribe: store.subscribe,
    answer,
    reject() {
      if (snapshot().status === 'ringing') hangUp()
    },
    hangUp,
    setStream(stream) {
      local.setStream(stream)
      sendTracks()
    },
    addTrack(track, stream) {
      local.addTrack(track, stream)
      sendTracks()
    },
    removeTrack(track) {
      local.removeTrack(track)
      sendTracks()
    },
    on: events.on,
    once: events.once,
    off: events.off,
  }

  return {
    call,
    peerId: () => peerId,
    apply,
    hear: (from, signal) => pairs.get(from)?.hear(signal),
    ready(isReady) {
      isAnew ||= isReady
      if (isReady) ask()
      else reach()
    },
    ask,
    finish,
  }
}

function isSame(a: CallParticipant, b: CallParticipant): boolean {
  return (
    a.state === b.state &&
    a.isConnected === b.isConnected &&
    a.connection === b.connection &&
    a.streams === b.streams
  )
}

function errorOf(error: unknown): TautlineError {
  return error instanceof TautlineError
    ? error
    : new TautlineError('INTERNAL_ERROR', 'the call could not be asked for')
}
