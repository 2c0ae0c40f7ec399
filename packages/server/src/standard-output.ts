/**
 * The standard output, for lines of which many come at once and for which nobody waits: its reader may stand still and
 * its disk may be full, and the server must not care. What it does not take is kept, so much of it, and tried again;
 * what is more than that is dropped, counted, and said once writing goes on. At the end of the process it gets a moment
 * for what is left. (pino's own stands still with its reader, or waits for room on a disk for ever.)
 *
 * Nothing here knows what a line says.
 */
import { constants, fstatSync, openSync, write, writeSync } from 'node:fs'
import { Socket } from 'node:net'
import { isatty } from 'node:tty'
import { isMainThread } from 'node:worker_threads'

/** What of it a line is given to; whole, with its end. */
interface LineOutput {
  write(line: string): void
}

/** A descriptor, and whether a write to it may stand still: then it is not for the thread of the server. */
interface Descriptor {
  readonly fd: number
  readonly mayBlock: boolean
}

/** In a worker thread too, where `process.stdout` has none. */
const STANDARD_OUTPUT = 1
/** Lines of this many characters are written even if the turn of the event loop goes on. */
const MAX_HELD_CHARS = 8_192
/** What cannot be written yet waits, up to so many characters. */
const MAX_WAITING_CHARS = 8_388_608
/** What takes nothing now is tried again after so long: a pipe holds 64 KB. */
const RETRY_MS = 10
/** A fault, a full disk above all, lasts longer. */
const FAULT_RETRY_MS = 100
/** A reader that does not read must not keep a process that ends. */
const MAX_END_MS = 2_000

/**
 * Written once for all lines of a turn of the event loop: a thousand connections that come together are a thousand lines,
 * and each write costs more than the line. `onDropped` hears how many lines are missing before the next one.
 */
export function standardOutput(onDropped: (lines: number) => void): LineOutput {
  const { fd, mayBlock } = descriptor()
  /** What is being written. */
  let rest: Uint8Array = Buffer.alloc(0)
  /** What comes after it. */
  let held = ''
  let dropped = 0
  let status: 'idle' | 'in the pool' | 'waiting' | 'ending' = 'idle'
  let endsAt = Number.POSITIVE_INFINITY

  function take(): void {
    if (rest.length > 0) return
    rest = Buffer.from(held)
    held = ''
    if (dropped === 0) return
    const lines = dropped
    dropped = 0
    onDropped(lines)
  }

  function flush(): void {
    if (status !== 'idle') return
    take()
    if (rest.length === 0) return
    if (!mayBlock) {
      wrote(...writeNow(fd, rest))
      return
    }
    status = 'in the pool'
    write(fd, rest, (error, count) => wrote(count, error))
  }

  function wrote(count: number, error: unknown): void {
    rest = rest.subarray(count)
    status = 'waiting'
    if (!error) next()
    else setTimeout(next, isFull(error) ? RETRY_MS : FAULT_RETRY_MS).unref()
  }

  function next(): void {
    status = 'idle'
    flush()
  }

  /** The last that is done: the process does not come back to the event loop. */
  function end(): void {
    // The pool writes what it has even now.
    if (status === 'in the pool') rest = Buffer.alloc(0)
    if (status !== 'ending') endsAt = performance.now() + MAX_END_MS
    status = 'ending'
    for (take(); rest.length > 0; take()) {
      const [count, error] = writeNow(fd, rest)
      rest = rest.subarray(count)
      if (error && (!isFull(error) || performance.now() >= endsAt)) return
      if (error) sleep(RETRY_MS)
    }
  }

  process.on('exit', end)
  return {
    write(line) {
      // Once one is missing all are, until it is said: so it is said in its place.
      if (dropped > 0 || rest.length + held.length > MAX_WAITING_CHARS) {
        dropped++
        return
      }
      if (held === '' && status === 'idle') setImmediate(flush)
      held += line
      if (status === 'ending') end()
      else if (held.length >= MAX_HELD_CHARS) flush()
    },
  }
}

/** As much as it takes now. */
function writeNow(fd: number, lines: Uint8Array): [count: number, error: unknown] {
  let count = 0
  try {
    while (count < lines.length) count += writeSync(fd, lines, count)
    return [count, undefined]
  } catch (error) {
    return [count, error]
  }
}

/** The reader has not read what is there yet. */
function isFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EAGAIN'
}

function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

/**
 * A write to a file or a device ends by itself, so it is done at once: the pool of libuv may be busy, and gives no order
 * at the end of the process. One to a pipe or a terminal ends with its reader, unless the descriptor is told not to wait.
 */
function descriptor(): Descriptor {
  const fd = STANDARD_OUTPUT
  if (isatty(fd)) return ownTerminal() ?? { fd, mayBlock: true }
  if (!isPipe(fd)) return { fd, mayBlock: false }
  if (process.platform === 'win32') return { fd, mayBlock: true }
  // Who makes a stream of a pipe sets it to not waiting. That of the process is there once it is asked for.
  const pipe = isMainThread ? process.stdout : new Socket({ fd, readable: false, writable: true })
  return { fd, mayBlock: !pipe.writable }
}

/** Linux opens a terminal again, for us alone: its mode is that of whoever else writes there. */
function ownTerminal(): Descriptor | undefined {
  const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = constants
  try {
    return {
      fd: openSync(`/proc/self/fd/${STANDARD_OUTPUT}`, O_WRONLY | O_NONBLOCK | O_NOCTTY),
      mayBlock: false,
    }
  } catch {
    // There is no such file, or the terminal is not ours to open: it is written by the pool.
    return undefined
  }
}

function isPipe(fd: number): boolean {
  try {
    const is = fstatSync(fd)
    return is.isFIFO() || is.isSocket()
  } catch {
    // It is closed: to write says so.
    return false
  }
}
