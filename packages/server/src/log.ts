/**
 * What the server says about itself: JSON lines by pino, with ids and codes. Never the content of a message, never a
 * token; whoever adds a line here keeps to that.
 */
import { write, writeSync } from 'node:fs'
import { type DestinationStream, pino } from 'pino'

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

/** Lines of this many characters are handed over even if the turn goes on. */
const MAX_HELD_CHARS = 8_192
/** What cannot be written yet waits, up to so many characters; beyond them lines are lost. */
const MAX_WAITING_CHARS = 8_388_608
/** A pipe that takes nothing now is tried again after so long. */
const RETRY_MS = 100

/**
 * The standard output, written once for all lines of a turn of the event loop: a thousand connections that come together
 * are a thousand lines, and each write costs more than the line. Nobody waits for it: who reads it may stand still, and
 * the disk may be full, and the server must not care. (pino's own either stands still with its reader or, at the end of the
 * process, waits for room on the disk for ever.) What is held when the process ends is written then.
 */
function turnwise(): DestinationStream {
  const { fd } = process.stdout
  let held = ''
  let isWriting = false

  function flush(): void {
    if (isWriting || held === '') return
    isWriting = true
    const lines = Buffer.from(held)
    held = ''
    put(lines)
  }

  function put(lines: Buffer): void {
    write(fd, lines, (error, count) => {
      const left = lines.subarray(count)
      if (error?.code === 'EAGAIN') setTimeout(put, RETRY_MS, left).unref()
      else if (!error && left.length > 0) put(left)
      else {
        // Where it failed these lines are lost; the next ones are tried again.
        isWriting = false
        flush()
      }
    })
  }

  process.on('exit', () => {
    try {
      if (held !== '') writeSync(fd, held)
    } catch {
      // Nobody reads it any more, or there is no room: nothing is left to tell it to.
    }
  })
  return {
    write(line) {
      if (held.length > MAX_WAITING_CHARS) return
      if (held === '') setImmediate(flush)
      held += line
      if (held.length >= MAX_HELD_CHARS) flush()
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
