/**
 * What the server says about itself: JSON lines by pino, with ids and codes. Never the content of a message, never a
 * token; whoever adds a line here keeps to that.
 */
import { type DestinationStream, destination, pino } from 'pino'

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
  standardOutput ??= turnwise()
  return pino({ name: 'tautline' }, standardOutput)
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
let standardOutput: DestinationStream | undefined

/** Lines of this many characters are written even if the turn goes on. */
const MAX_HELD_CHARS = 8_192
/** What could not be written waits, up to so many bytes: a log on a full disk must not become a full memory. */
const MAX_WAITING_BYTES = 1_048_576

/**
 * The standard output, written once for all lines of a turn of the event loop: a thousand connections that come together
 * are a thousand lines, and each write costs more than the line. Still synchronous: what a process says before it ends is
 * written.
 */
function turnwise(): DestinationStream {
  const output = destination({ sync: true, minLength: MAX_HELD_CHARS, maxLength: MAX_WAITING_BYTES })
  // Who cannot write its log goes on without: it is tried again with the next line.
  output.on('error', () => {})
  const flush = () => {
    isDue = false
    output.flush()
  }
  let isDue = false
  process.on('exit', flush)
  return {
    write(line) {
      output.write(line)
      if (!isDue) setImmediate(flush)
      isDue = true
    },
  }
}

/** What a log line says of an error: its message and where it came from, never an object that might hold a payload. */
export function describeError(error: unknown): {
  readonly error: string
  readonly stack?: string | undefined
} {
  if (error instanceof Error) return { error: error.message, stack: error.stack }
  return { error: typeof error }
}
