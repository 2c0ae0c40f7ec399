/**
 * A text as the WebSocket frame that a server sends (RFC 6455, 5.2: one fragment, no mask), in one buffer and so in one
 * write. What many sockets are told is encoded once: the frame of the last text is kept, and the same text follows.
 */
export class TextFrames {
  #text: string | undefined
  #frame: Buffer | undefined

  /** Not to be changed by whoever gets it: others get the same. */
  of(text: string): Buffer {
    if (this.#frame === undefined || text !== this.#text) {
      this.#frame = frameOf(text)
      this.#text = text
    }
    return this.#frame
  }
}

/** The last fragment of a text message. */
const FINAL_TEXT = 0x81
const MAX_7_BITS = 125
const MAX_16_BITS = 65_535

function frameOf(text: string): Buffer {
  const bytes = Buffer.byteLength(text)
  const headBytes = bytes <= MAX_7_BITS ? 2 : bytes <= MAX_16_BITS ? 4 : 10
  const frame = Buffer.allocUnsafe(headBytes + bytes)
  frame[0] = FINAL_TEXT
  if (headBytes === 2) frame[1] = bytes
  else if (headBytes === 4) {
    frame[1] = 126
    frame.writeUInt16BE(bytes, 2)
  } else {
    frame[1] = 127
    frame.writeBigUInt64BE(BigInt(bytes), 2)
  }
  frame.write(text, headBytes)
  return frame
}
