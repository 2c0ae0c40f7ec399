// The server's door for a run without JSON: what comes as messages is let in as it is. hooks.ts puts this module in the
// place of `@tautline/protocol` for the server's inbox; text still goes through the real door.

import {
  type ClientMessage,
  type Decoded,
  type DecodeOptions,
  decodeClientFrame as decodeText,
} from '@tautline/protocol'

export function decodeClientFrame(
  frame: string | readonly ClientMessage[],
  options?: DecodeOptions,
): Decoded<ClientMessage>[] {
  return typeof frame === 'string'
    ? decodeText(frame, options)
    : frame.map((message) => ({ ok: true, message }))
}
