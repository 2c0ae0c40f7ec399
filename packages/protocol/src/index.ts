/**
 * @tautline/protocol: the words of Tautline. Frames, codes, validators, limits, the room log.
 * For a browser bundle without the validators import `@tautline/protocol/wire`.
 */
export {
  type Decoded,
  type DecodedCommand,
  type DecodeOptions,
  decodeClientFrame,
  decodeCommand,
  decodeServerFrame,
  encode,
} from './envelope.ts'
export { EXAMPLES, type Examples } from './examples.ts'
export { CLIENT_MESSAGES, COMMANDS, ENTRIES, SERVER_MESSAGES } from './vocabulary.ts'
export * from './wire.ts'
