/**
 * What the server says about itself: JSON lines by pino, with ids and codes. Never the content of a message, never a
 * token; whoever adds a line here keeps to that.
 */
import { pino } from 'pino'
import { standardOutput } from './standard-output.ts'

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
  if (option) return guarded(option)
  own ??= standardLogger()
  return own
}

/** What the server does goes on where the application's logger throws: the line is lost, and nothing else. */
function guarded(logger: Logger): Logger {
  const at = (level: keyof Logger) => (fields: object, message: string) => {
    try {
      logger[level](fields, message)
    } catch {
      // To say so there is only the logger.
    }
  }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

/** One for all servers of the process. */
let own: Logger | undefined

/** What was dropped is said where it is missing. */
function standardLogger(): Logger {
  const logger = pino(
    { name: 'tautline' },
    standardOutput((lines) => logger.warn({ lines }, 'lines of the log were dropped: nobody took them')),
  )
  return logger
}

/** What a log line says of an error: its message and where it came from, never an object that might hold a payload. */
export function describeError(error: unknown): {
  readonly error: string
  readonly stack?: string | undefined
} {
  if (error instanceof Error) return { error: error.message, stack: error.stack }
  return { error: typeof error }
}
