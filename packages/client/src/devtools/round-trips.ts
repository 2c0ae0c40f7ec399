/**
 * How long the server takes to answer, seen on the wire: from a ping to its pong, from a command to its ack. What is held
 * back on the way counts, for it is what the user waits for.
 */

export interface RoundTrip {
  /** Unix milliseconds of the answer. */
  readonly at: number
  readonly ms: number
  readonly kind: 'ping' | 'ack'
}

export interface Latency {
  /** The newest last, 120 at most. */
  readonly samples: readonly RoundTrip[]
  readonly lastMs: number | undefined
  readonly medianMs: number | undefined
  readonly worstMs: number | undefined
}

/** A message as the wire has it, of which nothing is known. */
export type WireMessage = Readonly<Record<string, unknown>>

const MAX_SAMPLES = 120
/** Refs without an answer: beyond them the oldest are given up. */
const MAX_WAITING = 500

export interface RoundTrips {
  said(link: number, messages: readonly WireMessage[], now: number): void
  heard(link: number, messages: readonly WireMessage[], now: number, at: number): void
  read(): Latency
  clear(): void
}

export function createRoundTrips(): RoundTrips {
  /** By link and ref: when it was said. */
  const waiting = new Map<string, number>()
  let samples: RoundTrip[] = []

  function answered(link: number, ref: unknown, kind: RoundTrip['kind'], now: number, at: number): void {
    if (typeof ref !== 'number') return
    const key = `${link}:${ref}`
    const since = waiting.get(key)
    if (since === undefined) return
    waiting.delete(key)
    samples = [...samples.slice(1 - MAX_SAMPLES), { at, ms: Math.max(0, now - since), kind }]
  }

  return {
    said(link, messages, now) {
      for (const { type, payload } of messages) {
        if (type !== 'ping' && type !== 'commands') continue
        const ref = fieldOf(payload, 'ref')
        if (typeof ref !== 'number') continue
        waiting.set(`${link}:${ref}`, now)
        const [oldest] = waiting.keys()
        if (waiting.size > MAX_WAITING && oldest !== undefined) waiting.delete(oldest)
      }
    },
    heard(link, messages, now, at) {
      for (const { type, payload } of messages) {
        if (type === 'pong') answered(link, fieldOf(payload, 'ref'), 'ping', now, at)
        if (type === 'ack')
          for (const ack of listOf(fieldOf(payload, 'acks')))
            answered(link, fieldOf(ack, 'ref'), 'ack', now, at)
      }
    },
    read() {
      const sorted = samples.map(({ ms }) => ms).sort((a, b) => a - b)
      return {
        samples,
        lastMs: samples.at(-1)?.ms,
        medianMs: sorted[Math.floor((sorted.length - 1) / 2)],
        worstMs: sorted.at(-1),
      }
    },
    clear() {
      samples = []
    },
  }
}

export function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as WireMessage)[name] : undefined
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
