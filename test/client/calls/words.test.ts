// The words of calls in a page have no schemas; here they are held to those that have.

import { callProtocol } from '@tautline/protocol/calls'
import { checkPayload } from '@tautline/protocol/extension'
import { describe, expect, it } from 'vitest'
import { callWords } from '../../../packages/client/src/calls/words.ts'

const kindsOf = (protocol: typeof callProtocol) =>
  Object.entries(protocol.messages).map(([type, { kind }]) => [type, kind])

const PICTURE = {
  callId: 'call-one',
  room: '~ann~bob',
  media: 'video',
  startedBy: 'ann',
  seq: 1,
  startedAt: 1,
  revision: 1,
  participants: [{ userId: 'ann', state: 'joined', peerId: 'peer-one', isConnected: true }],
}

describe('the words of calls in a page', () => {
  it('are those of the protocol', () => {
    expect(callWords.name).toBe(callProtocol.name)
    expect(kindsOf(callWords)).toEqual(kindsOf(callProtocol))
  })

  it('take what the protocol takes', () => {
    for (const protocol of [callProtocol, callWords])
      expect(checkPayload(protocol.messages.call_changed.payload, { call: PICTURE }).ok).toBe(true)
  })

  it.each([
    ['no call', {}],
    ['a call without participants', { call: { ...PICTURE, participants: undefined } }],
    ['a participant that is none', { call: { ...PICTURE, participants: [null] } }],
  ])('do not take %s', (_what, payload) => {
    for (const protocol of [callProtocol, callWords])
      expect(checkPayload(protocol.messages.call_changed.payload, payload).ok).toBe(false)
  })
})
