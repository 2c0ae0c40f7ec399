// A node on the bench: the real core over the real store in memory, with a clock that stands still until a test moves
// it. What takes time (tokens, commits, reads) is done by `settle`, or held back and answered by hand. A token is its
// user's name.

import {
  type ClientMessage,
  decodeServerFrame,
  encode,
  type PayloadOf,
  type ServerMessage,
} from '@tautline/protocol'
import type { Effect, Input } from '../../../packages/server/src/core/contract.ts'
import { createNode } from '../../../packages/server/src/core/node.ts'
import { DEFAULT_NODE_OPTIONS, type NodeOptions } from '../../../packages/server/src/core/options.ts'
import { ask } from '../../../packages/server/src/queries.ts'
import { memory } from '../../../packages/server/src/stores/memory.ts'

/** Unix milliseconds when the clock of the bench shows 0. */
export const UNIX_START = 1_700_000_000_000
export const EPOCH = 'epoch-1'

type Slow = Extract<Effect, { do: 'verify' | 'commit' | 'preview' | 'mark_seen' | 'read' }>

export type Bench = Awaited<ReturnType<typeof createBench>>

export async function createBench(options: Partial<NodeOptions> = {}) {
  const factory = memory({ epoch: EPOCH })
  const store = await factory.open()
  const node = createNode({ ...DEFAULT_NODE_OPTIONS, epoch: EPOCH, unixOffsetMs: UNIX_START, ...options }, 7)
  let now = 0
  let work: Slow[] = []
  const held = new Set<Slow['do']>()
  const inboxes = new Map<number, ServerMessage[]>()
  const closes = new Map<number, string>()
  const others: Effect[] = []
  /** A user's place in each lane and refs, so that a test does not count. */
  const counters = new Map<string, number>()

  function count(key: string, by = 1): number {
    const next = (counters.get(key) ?? 0) + 1
    counters.set(key, next + by - 1)
    return next
  }

  function deliver(connection: number, message: ServerMessage): void {
    // Everything that leaves is of the protocol.
    const [decoded] = decodeServerFrame(encode(message), { maxFrameBytes: 10_000_000 })
    if (!decoded?.ok) throw new Error(`not a message of the protocol: ${encode(message)} ${decoded?.detail}`)
    const inbox = inboxes.get(connection) ?? []
    inboxes.set(connection, inbox)
    inbox.push(message)
  }

  function step(input: Input): Effect[] {
    const effects = node.step(input, now)
    for (const effect of effects) {
      if (effect.do === 'send') deliver(effect.connection, effect.message)
      else if (effect.do === 'broadcast') for (const id of effect.connections) deliver(id, effect.message)
      else if (isSlow(effect)) work.push(effect)
      else if (effect.do === 'close')
        closes.set(effect.connection, effect.code + (effect.retryAfterMs === undefined ? '' : ' retry'))
      else others.push(effect)
    }
    return effects
  }

  async function perform(effect: Slow): Promise<void> {
    if (effect.do === 'verify') {
      const { connection, token } = effect
      step({ type: 'verified', connection, verification: { ok: true, userId: token, expiresAt: undefined } })
    } else if (effect.do === 'commit') {
      step({ type: 'committed', result: await store.commit(effect.ops, effect.unixMs) })
    } else if (effect.do === 'preview') {
      step({ type: 'previewed', outcomes: await store.preview(effect.ops, effect.unixMs) })
    } else if (effect.do === 'mark_seen') {
      await store.markSeen(effect.seen)
      step({ type: 'seen_marked', isDone: true })
    } else {
      const { connection, queue, query } = effect
      step({ type: 'read_done', connection, queue, answer: await ask(store, query) })
    }
  }

  const bench = {
    node,
    store,
    tables: factory.tables,
    closes,
    others,
    step,
    now: () => now,
    unixMs: () => UNIX_START + now,

    /** Does what takes time, and ends turns, until nothing happens any more; but not what is held. */
    async settle(): Promise<void> {
      for (;;) {
        const next = work.find((effect) => !held.has(effect.do))
        if (next) {
          work = work.filter((effect) => effect !== next)
          await perform(next)
        } else if (step({ type: 'turn_ended' }).length === 0) return
      }
    },

    /** From now on such work waits, and `heldWork` gives it. */
    hold: (kind: Slow['do']) => void held.add(kind),
    release: (kind: Slow['do']) => void held.delete(kind),
    heldWork: () => work,
    /** Takes the first piece of waiting work of this kind away, to be answered by hand. */
    takeWork<K extends Slow['do']>(kind: K): Extract<Slow, { do: K }> {
      const next = work.find((effect): effect is Extract<Slow, { do: K }> => effect.do === kind)
      if (!next) throw new Error(`no ${kind} waits`)
      work = work.filter((effect) => effect !== next)
      return next
    },
    perform,

    open(connection: number, token?: string, address?: string) {
      step({ type: 'opened', connection, token, address })
    },

    say(connection: number, ...messages: ClientMessage[]) {
      step({ type: 'received', connection, text: encode(messages.length === 1 ? messages[0]! : messages) })
    },

    /** Opens a connection and authenticates it; what it was told until then is forgotten. */
    async login(
      connection: number,
      user: string,
      sid = `lane-of-${user}`,
      presence?: PayloadOf<'update_presence'>,
    ) {
      bench.open(connection)
      const payload = { ref: 1, sid, token: user, ...(presence && { presence }) }
      bench.say(connection, { type: 'authenticate', payload })
      await bench.settle()
      bench.heard(connection)
    },

    /** Becomes a member of the room and follows it; what the connection was told until then is forgotten. */
    async enter(connection: number, room: string) {
      bench.say(
        connection,
        { type: 'join_room', payload: { ref: 2, room } },
        { type: 'subscribe', payload: { ref: 3, rooms: [{ room }] } },
      )
      await bench.settle()
      for (const id of inboxes.keys()) bench.heard(id)
    },

    /** Says something in the lane `sid`; gives the first ref. */
    send(
      connection: number,
      room: string,
      contents: readonly string[],
      sid = `lane-of-${connection}`,
    ): number {
      const ref = 1_000 + count(`ref ${connection}`, contents.length)
      bench.say(connection, {
        type: 'commands',
        payload: {
          ref,
          room,
          sid,
          n: count(`${sid} ${room}`, contents.length),
          commands: contents.map((content) => ({
            type: 'send_message',
            messageId: `message-${count('message')}`,
            payload: { content },
          })),
        },
      })
      return ref
    },

    /** What a connection was told since this was asked last. */
    heard(connection: number): ServerMessage[] {
      const messages = inboxes.get(connection) ?? []
      inboxes.set(connection, [])
      return messages
    },

    /** The same, of one type, payloads only. */
    heardOf<K extends ServerMessage['type']>(connection: number, type: K) {
      return bench
        .heard(connection)
        .filter((message): message is Extract<ServerMessage, { type: K }> => message.type === type)
        .map(({ payload }) => payload as Extract<ServerMessage, { type: K }>['payload'])
    },

    /** Moves the clock, ringing at each deadline on the way. */
    advance(ms: number) {
      const end = now + ms
      for (let at = node.nextDeadline(); at !== undefined && at <= end; at = node.nextDeadline()) {
        if (at < now) throw new Error('a deadline lies in the past')
        now = at
        step({ type: 'timer' })
        const after = node.nextDeadline()
        if (after !== undefined && after <= now) throw new Error('a deadline did not pass')
      }
      now = end
    },
  }
  return bench
}

const SLOW: ReadonlySet<Effect['do']> = new Set(['verify', 'commit', 'preview', 'mark_seen', 'read'])

function isSlow(effect: Effect): effect is Slow {
  return SLOW.has(effect.do)
}

/** The contents of the messages in `entries` frames, in order. */
export function contentsOf(
  payloads: readonly { readonly entries: readonly { readonly payload: Record<string, unknown> }[] }[],
): unknown[] {
  return payloads.flatMap(({ entries }) => entries.map(({ payload }) => payload['content']))
}
