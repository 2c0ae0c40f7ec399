/** Refused connections come in herds. The log tells of the first, and of how many more there were each ten seconds. */
import type { Code } from '@tautline/protocol/wire'
import type { Logger } from './log.ts'

const INTERVAL_MS = 10_000

const REFUSALS: ReadonlySet<Code> = new Set(['TRY_AGAIN_LATER', 'TOO_MANY_CONNECTIONS'])

/** Tells the log that the server closed a connection. `now`: monotonic milliseconds. */
export function createCloseLog(logger: Logger, now: () => number): (connection: number, code: Code) => void {
  let refused = 0
  let nextAt = Number.NEGATIVE_INFINITY
  return (connection, code) => {
    if (!REFUSALS.has(code)) {
      logger.info({ connection, code }, 'closed by the server')
      return
    }
    refused++
    logger.debug({ connection, code }, 'refused')
    if (now() < nextAt) return
    logger.warn({ connection, code, refused }, 'connections are refused')
    refused = 0
    nextAt = now() + INTERVAL_MS
  }
}
