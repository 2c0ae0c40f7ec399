/**
 * What is used of an RTCPeerConnection: the browser's fits, and so does whatever else has WebRTC (a package for Node, the
 * one of a test). See https://www.w3.org/TR/webrtc/.
 */
import type { CallDescription } from '@tautline/protocol/calls'

export interface PeerConnection {
  readonly connectionState: RTCPeerConnectionState
  readonly signalingState: RTCSignalingState
  readonly localDescription: RTCSessionDescriptionInit | null
  readonly remoteDescription: RTCSessionDescriptionInit | null
  onnegotiationneeded: ((event: Event) => unknown) | null
  onicecandidate: ((event: RTCPeerConnectionIceEvent) => unknown) | null
  onconnectionstatechange: ((event: Event) => unknown) | null
  ontrack: ((event: RTCTrackEvent) => unknown) | null
  /** Without an argument: the offer or the answer that is due. */
  setLocalDescription(): Promise<void>
  /** An offer that comes on top of one of our own rolls that one back. */
  setRemoteDescription(description: CallDescription): Promise<void>
  addIceCandidate(candidate: RTCIceCandidateInit): Promise<void>
  restartIce(): void
  getSenders(): RTCRtpSender[]
  addTrack(track: MediaStreamTrack, ...streams: MediaStream[]): RTCRtpSender
  removeTrack(sender: RTCRtpSender): void
  addTransceiver(kind: 'audio' | 'video', init: RTCRtpTransceiverInit): RTCRtpTransceiver
  close(): void
}

export type PeerConnectionConstructor = new (configuration?: RTCConfiguration) => PeerConnection
