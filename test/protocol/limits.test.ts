import {
  type ClientMessage,
  DEFAULT_LIMITS,
  decodeClientFrame,
  encode,
  HEARTBEAT_INTERVAL_MS,
  HEARTBEAT_TIMEOUT_MS,
  MAX_BATCH,
  MAX_FRAME_BYTES,
  MAX_ROOMS_PER_FRAME,
  SUBPROTOCOL,
  TYPING_INTERVAL_MS,
  TYPING_TIMEOUT_MS,
  utf8Bytes,
} from '@tautline/protocol'
import { describe, expect, it } from 'vitest'

// Each limit is a number of its own; these are what they must be to one another.
describe('the limits', () => {
  it('let the longest message through, whatever its characters, in the smallest frame that carries it', () => {
    const command = {
      type: 'send_message',
      messageId: 'm'.repeat(64),
      // The dearest character: six bytes, escaped.
      payload: { content: '\u0001'.repeat(DEFAULT_LIMITS.maxMessageChars) },
    }
    const frame = encode({
      type: 'commands',
      payload: {
        ref: Number.MAX_SAFE_INTEGER,
        room: longestRoom(0),
        sid: 's'.repeat(64),
        n: Number.MAX_SAFE_INTEGER,
        commands: [command],
      },
    })
    expect(utf8Bytes(frame)).toBeLessThan(DEFAULT_LIMITS.maxFrameBytes)
    expect(decodeClientFrame(frame)[0]?.ok).toBe(true)
  })

  it.each(['subscribe', 'check'] as const)('let a full %s of the longest names through', (type) => {
    const rooms = Array.from({ length: MAX_ROOMS_PER_FRAME }, (_, i) => ({
      room: longestRoom(i),
      after: { seq: Number.MAX_SAFE_INTEGER, h: 'h'.repeat(12) },
    }))
    const message: ClientMessage = { type, payload: { ref: 1, epoch: 'e'.repeat(64), rooms } }
    expect(decodeClientFrame(encode(message))).toEqual([{ ok: true, message }])
  })

  it('are by default what was promised', () => {
    expect(DEFAULT_LIMITS.maxMessageChars).toBe(5_000)
    expect(DEFAULT_LIMITS.maxFrameBytes).toBe(64 * 1_024)
    expect(MAX_FRAME_BYTES).toBe(1_024 * 1_024)
  })

  it('stay below the largest frame that any server may be set to take', () => {
    expect(DEFAULT_LIMITS.maxFrameBytes).toBeLessThanOrEqual(MAX_FRAME_BYTES)
  })

  it('keep a full window within one batch and one connection', () => {
    expect(DEFAULT_LIMITS.windowPerRoom).toBeLessThanOrEqual(DEFAULT_LIMITS.windowPerConnection)
    expect(DEFAULT_LIMITS.windowPerConnection).toBeLessThanOrEqual(MAX_BATCH)
    expect(DEFAULT_LIMITS.windowPerConnection).toBeLessThanOrEqual(DEFAULT_LIMITS.messageBurst)
    expect(DEFAULT_LIMITS.maxFrameBytes).toBeLessThanOrEqual(DEFAULT_LIMITS.windowBytes)
  })

  it('forgive one lost heartbeat and one lost word of typing', () => {
    expect(HEARTBEAT_TIMEOUT_MS).toBeGreaterThan(2 * HEARTBEAT_INTERVAL_MS)
    expect(TYPING_TIMEOUT_MS).toBeGreaterThanOrEqual(2 * TYPING_INTERVAL_MS)
  })

  it('are told apart by the version of the protocol, a token as RFC 6455 asks', () => {
    expect(SUBPROTOCOL).toBe('tautline.v1')
    expect(SUBPROTOCOL).toMatch(/^[\w!#$%&'*+.^`|~-]+$/)
  })
})

/** A direct room of two users with names of the greatest length. */
function longestRoom(i: number): string {
  const user = `${i}`.padStart(127, 'u')
  return `~a${user}~b${user}`
}
