/**
 * What the server says about itself: JSON lines by pino, with ids and codes. Never the content of a message, never a
 * token; whoever adds a line here keeps to that.
 */
import { pino } from 'pino'

/** The four functions that the server uses of a logger; pino's has them. */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

const SILENT: Logger = { debug() {}, info() {}, warn() {}, error() {} }

/** `false`: silence. Undefined: JSON lines on the standard output, from the level `info` up. */
export function loggerOf(option: Logger | false | undefined): Logger {
  if (option === false) return SILENT
  return option ?? pino({ name: 'tautline' })
}

/** What a log line says of an error: its message and where it came from, never an object that might hold a payload. */
export function describeError(error: unknown): {
  readonly error: string
  readonly stack?: string | undefined
} {
  if (error instanceof Error) return { error: error.message, stack: error.stack }
  return { error: typeof error }
}
