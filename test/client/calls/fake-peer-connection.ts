// Peer connections that exist in this process alone, with what matters of the real ones: the states of an offer and its
// answer, rollback, candidates that belong to one description, renegotiation when it is needed, tracks that arrive, and a
// way between two that can be cut. What a browser refuses they refuse too.

import type {
  PeerConnection,
  PeerConnectionConstructor,
} from '../../../packages/client/src/calls/peer-connection.ts'

interface SentTrack {
  readonly id: string
  readonly kind: string
  readonly stream: string
}

/** What stands in a description here. */
interface Said {
  readonly peer: number
  /** Changes with each restart: candidates belong to one. */
  readonly ufrag: string
  readonly tracks: readonly SentTrack[]
}

export interface FakeRtc {
  readonly RTCPeerConnection: PeerConnectionConstructor
  readonly connections: readonly FakePeerConnection[]
  /** No way between any two, until `mend` and a restart. */
  cut(): void
  mend(): void
  /** Offers that were made. */
  offers(): number
}

class FakeTrack extends EventTarget {
  readonly id: string
  readonly kind: string

  constructor(kind: string, id: string) {
    super()
    this.kind = kind
    this.id = id
  }
}

class FakeStream extends EventTarget {
  readonly id: string
  tracks: MediaStreamTrack[]

  constructor(id: string, tracks: MediaStreamTrack[] = []) {
    super()
    this.id = id
    this.tracks = tracks
  }

  getTracks(): MediaStreamTrack[] {
    return this.tracks
  }

  getVideoTracks(): MediaStreamTrack[] {
    return this.tracks.filter(({ kind }) => kind === 'video')
  }
}

export function fakeTrack(kind: string, id: string): MediaStreamTrack {
  return new FakeTrack(kind, id) as unknown as MediaStreamTrack
}

/** A stream with tracks of these kinds: `fakeStream('cam', 'audio', 'video')`. */
export function fakeStream(id: string, ...kinds: readonly string[]): MediaStream {
  const tracks = kinds.map((kind) => fakeTrack(kind, `${id}-${kind}`))
  return new FakeStream(id, tracks) as unknown as MediaStream
}

interface World {
  readonly connections: FakePeerConnection[]
  isCut: boolean
  offers: number
}

interface FakeSender {
  track: MediaStreamTrack | null
  stream: string
  replaceTrack(track: MediaStreamTrack | null): Promise<void>
}

class FakePeerConnection implements PeerConnection {
  onnegotiationneeded: PeerConnection['onnegotiationneeded'] = null
  onicecandidate: PeerConnection['onicecandidate'] = null
  onconnectionstatechange: PeerConnection['onconnectionstatechange'] = null
  ontrack: PeerConnection['ontrack'] = null
  connectionState: RTCPeerConnectionState = 'new'
  signalingState: RTCSignalingState = 'stable'
  localDescription: RTCSessionDescriptionInit | null = null
  remoteDescription: RTCSessionDescriptionInit | null = null
  readonly #world: World
  readonly #id: number
  readonly #senders: FakeSender[] = []
  readonly #streams = new Map<string, FakeStream>()
  readonly #candidates = new Set<string>()
  #ufrag = 0
  /** Before the offer that is out: for a rollback. */
  #isNeeded = false
  #isChecking = false
  #stable: { local: RTCSessionDescriptionInit | null; remote: RTCSessionDescriptionInit | null }

  constructor(world: World) {
    this.#world = world
    this.#id = world.connections.length
    this.#stable = { local: null, remote: null }
    world.connections.push(this)
  }

  #need(): void {
    this.#isNeeded = true
    if (this.#isChecking) return
    this.#isChecking = true
    queueMicrotask(() => {
      this.#isChecking = false
      if (!this.#isNeeded || this.signalingState !== 'stable') return
      this.#isNeeded = false
      this.onnegotiationneeded?.(new Event('negotiationneeded'))
    })
  }

  #describe(type: 'offer' | 'answer'): RTCSessionDescriptionInit {
    const tracks = this.#senders.flatMap(({ track, stream }) =>
      track ? [{ id: track.id, kind: track.kind, stream }] : [],
    )
    const said: Said = { peer: this.#id, ufrag: this.#fragment(), tracks }
    return { type, sdp: JSON.stringify(said) }
  }

  #fragment(): string {
    return `${this.#id}:${this.#ufrag}`
  }

  async setLocalDescription(): Promise<void> {
    await Promise.resolve()
    if (this.signalingState === 'closed') throw new Error('InvalidStateError')
    this.#isNeeded = false
    if (this.signalingState === 'have-remote-offer') {
      this.localDescription = this.#describe('answer')
      this.#settle()
    } else {
      this.#world.offers++
      this.localDescription = this.#describe('offer')
      this.signalingState = 'have-local-offer'
    }
    const fragment = this.#fragment()
    // In a later turn, as in a browser: the description is said first.
    for (const n of [1, 2]) setImmediate(() => this.#gather(`${fragment} ${n}`))
  }

  #gather(line: string): void {
    const candidate = { candidate: line, toJSON: () => ({ candidate: line, sdpMid: '0', sdpMLineIndex: 0 }) }
    this.onicecandidate?.({ candidate } as unknown as RTCPeerConnectionIceEvent)
  }

  async setRemoteDescription(description: RTCSessionDescriptionInit): Promise<void> {
    await Promise.resolve()
    const isOffer = description.type === 'offer'
    if (this.signalingState === 'closed') throw new Error('InvalidStateError')
    if (isOffer && this.signalingState === 'have-local-offer') {
      // The offer of our own is rolled back, and is needed again.
      this.localDescription = this.#stable.local
      this.#isNeeded = true
    } else if (!isOffer && this.signalingState !== 'have-local-offer')
      throw new Error(`InvalidStateError: an answer in ${this.signalingState}`)
    this.remoteDescription = description
    this.signalingState = isOffer ? 'have-remote-offer' : 'stable'
    this.#receive(read(description))
    if (!isOffer) this.#settle()
  }

  #settle(): void {
    this.signalingState = 'stable'
    this.#stable = { local: this.localDescription, remote: this.remoteDescription }
    if (this.connectionState === 'new') this.#become('connecting')
    this.look()
    if (this.#isNeeded) this.#need()
  }

  #receive({ tracks }: Said): void {
    for (const { id, kind, stream: name } of tracks) {
      const stream = this.#streams.get(name) ?? new FakeStream(name)
      this.#streams.set(name, stream)
      if (stream.tracks.some((track) => track.id === id)) continue
      const track = fakeTrack(kind, id)
      stream.tracks.push(track)
      this.ontrack?.({ track, streams: [stream] } as unknown as RTCTrackEvent)
    }
    for (const [name, stream] of this.#streams) {
      const kept = stream.tracks.filter(({ id }) => tracks.some((track) => track.id === id))
      if (kept.length === stream.tracks.length) continue
      stream.tracks = kept
      if (kept.length === 0) this.#streams.delete(name)
      stream.dispatchEvent(new Event('removetrack'))
    }
  }

  async addIceCandidate({ candidate = '' }: RTCIceCandidateInit): Promise<void> {
    await Promise.resolve()
    if (!this.remoteDescription) throw new Error('InvalidStateError: no remote description')
    const [fragment = ''] = candidate.split(' ')
    if (fragment !== read(this.remoteDescription).ufrag)
      throw new Error('OperationError: of another description')
    this.#candidates.add(fragment)
    this.look()
  }

  /** Whether there is a way to the other now. */
  look(): void {
    if (this.signalingState !== 'stable' || !this.#stable.remote || this.connectionState === 'closed') return
    const { peer, ufrag } = read(this.#stable.remote)
    const other = this.#world.connections[peer]
    const isThere = other && other.connectionState !== 'closed' && other.signalingState === 'stable'
    const isHeard = this.#candidates.has(ufrag) && other?.hears(this.#fragment())
    if (this.#world.isCut || !isThere || !isHeard) return
    if (this.connectionState === 'connected') return
    this.#become('connected')
    other.look()
  }

  hears(ufrag: string): boolean {
    return this.#candidates.has(ufrag)
  }

  lose(): void {
    if (this.connectionState === 'connected') this.#become('failed')
  }

  #become(state: RTCPeerConnectionState): void {
    this.connectionState = state
    this.onconnectionstatechange?.(new Event('connectionstatechange'))
  }

  restartIce(): void {
    this.#ufrag++
    this.#need()
  }

  getSenders(): RTCRtpSender[] {
    return this.#senders as unknown as RTCRtpSender[]
  }

  addTrack(track: MediaStreamTrack, ...[stream]: MediaStream[]): RTCRtpSender {
    const sender: FakeSender = {
      track,
      stream: stream?.id ?? '',
      async replaceTrack(next) {
        sender.track = next
      },
    }
    this.#senders.push(sender)
    this.#need()
    return sender as unknown as RTCRtpSender
  }

  removeTrack(sender: RTCRtpSender): void {
    const found = this.#senders.find((each) => (each as unknown) === sender)
    if (found) found.track = null
    this.#need()
  }

  addTransceiver(): RTCRtpTransceiver {
    this.#need()
    return {} as unknown as RTCRtpTransceiver
  }

  close(): void {
    this.signalingState = 'closed'
    this.connectionState = 'closed'
    const peer = this.#stable.remote && this.#world.connections[read(this.#stable.remote).peer]
    queueMicrotask(() => peer?.lose())
  }
}

export type { FakePeerConnection }

function read({ sdp = '{}' }: RTCSessionDescriptionInit): Said {
  return JSON.parse(sdp) as Said
}

export function createFakeRtc(): FakeRtc {
  const world: World = { connections: [], isCut: false, offers: 0 }
  return {
    RTCPeerConnection: class extends FakePeerConnection {
      constructor() {
        super(world)
      }
    },
    connections: world.connections,
    cut() {
      world.isCut = true
      for (const connection of world.connections) connection.lose()
    },
    mend() {
      world.isCut = false
    },
    offers: () => world.offers,
  }
}
