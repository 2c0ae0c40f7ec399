// What the model of the outbox is made of: a server that is nothing but lanes and logs, and beside it the list of what was
// said with what may still become of it. Whatever the core does is looked at here, effect by effect; what must hold at
// any time is checked then, the rest in `checkEnd`.

import { CODES, type Code, decide, type Limits, type ServerMessage } from '@tautline/protocol'
import { expect } from 'vitest'
import type { Effect } from '../../../packages/client/src/core/context.ts'
import type { SendOutcome } from '../../../packages/client/src/core/outbox-row.ts'
import { type Commands, commandsOf, SERVER_TIME } from './drive.ts'

/** What a server says to one frame. `retry` and `refuse` are about the first command of it. */
export type Mood = 'honest' | { readonly refuse: Code } | { readonly retry: Code }

interface Line {
  readonly messageId: string
  readonly digest: string
  readonly seq: number
}

/** A frame, and the load of the page and the connection that it came by. */
export interface Frame {
  readonly load: number
  readonly link: number
  readonly commands: Commands
}

/** What the server says to a command. */
interface Word {
  readonly ref: number
  readonly messageId: string
  readonly seq?: number
  readonly code?: Code
}

function createLaneServer() {
  const logs = new Map<string, Line[]>()
  let lanes = new Map<string, number>()
  /** What was refused is refused again: only then is the order more than that of one lane. */
  const refused = new Map<string, Code>()

  function logOf(room: string): Line[] {
    const log = logs.get(room) ?? []
    logs.set(room, log)
    return log
  }

  function existing(messageId: string) {
    for (const [room, log] of logs)
      for (const { seq, digest, messageId: id } of log)
        if (id === messageId) return { room, seq, timestamp: SERVER_TIME, digest }
    return undefined
  }

  function takeOne({ room, sid, n, ref, commands }: Commands, index: number, mood: Mood): Word {
    const command = commands[index]!
    const { messageId } = command
    const word = { ref: ref + index, messageId }
    const isFirst = index === 0 && mood !== 'honest'
    if (isFirst && 'retry' in mood) return { ...word, code: mood.retry }
    if (isFirst && 'refuse' in mood && command.type !== 'skip') refused.set(messageId, mood.refuse)
    const lane = `${sid} ${room}`
    const digest = JSON.stringify(command.payload)
    const decision = decide(lanes.get(lane) ?? 0, existing(messageId), {
      room,
      n: n + index,
      digest,
      skip: command.type === 'skip',
      refusal: refused.get(messageId),
    })
    if (decision.decision === 'gap') return { ...word, code: 'GAP' }
    if (decision.decision === 'append' || decision.advance) lanes.set(lane, n + index)
    if (decision.decision === 'fail') return { ...word, code: decision.code }
    if (decision.decision === 'acknowledge') return { ...word, seq: decision.seq }
    const seq = logOf(room).push({ messageId, digest, seq: logOf(room).length + 1 })
    return { ...word, seq }
  }

  return {
    logs: logs as ReadonlyMap<string, readonly Line[]>,
    take: (frame: Commands, mood: Mood): Word[] => frame.commands.map((_, i) => takeOne(frame, i, mood)),
    forget() {
      lanes = new Map()
    },
  }
}

/** Acks first, then errors, as a server tells them. */
export function messagesFor(words: readonly Word[]): ServerMessage[] {
  const acks = words.flatMap(({ ref, seq }) => (seq === undefined ? [] : [{ ref, seq }]))
  const errors = words.flatMap(({ ref, code }) =>
    code === undefined ? [] : [{ type: 'error' as const, payload: { ref, code, message: 'no' } }],
  )
  const ack = { type: 'ack' as const, payload: { acks }, timestamp: SERVER_TIME }
  return acks.length > 0 ? [ack, ...errors] : errors
}

interface Said {
  readonly room: string
  readonly bytes: number
  /** The outbox that it went into: it is the same over all loads for which its store lasts. */
  readonly outbox: number
  /**
   * In this load. `saving`: not promised anything yet; `kept`: in the store, of which this load has not read it yet;
   * `gone`: lost with its outbox.
   */
  status: 'saving' | 'queued' | 'sent' | 'settled' | 'kept' | 'gone'
  /** Under which ref it is in flight; 0: it is about to be transmitted. */
  ref: number | undefined
  /** In which load it was told, and what. */
  outcome: { load: number; is: SendOutcome } | undefined
}

export function createOutboxModel(limits: Limits) {
  const server = createLaneServer()
  const said = new Map<string, Said>()
  let load = 0
  let outboxes = 0
  let tokens = limits.messageBurst
  let filledAt = 0

  function get(messageId: string): Said {
    const message = said.get(messageId)
    if (!message) throw new Error(`${messageId} was never said`)
    return message
  }

  function settled(messageId: string, is: SendOutcome): void {
    const message = get(messageId)
    const { outcome } = message
    if (outcome) {
      expect(outcome.load, `${messageId} has one outcome`).toBeLessThan(load)
      expect(is, `${messageId} came back, and has the outcome that it had`).toMatchObject(
        outcome.is.status === 'acknowledged' ? { seq: outcome.is.seq } : { status: 'failed' },
      )
    }
    message.outcome = { load, is }
    message.status = 'settled'
    message.ref = undefined
    checkTrue(messageId, message)
  }

  /** What is reported is so. */
  function checkTrue(messageId: string, { room, outcome }: Said): void {
    if (!outcome) return
    const places = Array.from(server.logs.values())
      .flat()
      .filter((line) => line.messageId === messageId)
    const seqs = outcome.is.status === 'acknowledged' ? [outcome.is.seq] : []
    expect(
      places.map(({ seq }) => seq),
      `${messageId} is where it is said to be`,
    ).toEqual(seqs)
    if (places[0]) expect(server.logs.get(room)).toContain(places[0])
  }

  function sent(now: number, { ref, commands }: Commands): void {
    commands.forEach(({ messageId }, i) => {
      const message = get(messageId)
      expect([message.status, message.ref], `${messageId} is sent once`).toEqual(['sent', 0])
      message.ref = ref + i
    })
    tokens = Math.min(limits.messageBurst, tokens + ((now - filledAt) / 1_000) * limits.messagesPerSecond)
    filledAt = now
    tokens -= commands.length
    expect(tokens, 'the rate is kept').toBeGreaterThan(-0.001)
  }

  function checkWindows(): void {
    const flying = Array.from(said.values()).filter(({ ref }) => ref !== undefined)
    expect(flying.length).toBeLessThanOrEqual(limits.windowPerConnection)
    for (const { room } of flying)
      expect(flying.filter((one) => one.room === room).length).toBeLessThanOrEqual(limits.windowPerRoom)
    // Each counts a little more than its content; one alone may always fly.
    const bytes = flying.reduce((sum, message) => sum + message.bytes, 0)
    if (flying.length > 1) expect(bytes).toBeLessThanOrEqual(limits.windowBytes)
  }

  function progress(messageId: string, status: 'queued' | 'sent'): void {
    const message = get(messageId)
    if (status === 'sent') expect(message.status, `${messageId} is queued before it is sent`).toBe('queued')
    message.status = status
    message.ref = status === 'sent' ? 0 : undefined
  }

  function restored(messageId: string, outcome: SendOutcome | undefined): void {
    get(messageId).status = 'saving'
    if (outcome) settled(messageId, outcome)
  }

  /** What had not been read from the store is lost with it. */
  function lost(): void {
    for (const message of said.values()) if (message.status === 'kept') message.status = 'gone'
  }

  return {
    server,
    said: said as ReadonlyMap<string, Said>,
    load: () => load,

    say(messageId: string, room: string, bytes: number): void {
      said.set(messageId, {
        room,
        bytes,
        outbox: outboxes,
        status: 'saving',
        ref: undefined,
        outcome: undefined,
      })
    },

    /** What the core did, at this time. */
    see(effects: readonly Effect[], now: number): void {
      for (const effect of effects) {
        if (effect.type === 'progress') progress(effect.messageId, effect.status)
        else if (effect.type === 'settled') settled(effect.messageId, effect.outcome)
        else if (effect.type === 'restored') restored(effect.row.messageId, effect.outcome)
        else if (effect.type === 'storage' && effect.status === 'lost') lost()
        else if (effect.type === 'transmit') {
          for (const frame of commandsOf([effect])) sent(now, frame)
          checkWindows()
        }
      }
    },

    /** These words are heard: what they decide is in flight no more. */
    heard(words: readonly Word[]): void {
      for (const { ref, messageId, code } of words) {
        const message = get(messageId)
        if (message.ref === ref && (code === undefined || CODES[code].final)) message.ref = undefined
      }
    },

    /** The page is loaded again; `kept`: the ids that are in the store, where that can be relied upon. */
    reload(kept: ReadonlySet<string> | undefined): void {
      for (const [messageId, message] of said) {
        message.ref = undefined
        if (message.status === 'settled' || message.status === 'gone') continue
        const isPromised = kept && message.status !== 'saving'
        if (isPromised) expect(kept, `${messageId} was queued, so it is kept`).toContain(messageId)
        message.status = kept?.has(messageId) ? 'kept' : 'gone'
      }
      load++
      if (!kept) outboxes++
      tokens = limits.messageBurst
      filledAt = 0
    },

    checkOrder(): void {
      const order = Array.from(said.keys())
      for (const [room, log] of server.logs)
        for (const outbox of new Set(Array.from(said.values(), (message) => message.outbox))) {
          const places = log
            .filter(({ messageId }) => get(messageId).outbox === outbox)
            .map(({ messageId }) => order.indexOf(messageId))
          expect(places, `${room} is in the order of sending`).toEqual(places.toSorted((a, b) => a - b))
        }
    },

    /** Everything was let through. */
    checkEnd(): void {
      for (const [messageId, message] of said) {
        if (message.status === 'gone') continue
        expect(message.outcome, `${messageId} has an outcome`).toBeDefined()
        checkTrue(messageId, message)
      }
      for (const log of server.logs.values())
        expect(new Set(log.map(({ messageId }) => messageId)).size).toBe(log.length)
    },
  }
}

export type OutboxModel = ReturnType<typeof createOutboxModel>
