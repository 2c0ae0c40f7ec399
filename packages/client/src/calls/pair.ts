/**
 * This peer and one other: the negotiation between the two, and the lane on which it travels. What is said while one of
 * the two cannot be reached waits, and goes out when both can.
 */
import type { CallMedia, CallSignal } from '@tautline/protocol/calls'
import { TautlineError } from '@tautline/protocol/wire'
import { createSignalLane } from './core/signal-lane.ts'
import type { LocalMedia } from './local-media.ts'
import { createNegotiation } from './negotiation.ts'
import type { PeerConnection } from './peer-connection.ts'

export interface Pair {
  readonly peerId: string
  readonly state: RTCPeerConnectionState
  readonly streams: readonly MediaStream[]
  /** From the other peer. */
  hear(signal: CallSignal): void
  /** Whether signals can go between the two: told whenever that may have changed, and after each connect. */
  reach(isReachable: boolean): void
  sendTracks(): void
  close(): void
}

export interface PairParts {
  readonly ourPeerId: string
  readonly peerId: string
  readonly connection: PeerConnection
  readonly media: CallMedia
  readonly local: LocalMedia
  readonly send: (to: string, signal: CallSignal) => Promise<unknown>
  readonly after: (ms: number, callback: () => void) => () => void
  /** State or streams are others. */
  readonly onChange: () => void
  readonly onError: (error: unknown) => void
}

/** Before a signal that was refused for no lasting reason is tried again. */
const RETRY_MS = 1_000
/** A connection that is disconnected may come back by itself; this is how long that takes at most. */
const RECOVERY_MS = 3_000
/** Between two tries to find another way. */
const RESTART_MS = 5_000

export function createPair(parts: PairParts): Pair {
  const { peerId, connection, after, onChange } = parts
  const lane = createSignalLane()
  let state = connection.connectionState
  let streams: readonly MediaStream[] = []
  let isReachable = false
  let wasReachable = false
  let isClosed = false
  let stopRepair: (() => void) | undefined
  let stopRetry: (() => void) | undefined

  const negotiation = createNegotiation({
    connection,
    isPolite: parts.ourPeerId < peerId,
    media: parts.media,
    local: parts.local,
    say(content) {
      if (!lane.say(content))
        parts.onError(new TautlineError('UNAVAILABLE', 'a peer of the call does not answer'))
      pump()
    },
    onState(next) {
      state = next
      watch()
      onChange()
    },
    onStreams(next) {
      streams = next
      onChange()
    },
    onError: parts.onError,
  })

  /** Sends what is due, one signal after the other. */
  function pump(): void {
    if (isClosed || !isReachable) return
    const signal = lane.next()
    if (!signal) return
    parts.send(peerId, signal).then(
      () => {
        lane.sent()
        pump()
      },
      (error: unknown) => {
        lane.failed()
        if (isClosed || stopRetry) return
        const waitMs = error instanceof TautlineError ? error.retryAfterMs : undefined
        stopRetry = after(Math.max(waitMs ?? 0, RETRY_MS), () => {
          stopRetry = undefined
          if (isReachable) speakAgain()
        })
      },
    )
  }

  function speakAgain(): void {
    lane.again()
    pump()
  }

  /** A way that does not carry any more is given a moment, then another one is looked for, again and again. */
  function watch(): void {
    stopRepair?.()
    stopRepair = undefined
    if (state === 'failed') repair()
    else if (state === 'disconnected') stopRepair = after(RECOVERY_MS, repair)
  }

  function repair(): void {
    if (isClosed) return
    stopRepair = after(RESTART_MS, watch)
    // Nobody would hear of it.
    if (isReachable) negotiation.restart()
  }

  return {
    peerId,
    get state() {
      return state
    },
    get streams() {
      return streams
    },
    hear(signal) {
      const content = lane.take(signal)
      if (content) negotiation.hear(content)
      pump()
    },
    reach(next) {
      const isNew = next && !isReachable
      isReachable = next
      if (!isNew) return
      // At the beginning nothing can have been lost yet.
      if (wasReachable) speakAgain()
      else pump()
      wasReachable = true
      watch()
    },
    sendTracks: negotiation.sendTracks,
    close() {
      isClosed = true
      stopRepair?.()
      stopRetry?.()
      negotiation.close()
    },
  }
}
