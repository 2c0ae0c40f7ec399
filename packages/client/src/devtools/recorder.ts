/**
 * What happened, for whoever looks at it later: the changes of the connection with their reasons, and the frames. Bounded,
 * without secrets, and without a clock: the time comes in. Bodies that are not to be seen are not kept, so that nothing
 * can bring them back.
 */
import { utf8Bytes } from '@tautline/protocol/wire'
import { type Attempts, createAttemptBook } from './attempts.ts'
import { createRedactor, type Redactor } from './redact.ts'
import { createRoundTrips, fieldOf, type Latency, listOf, type WireMessage } from './round-trips.ts'

/** `switch`: something was broken on purpose, or mended; `recorder`: a pause. */
export type HappeningKind = 'status' | 'socket' | 'token' | 'outbox' | 'error' | 'switch' | 'recorder'

/** One line of the time line. */
export interface Happening {
  readonly id: number
  /** Unix milliseconds, by this device's clock. */
  readonly at: number
  readonly kind: HappeningKind
  /** What happened; of a status `from → to`. */
  readonly what: string
  /** Why: a code, where there is one. */
  readonly reason: string | undefined
  readonly detail: string | undefined
  /** How long what it ended had lasted, in milliseconds. */
  readonly afterMs: number | undefined
  /** Milliseconds until the next attempt. */
  readonly retryInMs: number | undefined
}

/** `held`: by a stall; `lost`: by a half-open connection, or by its end. */
export type Fate = 'passed' | 'held' | 'lost'

export interface RecordedFrame {
  readonly id: number
  /** Unix milliseconds, by this device's clock. */
  readonly at: number
  /** Which connection since the devtools were made: 1, 2, 3 … */
  readonly link: number
  readonly direction: 'in' | 'out'
  readonly bytes: number
  /** The types of its messages; of commands and entries also what they carry. */
  readonly types: readonly string[]
  readonly room: string | undefined
  /** As it went over the wire, without secrets; at most 4,096 characters. Undefined where bodies are hidden. */
  readonly body: string | undefined
  readonly fate: Fate
}

export interface Recording {
  readonly happenings: readonly Happening[]
  readonly frames: readonly RecordedFrame[]
  readonly latency: Latency
  readonly isPaused: boolean
  readonly hasBodies: boolean
}

export interface Recorder {
  readonly redactor: Redactor
  note(happening: Partial<Omit<Happening, 'id' | 'at'>> & Pick<Happening, 'kind' | 'what'>): void
  /** Returns its id, for `settle`. */
  frame(link: number, direction: 'in' | 'out', data: unknown, fate: Fate): number
  /** What became of one that was held. */
  settle(id: number, link: number, direction: 'in' | 'out', data: unknown, fate: Fate): void
  attempts(messageId: string): Attempts | undefined
  read(): Recording
  pause(isPaused: boolean): void
  /** Hidden, those that there are are forgotten. */
  keepBodies(hasBodies: boolean): void
  /** Forgets what happened, the frames and the round trips. */
  clear(): void
}

export interface RecorderOptions {
  /** Monotonic and Unix milliseconds. */
  readonly clock: { now(): number; unixTime(): number }
  readonly maxHappenings: number
  readonly maxFrames: number
  readonly hasBodies: boolean
  changed(): void
}

const MAX_BODY_CHARS = 4_096
const MAX_TEXT_CHARS = 300
/** Kinds of what one frame carries. */
const MAX_TYPES = 8

export function createRecorder(options: RecorderOptions): Recorder {
  const { clock, maxHappenings, maxFrames, changed } = options
  const redactor = createRedactor()
  const roundTrips = createRoundTrips()
  const attemptBook = createAttemptBook()
  let { hasBodies } = options
  let isPaused = false
  let missed = 0
  let nextId = 1
  let happenings: Happening[] = []
  let frames: RecordedFrame[] = []

  function add(happening: Parameters<Recorder['note']>[0]): void {
    const { kind, what, reason, detail, afterMs, retryInMs } = happening
    happenings.push({
      id: nextId++,
      at: clock.unixTime(),
      kind,
      what: shortened(redactor.text(what), MAX_TEXT_CHARS),
      reason,
      detail: detail === undefined ? undefined : shortened(redactor.text(detail), MAX_TEXT_CHARS),
      afterMs,
      retryInMs,
    })
    if (happenings.length > maxHappenings) happenings.shift()
    changed()
  }

  /** What the wire says is counted also while nothing is recorded. */
  function count(link: number, direction: 'in' | 'out', messages: readonly WireMessage[]): void {
    if (direction === 'in') return roundTrips.heard(link, messages, clock.now(), clock.unixTime())
    roundTrips.said(link, messages, clock.now())
    attemptBook.said(messages, clock.unixTime())
  }

  return {
    redactor,
    note(happening) {
      if (isPaused) missed++
      else add(happening)
    },
    frame(link, direction, data, fate) {
      const messages = messagesOf(data)
      // What is sent was sent, for the client; what comes has come when the client has it.
      if (direction === 'out' || fate === 'passed') count(link, direction, messages ?? [])
      const id = nextId++
      if (isPaused) {
        missed++
        return id
      }
      const isText = typeof data === 'string'
      frames.push({
        id,
        at: clock.unixTime(),
        link,
        direction,
        bytes: isText ? utf8Bytes(data) : 0,
        types: messages ? typesOf(messages) : [isText ? 'not of the protocol' : 'not text'],
        room: roomOf(messages ?? []),
        body: hasBodies && isText ? bodyOf(data, messages, redactor) : undefined,
        fate,
      })
      if (frames.length > maxFrames) frames.shift()
      changed()
      return id
    },
    settle(id, link, direction, data, fate) {
      if (direction === 'in' && fate === 'passed') count(link, direction, messagesOf(data) ?? [])
      frames = frames.map((frame) => (frame.id === id ? { ...frame, fate } : frame))
      changed()
    },
    attempts: (messageId) => attemptBook.of(messageId),
    read: () => ({
      happenings: [...happenings],
      frames: [...frames],
      latency: roundTrips.read(),
      isPaused,
      hasBodies,
    }),
    pause(next) {
      if (next === isPaused) return
      isPaused = next
      if (next) missed = 0
      const what = next ? 'paused' : `goes on; ${missed} lines and frames were not recorded`
      add({ kind: 'recorder', what })
    },
    keepBodies(next) {
      hasBodies = next
      if (!next) frames = frames.map((frame) => ({ ...frame, body: undefined }))
      changed()
    },
    clear() {
      happenings = []
      frames = []
      roundTrips.clear()
      changed()
    },
  }
}

/** Undefined where it is nothing of the protocol. */
function messagesOf(data: unknown): readonly WireMessage[] | undefined {
  if (typeof data !== 'string') return undefined
  try {
    const messages = [JSON.parse(data) as unknown].flat()
    return messages.every((one): one is WireMessage => typeof fieldOf(one, 'type') === 'string')
      ? messages
      : undefined
  } catch {
    // No JSON: it is shown as that.
    return undefined
  }
}

/** `commands: send_message ×3` */
function typesOf(messages: readonly WireMessage[]): readonly string[] {
  const counts = new Map<string, number>()
  for (const { type, payload } of messages) {
    const carried = [...listOf(fieldOf(payload, 'commands')), ...listOf(fieldOf(payload, 'entries'))]
    const names =
      carried.length > 0 ? carried.map((one) => `${word(type)}: ${word(fieldOf(one, 'type'))}`) : [word(type)]
    for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  const all = Array.from(counts, ([name, times]) => shortened(times > 1 ? `${name} ×${times}` : name, 80))
  return all.length > MAX_TYPES ? [...all.slice(0, MAX_TYPES), `and ${all.length - MAX_TYPES} more`] : all
}

/** Of what should be one: an object might not even be made a text. */
function word(name: unknown): string {
  return typeof name === 'string' ? name : 'not a word'
}

function roomOf(messages: readonly WireMessage[]): string | undefined {
  for (const { payload } of messages) {
    const room = fieldOf(payload, 'room')
    if (typeof room === 'string') return shortened(room, 80)
  }
  return undefined
}

function bodyOf(data: string, messages: readonly WireMessage[] | undefined, redactor: Redactor): string {
  const whole = messages ? redactor.value(messages.length === 1 ? messages[0] : messages) : undefined
  return shortened(whole === undefined ? redactor.text(data) : JSON.stringify(whole), MAX_BODY_CHARS)
}

function shortened(text: string, maxChars: number): string {
  return text.length > maxChars ? `${text.slice(0, maxChars)} … and ${text.length - maxChars} more` : text
}
