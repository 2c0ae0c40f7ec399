/**
 * The calls of a client: the list of those that are on, how one begins, and what the server says about any of them. It
 * speaks callProtocol by `extend`, as any application speaks a protocol of its own.
 */

import type { CallMedia, Call as Picture } from '@tautline/protocol/calls'
import type { PayloadInput } from '@tautline/protocol/extension'
import { directRoomId, makeMessageId, TautlineError, USER_ID } from '@tautline/protocol/wire'
import type { Client } from '../client.ts'
import { createEmitter } from '../emitter.ts'
import { extend } from '../extension.ts'
import { onePerClient } from '../one-per-client.ts'
import { randomLetters } from '../options.ts'
import { createStore, type Readable } from '../store.ts'
import { type Call, type CallControl, type CallHost, createCall } from './call.ts'
import { type CallHistoryOptions, type PastCalls, readPastCalls } from './history.ts'
import type { PeerConnection, PeerConnectionConstructor } from './peer-connection.ts'
import { callWords } from './words.ts'

export interface CallsOptions {
  /** Of every peer connection: STUN and TURN servers (`iceServers`) above all. */
  readonly rtc?: RTCConfiguration | undefined
  /** Default: the browser's. */
  readonly RTCPeerConnection?: PeerConnectionConstructor | undefined
}

export interface CallsSnapshot {
  /** Calls that are not over: at most one that we are in, and those that ring. Each is the same object until it is. */
  readonly calls: readonly Call[]
}

export interface CallsEvents {
  /** It rings: `call.answer(stream)` or `call.reject()`. */
  incoming: [call: Call]
  /** A call is over on this device: `call.getSnapshot().reason`. */
  ended: [call: Call]
}

export interface StartCall {
  /** Whom to call: their direct room with us. Or members of `room`; left out, all of them (8 with us at most). */
  readonly to?: string | readonly string[] | undefined
  readonly room?: string | undefined
  /** What it shall carry; what is sent is up to each. Default: video where the stream has any, else audio. */
  readonly media?: CallMedia | undefined
  /** What we send; `getUserMedia` is the application's. Without one we only hear. */
  readonly stream?: MediaStream | undefined
}

export interface Calls extends Readable<CallsSnapshot> {
  /**
   * Calls somebody, or comes into the call that is on in the room. The call is there at once; how it goes is its status.
   * Throws VALIDATION_ERROR where nobody is named, or our own id is not known yet.
   */
  start(options: StartCall): Call
  /**
   * Calls of a room that are over, from its newest entries or those before a position. It looks at a bounded number of
   * them: perhaps it finds none, and there are older ones. Rejects as `room.history` does.
   */
  history(room: string, options?: CallHistoryOptions): Promise<PastCalls>
  on<E extends keyof CallsEvents>(event: E, listener: (...args: CallsEvents[E]) => void): () => void
  once<E extends keyof CallsEvents>(event: E, listener: (...args: CallsEvents[E]) => void): () => void
  off<E extends keyof CallsEvents>(event: E, listener: (...args: CallsEvents[E]) => void): void
  /** Hangs up and listens no more. */
  close(): void
}

type Words = typeof callWords
/** What the server must hear although we are done with the call. */
interface Farewell {
  /** On whatever connection there is. */
  say(): Promise<unknown>
  /** On another connection: a server that was started anew must know first what it is that ends. */
  sayAnew(): Promise<unknown>
}

/** While calls are on, the server is asked how they stand: what it said may have been left out for a slow reader. */
const LOOK_MS = 30_000
/** It rings on without a connection for so long. */
const RING_WITHOUT_CONNECTION_MS = 30_000
const MAX_FAREWELLS = 32

const callsOf = onePerClient(createCalls)

/** The calls of this client: the same object each time; the options of the first call count. */
export function calls(client: Client, options: CallsOptions = {}): Calls {
  return callsOf(client, options)
}

function createCalls(client: Client, forget: () => void, options: CallsOptions): Calls {
  const { port } = client
  const app = extend(client, callWords)
  const events = createEmitter<CallsEvents>()
  const store = createStore<CallsSnapshot>({ calls: [] })
  let controls: readonly CallControl[] = []
  const farewells = new Map<string, Farewell>()
  let isReady = false
  let stopRinging: (() => void) | undefined
  let stopLooking: (() => void) | undefined

  const host: CallHost = {
    userId: port.userId,
    isReady: () => isReady,
    request: (type, payload) => app.request(type, payload),
    insist,
    onPicture,
    connect,
    makeId: () => makeMessageId(port.now(), randomLetters(12)),
    after: port.after,
    onEnded(call) {
      controls = controls.filter((control) => control.call !== call)
      show()
      events.emit('ended', call)
    },
  }

  function connect(): PeerConnection {
    const { RTCPeerConnection = globalThis.RTCPeerConnection, rtc } = options
    return new RTCPeerConnection(rtc)
  }

  function show(): void {
    store.update({ calls: controls.map(({ call }) => call) })
    if (controls.length > 0) stopLooking ??= port.after(LOOK_MS, look)
  }

  function look(): void {
    stopLooking = controls.length > 0 ? port.after(LOOK_MS, look) : undefined
    if (isReady && stopLooking) void reconcile()
  }

  function add(control: CallControl): Call {
    controls = [...controls, control]
    show()
    return control.call
  }

  function onPicture(picture: Picture): void {
    const own = picture.participants.find(({ userId }) => userId === port.userId())
    const here =
      own?.peerId === undefined ? undefined : controls.find(({ peerId }) => peerId() === own.peerId)
    const named = controls.find(({ call }) => call.callId === picture.callId)
    // Our own call met this one: it goes on as the one that we started.
    if (here && named && here !== named) named.finish('merged')
    const control = here ?? named
    if (control) control.apply(picture)
    else if (own?.state === 'ringing' && !picture.ended) ring(picture)
  }

  function ring(picture: Picture): void {
    const { callId, room, media, startedBy } = picture
    const control = createCall(host, { callId, room, media, startedBy, isIncoming: true })
    control.apply(picture)
    events.emit('incoming', add(control))
  }

  /** What the server ended without our hearing of it ends here too. */
  async function reconcile(): Promise<void> {
    const before = controls
    try {
      const pictures = (await app.request('get_calls', {})).calls
      const there = new Set(pictures.map(({ callId }) => callId))
      for (const picture of pictures) onPicture(picture)
      for (const { call, finish, ask } of before) {
        if (there.has(call.callId)) continue
        // Who is in a call says so, and hears how it ended.
        if (call.status === 'ringing') finish('missed')
        else ask()
      }
    } catch {
      // Without a connection the next one asks. Without the words of calls at the server there are none.
    }
  }

  function insist<N extends 'reject_call' | 'end_call'>(
    type: N,
    payload: PayloadInput<Words, N>,
    resume?: PayloadInput<Words, 'resume_call'>,
  ): void {
    if (farewells.size >= MAX_FAREWELLS) farewells.clear()
    const say = () => app.request(type, payload)
    const sayAnew = resume ? () => app.request('resume_call', resume).then(say) : say
    const farewell = { say, sayAnew }
    farewells.set(payload.callId, farewell)
    // Without a connection the next one begins with it.
    if (isReady) bid(payload.callId, farewell.say)
  }

  function bid(callId: string, say: () => Promise<unknown>): void {
    say().then(
      () => farewells.delete(callId),
      (error: unknown) => {
        const isAway = !isReady || (error instanceof TautlineError && error.code === 'TIMEOUT')
        const isLasting = error instanceof TautlineError && !error.retryable && !isAway
        if (isLasting) farewells.delete(callId)
        else if (isReady) port.after(RETRY_MS, () => farewells.has(callId) && bid(callId, say))
      },
    )
  }

  function onReady(next: boolean): void {
    isReady = next
    stopRinging?.()
    for (const { ready } of controls) ready(next)
    if (!next) {
      stopRinging = port.after(RING_WITHOUT_CONNECTION_MS, () => {
        for (const { call, finish } of controls) if (call.status === 'ringing') finish('missed')
      })
      return
    }
    for (const [callId, { sayAnew }] of farewells) bid(callId, sayAnew)
    void reconcile()
  }

  function roomOf({ room, to }: StartCall, userId: string): string {
    if (room !== undefined) return room
    if (typeof to === 'string' && USER_ID.test(to) && to !== userId) return directRoomId(userId, to)
    throw new TautlineError('VALIDATION_ERROR', 'a call needs a room, or another user’s id in `to`')
  }

  function hangUpAll(): void {
    for (const { call } of controls) if (call.status !== 'ringing') call.hangUp()
  }

  const stops = [
    forget,
    port.onReady(onReady),
    onPageHide(hangUpAll),
    // No other connection comes.
    client.on('status', ({ status }) => {
      if (status === 'closed') for (const { finish } of controls) finish('ended')
    }),
    app.on('call_changed', ({ payload }) => onPicture(payload.call)),
    app.on('peer_signal', ({ payload: { callId, from, to, signal } }) => {
      const control = controls.find(({ call, peerId }) => call.callId === callId && peerId() === to)
      control?.hear(from, signal)
    }),
  ]

  return {
    getSnapshot: store.getSnapshot,
    subscribe: store.subscribe,
    start(about) {
      const userId = port.userId()
      if (userId === undefined)
        throw new TautlineError('VALIDATION_ERROR', 'who calls is not known: give userId, or connect first')
      if (!options.RTCPeerConnection && !globalThis.RTCPeerConnection)
        throw new TautlineError('VALIDATION_ERROR', 'no RTCPeerConnection here: give one as an option')
      const { stream, media = stream?.getVideoTracks().length ? 'video' : 'audio' } = about
      const control = createCall(host, {
        callId: host.makeId(),
        room: roomOf(about, userId),
        media,
        startedBy: userId,
        isIncoming: false,
        to: about.to === undefined ? undefined : [about.to].flat(),
      })
      if (stream) control.call.setStream(stream)
      const call = add(control)
      control.ask()
      return call
    },
    history: (room, wanted = {}) => readPastCalls(app.room(room), wanted),
    on: events.on,
    once: events.once,
    off: events.off,
    close() {
      for (const { call } of controls) call.hangUp()
      for (const stop of stops.splice(0)) stop()
      stopRinging?.()
      stopLooking?.()
    },
  }
}

/** A page that goes takes its peer connections with it: the others need not wait until they have missed it. */
function onPageHide(listener: () => void): () => void {
  const { addEventListener, removeEventListener } = globalThis
  if (!addEventListener) return () => {}
  addEventListener('pagehide', listener)
  return () => removeEventListener('pagehide', listener)
}

/** Before a farewell that the server could not take is said again. */
const RETRY_MS = 2_000
