/**
 * The application has a say in what users do, before the store has: its hooks are questions that leave as effects and
 * whose answers come back as inputs. Where it has none, everything goes to the committer at once.
 *
 * - What a user does in a room waits in one chain, so that hooks run in the order of the lane and an answer that takes
 *   long holds up nobody else. It also makes a retry by another connection wait for the first try.
 * - Only what would be appended is asked about: a preview of the store says what that is. What was accepted before, and
 *   what the store refuses, no hook sees. Previews of many chains go together, at the end of a turn.
 * - Whatever was not asked about and would be appended after all, since the rooms changed meanwhile, gets UNAVAILABLE
 *   from the store (`isUnreviewed`): nothing goes past a hook.
 * - The next preview of a chain waits until what it handed on is committed, and so sees it.
 */
import { CODES, type Code } from '@tautline/protocol/wire'
import { type Committer, isMembership, type Refusal } from './commit.ts'
import { APPLICATION, type Connection } from './connection.ts'
import { type Context, unixMs } from './context.ts'
import type { Question, Verdict } from './contract.ts'
import { pumpReads } from './reads.ts'
import type { Scheduled } from './schedule.ts'
import { sessionOf } from './session.ts'
import type { CommandOp, Outcome, StoreOp } from './store.ts'

/** Operations that may wait for hooks; beyond them the answer is UNAVAILABLE. */
const MAX_WAITING_OPS = 65_536
/** Commands of one preview, unless a single chain has more. */
const MAX_PREVIEW_OPS = 1_024
/** Commands of one chain in a preview. */
const MAX_RUN_OPS = 256

/**
 * An entry that holds what somebody said, and the command that would say it. One of the application's own that has a
 * handler is its own command. Others are only a matter of `authorize`.
 */
const COMMAND_OF_ENTRY: Readonly<Record<string, string>> = {
  new_message: 'send_message',
  message_edited: 'edit_message',
}

/** Of oneself: no hook is asked, so nothing waits for one. */
const UNASKED: ReadonlySet<StoreOp['op']> = new Set([
  'mark_read',
  'mark_delivered',
  'follow_thread',
  'mark_notices',
  'set_notices',
])

interface Item {
  readonly connection: Connection
  readonly ref: number
  readonly op: StoreOp
  readonly chars: number
}

/** What one user does in one room. */
interface Chain {
  readonly key: string
  readonly waiting: Item[]
  /** What is being decided now: one change of the room, or commands. Those before `next` are done with. */
  run: readonly Item[]
  next: number
  /** Which of them would be appended. */
  isNew: readonly boolean[]
  /** Lanes in which a command of this run was put off: the store answers GAP to what follows. */
  readonly stuck: Set<string>
  /** The commit up to which it handed something on. */
  ticket: number
}

/** A question that is open, and its deadline. */
export interface Review extends Scheduled {
  readonly kind: 'review'
  readonly id: number
  readonly chain: Chain
}

export interface Reviews {
  /** Takes what a connection asks, on its way to the committer. */
  add: Committer['add']
  /** The turn has ended: asks for the next preview. */
  start(): void
  previewed(outcomes: readonly Outcome[]): void
  previewFailed(): void
  reviewed(id: number, verdict: Verdict): void
  expire(review: Review): void
  /** Refuses what waits, and all that comes; what is being asked is still answered. */
  stop(): void
  isIdle(): boolean
  /** Operations that wait for hooks. */
  waiting(): number
}

export function createReviews(context: Context, committer: Committer): Reviews {
  const { reviews, hookTimeoutMs, own } = context.options
  const isOn = reviews.messages || reviews.actions || own.hasHandlers
  const chains = new Map<string, Chain>()
  /** Those that were made in this turn. */
  let fresh: Chain[] = []
  /** Those whose next commands want a preview. */
  const ready = new Set<Chain>()
  /** Those that wait for the commit of what they handed on, in the order of their tickets. */
  const settling: Chain[] = []
  const open = new Map<number, Review>()
  let previewing: readonly Chain[] = []
  let lastId = 0
  let count = 0
  let waitingChars = 0
  let isStopped = false

  function chainOf({ user, room }: StoreOp): Chain {
    const key = `${user}\n${room}`
    const known = chains.get(key)
    if (known) return known
    const chain: Chain = { key, waiting: [], run: [], next: 0, isNew: [], stuck: new Set(), ticket: 0 }
    chains.set(key, chain)
    fresh.push(chain)
    return chain
  }

  /** Takes up what waits; all before it is committed. */
  function begin(chain: Chain): void {
    const [first] = chain.waiting
    if (!first) chains.delete(chain.key)
    else if (first.op.op === 'command') ready.add(chain)
    else decide(chain, chain.waiting.splice(0, 1), [true])
  }

  function decide(chain: Chain, run: readonly Item[], isNew: readonly boolean[]): void {
    chain.run = run
    chain.isNew = isNew
    chain.next = 0
    chain.stuck.clear()
    goOn(chain)
  }

  /** Hands on what needs no answer, up to the first that does. */
  function goOn(chain: Chain): void {
    for (let item = chain.run[chain.next]; item; item = chain.run[chain.next]) {
      const question = questionOf(item.op)
      const isStuck = item.op.op === 'command' && chain.stuck.has(item.op.sid)
      if (isStopped) refuse(item, 'UNAVAILABLE')
      else if (question && chain.isNew[chain.next] && !isStuck) {
        ask(chain, question.command ? { ...question, session: sessionOf(item.connection) } : question)
        return
      } else handOn(item, question ? unreviewed(item.op) : item.op)
      chain.next++
    }
    chain.run = []
    chain.ticket = committer.added()
    settling.push(chain)
  }

  function ask(chain: Chain, question: Question): void {
    const review: Review = {
      kind: 'review',
      id: ++lastId,
      chain,
      dueAt: Number.POSITIVE_INFINITY,
      place: -1,
    }
    open.set(review.id, review)
    context.schedule.set(review, context.now + hookTimeoutMs)
    context.effects.push({ do: 'review', review: review.id, question })
  }

  function questionOf(op: StoreOp): Question | undefined {
    const { user: userId, room } = op
    switch (op.op) {
      case 'command': {
        // What is forwarded was looked at when it was said.
        if (!op.entry) return undefined
        const type = op.forward ? undefined : commandOf(op.entry.type)
        const command = type && { type, messageId: op.messageId, payload: op.entry.payload }
        if (!(reviews.actions || command)) return undefined
        return { action: 'write', userId, room, command: command || undefined, from: op.forward?.room }
      }
      case 'create':
      case 'join':
        return reviews.actions ? { action: op.op, userId, room } : undefined
      case 'accept':
        return reviews.actions ? { action: 'join', userId, room } : undefined
      case 'update':
      case 'delete':
        return reviews.actions ? { action: op.op, userId, room } : undefined
      case 'invite':
      case 'remove':
      case 'set_role':
      case 'ban':
      case 'mute':
        return reviews.actions ? { action: op.op, userId, room, target: op.target } : undefined
      // Whoever wants to go may; and of oneself one may know how far one has read, and what one follows.
      case 'leave':
      case 'mark_read':
      case 'mark_delivered':
      case 'follow_thread':
      case 'admit':
      case 'mark_notices':
      case 'set_notices':
      case 'notify':
        return undefined
      default:
        return op satisfies never
    }
  }

  /** The command by which the application would be shown what is said; undefined: it wants to see none. */
  function commandOf(entryType: string): string | undefined {
    if (own.isHandled(entryType)) return entryType
    return reviews.messages ? COMMAND_OF_ENTRY[entryType] : undefined
  }

  function handOn(item: Item, op: StoreOp): void {
    leaveGate(item)
    committer.add(item.connection, item.ref, op, item.chars)
    // Where the committer was full, nothing is pending any more.
    pumpReads(context, item.connection)
  }

  function refuse(item: Item, code: Code, more?: Refusal): void {
    leaveGate(item)
    committer.refuse(item.connection, item.ref, item.op, code, more)
    pumpReads(context, item.connection)
  }

  function leaveGate({ connection, op, chars }: Item): void {
    count--
    waitingChars -= chars
    if (isMembership(op)) connection.pendingMemberships--
  }

  function answered({ id, chain }: Review, verdict: Verdict): void {
    open.delete(id)
    const item = chain.run[chain.next++]
    if (!item) throw new Error('an answer belongs to nothing')
    const { op } = item
    if (verdict.ok) handOn(item, op.op === 'command' ? asReviewed(op, verdict) : op)
    else if (op.op === 'command' && CODES[verdict.code].final)
      handOn(item, {
        ...op,
        refusal: verdict.code,
        refusalDetail: verdict.detail,
        refusalCode: verdict.applicationCode,
      })
    else {
      if (op.op === 'command') chain.stuck.add(op.sid)
      refuse(item, verdict.code, verdict)
    }
    goOn(chain)
  }

  /** The chains of the preview with the commands that they put into it. */
  function takePreview(): { readonly chain: Chain; readonly run: readonly Item[] }[] {
    const taken: { readonly chain: Chain; readonly run: readonly Item[] }[] = []
    let size = 0
    for (const chain of ready) {
      if (size >= MAX_PREVIEW_OPS) break
      ready.delete(chain)
      const end = chain.waiting.findIndex(({ op }) => op.op !== 'command')
      const run = chain.waiting.splice(0, Math.min(end < 0 ? chain.waiting.length : end, MAX_RUN_OPS))
      size += run.length
      taken.push({ chain, run })
    }
    return taken
  }

  return {
    add(connection, ref, op, chars) {
      if (!isOn || connection.id === APPLICATION || UNASKED.has(op.op)) {
        committer.add(connection, ref, op, chars)
        return
      }
      const isFull = count >= MAX_WAITING_OPS || waitingChars + chars > context.options.maxQueuedChars
      if ((isFull && count > 0) || isStopped) {
        committer.refuse(connection, ref, op, 'UNAVAILABLE')
        return
      }
      count++
      waitingChars += chars
      if (isMembership(op)) connection.pendingMemberships++
      chainOf(op).waiting.push({ connection, ref, op, chars })
    },

    start() {
      const made = fresh
      fresh = []
      for (const chain of made) begin(chain)
      const done = committer.done()
      for (let chain = settling[0]; chain && chain.ticket <= done; chain = settling[0]) {
        settling.shift()
        begin(chain)
      }
      if (previewing.length > 0 || ready.size === 0) return
      const taken = takePreview()
      for (const { chain, run } of taken) chain.run = run
      previewing = taken.map(({ chain }) => chain)
      const ops = taken.flatMap(({ run }) => run.map(({ op }) => op))
      context.effects.push({ do: 'preview', ops, unixMs: unixMs(context) })
    },

    previewed(outcomes) {
      const previewed = previewing
      previewing = []
      let start = 0
      for (const chain of previewed) {
        const end = start + chain.run.length
        decide(chain, chain.run, outcomes.slice(start, end).map(isAppended))
        start = end
      }
    },

    previewFailed() {
      const previewed = previewing
      previewing = []
      for (const chain of previewed) {
        for (const item of chain.run) refuse(item, 'UNAVAILABLE')
        decide(chain, [], [])
      }
    },

    reviewed(id, verdict) {
      const review = open.get(id)
      if (!review) return // it came too late
      context.schedule.remove(review)
      answered(review, verdict)
    },

    expire(review) {
      context.effects.push({ do: 'review_expired', review: review.id })
      answered(review, { ok: false, code: 'UNAVAILABLE' })
    },

    stop() {
      isStopped = true
      ready.clear()
      for (const { waiting } of chains.values())
        for (const item of waiting.splice(0)) refuse(item, 'UNAVAILABLE')
    },

    isIdle: () => count === 0,
    waiting: () => count,
  }
}

/** No later change of the rooms may let it through. */
function unreviewed(op: StoreOp): StoreOp {
  return op.op === 'command' ? { ...op, isUnreviewed: true } : op
}

/** What is stored is changed; what it is compared with when it comes again, the digest, is not. */
function asReviewed(op: CommandOp, { payload, alert }: Extract<Verdict, { ok: true }>): CommandOp {
  const said = alert ? { ...op, alert } : op
  return payload && said.entry ? { ...said, entry: { ...said.entry, payload } } : said
}

function isAppended(outcome: Outcome): boolean {
  return outcome.outcome === 'acknowledged' && outcome.appended
}
