/**
 * One peer connection and what is negotiated about it, by the pattern of "perfect negotiation"
 * (https://www.w3.org/TR/webrtc/#perfect-negotiation-example): either side may offer at any time; where two offers meet,
 * the polite side gives way and the other goes on as if it had heard nothing. At the beginning only one offers.
 *
 * It neither knows how what it says travels nor when: `say` takes it, `hear` is called with what the other said.
 */
import type { CallCandidate, CallDescription, CallMedia } from '@tautline/protocol/calls'
import type { SignalContent } from './core/signal-lane.ts'
import type { LocalMedia } from './local-media.ts'
import type { PeerConnection } from './peer-connection.ts'

export interface Negotiation {
  /** What the other side said; in the order of the calls. */
  hear(content: SignalContent): void
  /** What is sent has changed. */
  sendTracks(): void
  /** Looks for another way between the two. */
  restart(): void
  close(): void
}

export interface NegotiationParts {
  readonly connection: PeerConnection
  /** Of the two sides one is; it waits for the first offer, and gives way. */
  readonly isPolite: boolean
  readonly media: CallMedia
  readonly local: LocalMedia
  readonly say: (content: SignalContent) => void
  readonly onState: (state: RTCPeerConnectionState) => void
  readonly onStreams: (streams: readonly MediaStream[]) => void
  /** What the browser refused that it should have taken. */
  readonly onError: (error: unknown) => void
}

/** Candidates that came before the description that they belong to. */
const MAX_EARLY_CANDIDATES = 256

export function createNegotiation(parts: NegotiationParts): Negotiation {
  const { connection, isPolite, media, local, say, onError } = parts
  const early: CallCandidate[] = []
  let streams: readonly MediaStream[] = []
  let isOffering = false
  let isTakingAnswer = false
  let isIgnoringOffer = false
  let isClosed = false
  /** Whether what is to be sent was given to the connection: the polite side waits for the first offer with it. */
  let isSending = false
  /** What was heard is done one after the other. */
  let turn: Promise<void> = Promise.resolve()

  connection.onnegotiationneeded = () => void offer()
  connection.onicecandidate = ({ candidate }) => {
    if (candidate) say({ candidates: [plainCandidate(candidate)] })
  }
  connection.onconnectionstatechange = () => parts.onState(connection.connectionState)
  connection.ontrack = ({ streams: [stream] }) => {
    if (!stream || streams.includes(stream)) return
    streams = [...streams, stream]
    stream.addEventListener('removetrack', () => {
      if (stream.getTracks().length > 0 || isClosed) return
      streams = streams.filter((other) => other !== stream)
      parts.onStreams(streams)
    })
    parts.onStreams(streams)
  }

  async function offer(): Promise<void> {
    try {
      isOffering = true
      await connection.setLocalDescription()
      sayDescription()
    } catch (error) {
      report(error)
    } finally {
      isOffering = false
    }
  }

  function sayDescription(): void {
    const { type, sdp = '' } = connection.localDescription ?? {}
    if (type === 'offer' || type === 'answer') say({ description: { type, sdp } })
  }

  function report(error: unknown): void {
    if (!isClosed) onError(error)
  }

  async function takeDescription(description: CallDescription): Promise<void> {
    const isFree = !isOffering && (connection.signalingState === 'stable' || isTakingAnswer)
    const isGlare = description.type === 'offer' && !isFree
    isIgnoringOffer = !isPolite && isGlare
    if (isIgnoringOffer) return
    // An answer to an offer that was given up since.
    if (description.type === 'answer' && connection.signalingState !== 'have-local-offer') return
    isTakingAnswer = description.type === 'answer'
    try {
      await connection.setRemoteDescription(description)
    } finally {
      isTakingAnswer = false
    }
    for (const candidate of early.splice(0)) await takeCandidate(candidate)
    if (description.type !== 'offer') return
    if (!isSending) startSending()
    await connection.setLocalDescription()
    sayDescription()
  }

  async function takeCandidate(candidate: CallCandidate): Promise<void> {
    if (isIgnoringOffer) return
    if (!connection.remoteDescription) {
      if (early.length < MAX_EARLY_CANDIDATES) early.push(candidate)
      return
    }
    const { sdpMid = null, sdpMLineIndex = null, usernameFragment = null } = candidate
    await connection.addIceCandidate({
      candidate: candidate.candidate,
      sdpMid,
      sdpMLineIndex,
      usernameFragment,
    })
  }

  async function take({ description, candidates = [] }: SignalContent): Promise<void> {
    try {
      if (description) await takeDescription(description)
      for (const candidate of candidates) await takeCandidate(candidate)
    } catch (error) {
      report(error)
    }
  }

  function startSending(): void {
    isSending = true
    local.apply(connection, report)
  }

  if (!isPolite) {
    startSending()
    // What we do not send we want to receive all the same.
    for (const kind of media === 'video' ? (['audio', 'video'] as const) : (['audio'] as const)) {
      if (!local.has(kind)) connection.addTransceiver(kind, { direction: 'recvonly' })
    }
  }

  return {
    hear(content) {
      turn = turn.then(() => (isClosed ? undefined : take(content)))
    },
    sendTracks() {
      if (isSending) local.apply(connection, report)
    },
    restart() {
      if (isSending) connection.restartIce()
    },
    close() {
      isClosed = true
      connection.onnegotiationneeded = null
      connection.onicecandidate = null
      connection.onconnectionstatechange = null
      connection.ontrack = null
      connection.close()
    },
  }
}

function plainCandidate(candidate: RTCIceCandidate): CallCandidate {
  const { candidate: line = '', sdpMid, sdpMLineIndex, usernameFragment } = candidate.toJSON()
  return { candidate: line, sdpMid, sdpMLineIndex, usernameFragment }
}
