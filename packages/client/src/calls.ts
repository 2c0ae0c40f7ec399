/**
 * @tautline/client/calls: calls with audio and video between two users, and in rooms of a few.
 *
 *     const calling = calls(client, { rtc: { iceServers } })
 *     const call = calling.start({ to: 'bob', stream: await navigator.mediaDevices.getUserMedia({ audio: true }) })
 *     calling.on('incoming', (call) => call.answer(stream))
 */
export type {
  Call,
  CallEnd,
  CallEvents,
  CallParticipant,
  CallSnapshot,
} from './calls/call.ts'
export {
  type Calls,
  type CallsEvents,
  type CallsOptions,
  type CallsSnapshot,
  calls,
  type StartCall,
} from './calls/calls.ts'
export type { CallStatus } from './calls/core/status.ts'
export type { CallHistoryOptions, PastCall, PastCalls } from './calls/history.ts'
export type { PeerConnection, PeerConnectionConstructor } from './calls/peer-connection.ts'
