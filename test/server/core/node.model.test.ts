// A node against a model of rooms: the naive store beside it, what was asked of it and is not answered, and what each
// follower has seen. Whatever is asked and whatever happens in between, acks and entries are those of the model, nothing
// is told before its commit, nobody is told what they may not read, and in the end the node holds nothing.

import { type Code, DEFAULT_LIMITS, type Entry, nextFingerprint, type PayloadOf } from '@tautline/protocol'
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { DEFAULT_NODE_OPTIONS } from '../../../packages/server/src/core/options.ts'
import type { Outcome, StoreOp } from '../../../packages/server/src/core/store.ts'
import { NaiveStore } from '../stores/naive-store.ts'
import { type Bench, createBench, EPOCH } from './bench.ts'

const OPTIONS = {
  limits: { ...DEFAULT_LIMITS, maxMessageChars: 20, messagesPerSecond: 10_000, messageBurst: 10_000 },
  usage: {},
}
const USERS = ['alice', 'bob', 'carol']
const ROOMS = ['general', 'random']
const HEARTBEAT_MS = DEFAULT_NODE_OPTIONS.heartbeatTimeoutMs

interface Peer {
  readonly id: number
  readonly user: string
  readonly sid: string
  state: 'verifying' | 'ready' | 'closed'
  nextRef: number
  /** What the commit at hand made of what was asked under these refs: to be told now, and nothing else. */
  readonly due: Map<number, Outcome>
  /** The rooms that were asked for, by ref, and not answered. */
  readonly asked: Map<number, Subscribe>
  /** How far it has seen each room that it follows. */
  readonly follows: Map<string, { seq: number; h: string }>
}

interface Subscribe {
  readonly room: string
  /** Of the room, when it was asked for. */
  readonly head: number
  /** The fingerprint that was named is no one's. */
  readonly isDiverged: boolean
}

interface Asked {
  readonly peer: Peer
  readonly ref: number
  readonly op: StoreOp
}

interface Item {
  readonly type: 'send_message' | 'skip'
  readonly messageId: string
  readonly content: string
}

const RUNS = ['next', 'next', 'next', 'again', 'gap', 'old id', 'skip', 'too long'] as const

class World {
  readonly naive = new NaiveStore()
  readonly peers: Peer[] = []
  readonly bench: Bench
  readonly seen = new Set<string>()
  queue: Asked[] = []
  running: Asked[] = []
  isDraining = false
  /** What was said in each lane, by user, lane id and room. */
  readonly lanes = new Map<string, Item[]>()
  items = 0

  constructor(bench: Bench) {
    this.bench = bench
    for (const kind of ['verify', 'commit', 'read'] as const) bench.hold(kind)
  }

  // ── What happens ────────────────────────────────────────────────────────────────────────────────────────────────

  open(user: string, sid: string): void {
    const id = this.peers.length + 1
    const peer: Peer = {
      id,
      user,
      sid,
      state: 'verifying',
      nextRef: 2,
      due: new Map(),
      asked: new Map(),
      follows: new Map(),
    }
    this.peers.push(peer)
    this.bench.open(id)
    if (this.isDraining) return this.closed('RESTART', [peer])
    this.bench.say(id, { type: 'authenticate', payload: { ref: 1, sid, token: user } })
    this.hear()
  }

  verify(isValid: boolean): void {
    if (!this.has('verify')) return
    const { connection } = this.bench.takeWork('verify')
    const peer = this.peers[connection - 1]!
    const isGone = peer.state === 'closed'
    const older = this.peers.filter(
      ({ state, user, sid }) => state === 'ready' && user === peer.user && sid === peer.sid,
    )
    const verification = isValid
      ? ({ ok: true, userId: peer.user, expiresAt: undefined, tokenId: tokenOf(peer) } as const)
      : ({ ok: false, code: 'INVALID_TOKEN' } as const)
    this.bench.step({ type: 'verified', connection, verification })
    if (isGone) return this.hear()
    if (!isValid) return this.closed('INVALID_TOKEN', [peer])
    this.closed('REPLACED', older)
    expect(peer.state).toBe('ready')
  }

  change(peer: Peer, type: 'join_room' | 'leave_room', room: string): void {
    const ref = peer.nextRef++
    const ids = { messageId: `the server's`, noticeId: `the server's` }
    const op = { user: peer.user, room, ...ids }
    this.ask([
      { peer, ref, op: type === 'join_room' ? { op: 'join', ...op, create: true } : { op: 'leave', ...op } },
    ])
    this.bench.say(peer.id, { type, payload: { ref, room } })
    this.hear()
  }

  send(peer: Peer, room: string, count: number, run: (typeof RUNS)[number]): void {
    const sid = `lane-of-${peer.user}`
    const key = `${peer.user} ${sid} ${room}`
    const said = this.lanes.get(key) ?? []
    this.lanes.set(key, said)
    const [n, items] = this.itemsOf(peer.user, sid, room, said, count, run)
    if (items.length === 0) return
    const ref = peer.nextRef
    peer.nextRef += items.length
    this.ask(
      items.map((item, i) => ({
        peer,
        ref: ref + i,
        op: {
          op: 'command',
          user: peer.user,
          room,
          sid,
          n: n + i,
          messageId: item.messageId,
          digest: item.content,
          entry:
            item.type === 'skip' || isTooLong(item)
              ? undefined
              : { type: 'new_message', payload: { content: item.content } },
          refusal: item.type !== 'skip' && isTooLong(item) ? 'MESSAGE_TOO_LONG' : undefined,
        },
      })),
    )
    const commands = items.map(({ type, messageId, content }) =>
      type === 'skip' ? { type, messageId } : { type, messageId, payload: { content } },
    )
    this.bench.say(peer.id, { type: 'commands', payload: { ref, room, sid, n, commands } })
    this.hear()
  }

  /** Where the run begins in its lane, and what is in it. */
  private itemsOf(
    user: string,
    sid: string,
    room: string,
    said: Item[],
    count: number,
    run: (typeof RUNS)[number],
  ): [number, Item[]] {
    const next = said.length + 1
    const fresh = (change: Partial<Item> = {}): Item => {
      this.items++
      return { type: 'send_message', messageId: `message-${this.items}`, content: `${this.items}`, ...change }
    }
    if (run === 'again') {
      const from = Math.max(0, Math.min(said.length, this.naive.lastN(user, sid, room)) - 1)
      return [from + 1, said.slice(from, from + 1 + count)]
    }
    if (run === 'gap') return [next + 1, [fresh()]]
    const old = Array.from(this.lanes.entries()).flatMap(([lane, all]) =>
      lane.startsWith(`${user} `) ? all : [],
    )[0]
    const changes: Record<Exclude<typeof run, 'again' | 'gap'>, Partial<Item>> = {
      next: {},
      'old id': old ? { messageId: old.messageId } : {},
      skip: { type: 'skip' },
      'too long': { content: 'x'.repeat(21) },
    }
    const items = Array.from({ length: run === 'next' ? count : 1 }, () => fresh(changes[run]))
    said.push(...items)
    return [next, items]
  }

  subscribe(peer: Peer, room: string, isResumed: boolean): void {
    if (peer.follows.has(room) || Array.from(peer.asked.values()).some((asked) => asked.room === room)) return
    const ref = peer.nextRef++
    const log = this.naive.log(room)
    const seq = isResumed ? Math.floor(log.length / 2) : 0
    const h = seq === 0 ? '' : (this.hashes.get(`${room} ${seq}`) ?? 'another0')
    peer.asked.set(ref, { room, head: log.length, isDiverged: h === 'another0' })
    const rooms = isResumed ? [{ room, after: { seq, h } }] : [{ room }]
    this.bench.say(peer.id, { type: 'subscribe', payload: { ref, epoch: EPOCH, rooms } })
    this.hear()
  }

  unsubscribe(peer: Peer, room: string): void {
    if (!peer.follows.has(room)) return
    peer.follows.delete(room)
    const ref = peer.nextRef++
    this.bench.say(peer.id, { type: 'unsubscribe', payload: { ref, rooms: [room] } })
    this.hear()
  }

  async read(): Promise<void> {
    if (!this.has('read')) return
    await this.bench.perform(this.bench.takeWork('read'))
    this.hear()
  }

  endTurn(): void {
    if (this.running.length === 0) {
      this.running = this.queue
      this.queue = []
    }
    this.bench.step({ type: 'turn_ended' })
    const commits = this.bench.heldWork().flatMap((work) => (work.do === 'commit' ? [work.ops] : []))
    expect(commits.flat().map(keyOf)).toEqual(this.running.map(({ op }) => keyOf(op)))
    this.hear()
  }

  /** `unknown`: it took effect, and nobody knows. */
  async commit(how: 'done' | 'failed' | 'unknown'): Promise<void> {
    if (!this.has('commit')) return
    const work = this.bench.takeWork('commit')
    const asked = this.running
    this.running = []
    for (const { peer, ref, op } of asked) {
      const outcome = how === 'failed' ? undefined : this.naive.run(op, work.unixMs)
      if (peer.state === 'closed') continue
      if (how === 'done') this.seen.add(outcome?.outcome === 'failed' ? outcome.code : outcome!.outcome)
      peer.due.set(ref, how === 'done' ? outcome! : { outcome: 'failed', code: 'UNAVAILABLE' })
    }
    if (how === 'done') await this.bench.perform(work)
    else {
      if (how === 'unknown') await this.bench.store.commit(work.ops, work.unixMs)
      this.bench.step({ type: 'commit_failed' })
    }
    this.hear()
    if (this.isDraining) this.drained()
  }

  close(peer: Peer): void {
    this.bench.step({ type: 'closed', connection: peer.id })
    this.end(peer)
    this.hear()
  }

  wait(ms: number, isAnswered: boolean): void {
    for (let left = ms; left > 0; left -= 1_000) {
      for (const { id, state } of this.peers)
        if (isAnswered && state === 'ready') this.bench.step({ type: 'ponged', connection: id })
      this.bench.advance(Math.min(left, 1_000))
    }
    this.hear()
    // Who is silent for too long is given up; who never says who they are, sooner.
    for (const peer of this.peers) {
      const code = this.bench.closes.get(peer.id)
      if (peer.state === 'closed' || code === undefined) continue
      expect(code).toBe(peer.state === 'ready' ? 'IDLE' : 'HELLO_TIMEOUT')
      expect(peer.state === 'ready' && (isAnswered || ms < HEARTBEAT_MS / 2)).toBe(false)
      this.end(peer)
    }
  }

  revoke(peer: Peer): void {
    const isReady = peer.state === 'ready'
    this.bench.step({ type: 'revoked', tokenId: tokenOf(peer), untilUnixMs: Number.MAX_SAFE_INTEGER })
    // Who is not known yet is closed when it comes out whose token it is.
    if (isReady) this.closed('INVALID_TOKEN', [peer])
  }

  drain(): void {
    this.isDraining = true
    this.bench.step({ type: 'drain' })
    this.drained()
  }

  /** The last commit was told: everybody goes. */
  private drained(): void {
    this.hear()
    if (this.queue.length + this.running.length > 0) return
    this.closed(
      'RESTART',
      this.peers.filter(({ state }) => state !== 'closed'),
    )
  }

  // ── What is told ────────────────────────────────────────────────────────────────────────────────────────────────

  /** By "room seq": as the server told it. */
  readonly hashes = new Map<string, string>()

  private has(kind: 'verify' | 'commit' | 'mark_seen' | 'read'): boolean {
    return this.bench.heldWork().some((work) => work.do === kind)
  }

  private ask(asked: readonly Asked[]): void {
    if (!this.isDraining) return void this.queue.push(...asked)
    for (const { peer, ref } of asked) peer.due.set(ref, { outcome: 'failed', code: 'UNAVAILABLE' })
  }

  private end(peer: Peer): void {
    peer.state = 'closed'
    peer.due.clear()
    peer.asked.clear()
    peer.follows.clear()
  }

  /** The node closes these, and says why. */
  private closed(code: Code, peers: readonly Peer[]): void {
    this.hear()
    for (const peer of peers) {
      expect(this.bench.closes.get(peer.id), `${peer.id} is closed`).toMatch(code)
      this.end(peer)
    }
    for (const { id, state } of this.peers)
      expect(this.bench.closes.has(id) && state !== 'closed', `${id} is not closed`).toBe(false)
  }

  /** All that the node said since the last time is what it had to say. */
  private hear(): void {
    for (const peer of this.peers) {
      for (const message of this.bench.heard(peer.id)) {
        expect(peer.state, 'nobody speaks to who is gone').not.toBe('closed')
        if (message.type === 'connected') peer.state = 'ready'
        else if (message.type === 'ack') this.onAck(peer, message.payload, message.timestamp)
        else if (message.type === 'error') this.onError(peer, message.payload)
        else if (message.type === 'page') this.onPage(peer, message.payload)
        else if (message.type === 'reset') this.onReset(peer, message.payload)
        else if (message.type === 'entries') this.onEntries(peer, message.payload)
        else if (message.type === 'room_joined') {
          const { ref, role } = message.payload
          expect(this.take(peer, ref)).toEqual({ outcome: 'joined', role })
        } else if (message.type === 'room_left') this.onLeft(peer, message.payload)
      }
      expect(Array.from(peer.due.keys()), 'what was committed is told').toEqual([])
    }
  }

  private take(peer: Peer, ref: number): Outcome {
    const due = peer.due.get(ref)
    if (!due || !peer.due.delete(ref)) throw new Error(`${ref} of ${peer.id} is answered out of time`)
    return due
  }

  private onAck(peer: Peer, { acks }: PayloadOf<'ack'>, at: number | undefined): void {
    for (const { ref, seq, count = 1, timestamp = at } of acks)
      for (let i = 0; i < count; i++)
        expect(this.take(peer, ref + i)).toMatchObject({ outcome: 'acknowledged', seq: seq + i, timestamp })
  }

  private onError(peer: Peer, { ref = 0, code, count = 1 }: PayloadOf<'error'>): void {
    const asked = peer.asked.get(ref)
    if (asked) {
      peer.asked.delete(ref)
      expect([code, this.naive.mayRead(asked.room, peer.user)]).toEqual(['FORBIDDEN', false])
      return
    }
    for (let i = 0; i < count; i++) expect(this.take(peer, ref + i)).toEqual({ outcome: 'failed', code })
  }

  private onPage(peer: Peer, { ref, room, after, entries, h, head, live }: PayloadOf<'page'>): void {
    const asked = peer.asked.get(ref)
    peer.asked.delete(ref)
    expect([room, head]).toEqual([asked?.room, this.naive.log(room).length])
    expect(asked?.isDiverged).toBe(false)
    // Only who was put out meanwhile, and came back, does not follow what they may read.
    if (!live) expect(this.leftAt(room, peer.user)).toBeGreaterThan(asked?.head ?? 0)
    peer.follows.set(room, { ...after })
    this.apply(peer, room, entries, h)
    expect(peer.follows.get(room)?.seq).toBe(head)
    if (!live) peer.follows.delete(room)
  }

  private onReset(peer: Peer, { ref, room, reason }: PayloadOf<'reset'>): void {
    const asked = peer.asked.get(ref)
    peer.asked.delete(ref)
    expect([room, reason, true]).toEqual([asked?.room, 'diverged', asked?.isDiverged])
  }

  private onEntries(peer: Peer, { room, entries, h }: PayloadOf<'entries'>): void {
    expect(Array.from(peer.follows.keys()), 'only who follows is told').toContain(room)
    this.apply(peer, room, entries, h)
  }

  private apply(peer: Peer, room: string, entries: readonly Entry[], h: string): void {
    const cursor = peer.follows.get(room)!
    const log = this.naive.log(room)
    const end = this.naive.isMember(room, peer.user) ? Number.POSITIVE_INFINITY : this.leftAt(room, peer.user)
    for (const { seq, type, sender, messageId, payload, timestamp } of entries) {
      expect(seq, 'each once, in order').toBe(cursor.seq + 1)
      expect(seq, `${peer.user} may read it`).toBeLessThan(end)
      const line = log[seq - 1]
      expect({ type, sender, payload, timestamp }).toEqual({
        type: line?.type,
        sender: line?.sender,
        payload: line?.payload,
        timestamp: line?.timestamp,
      })
      if (type === 'new_message') expect(messageId).toBe(line?.messageId)
      cursor.seq = seq
      cursor.h = nextFingerprint(cursor.h, sender, messageId)
      this.hashes.set(`${room} ${seq}`, cursor.h)
    }
    expect(cursor.h).toBe(h)
  }

  private leftAt(room: string, user: string): number {
    const lines = this.naive.log(room).filter(({ type }) => type === 'member_left')
    return lines.findLast(({ payload }) => Object(payload).userId === user)?.seq ?? 0
  }

  private onLeft(peer: Peer, { ref, room }: PayloadOf<'room_left'>): void {
    if (ref !== undefined) expect(this.take(peer, ref)).toEqual({ outcome: 'left' })
    peer.follows.delete(room)
  }

  // ── The end ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** What a commit wrote that nobody heard of is found with the next entry. */
  private comeLast(): void {
    this.open('dave', 'device-1')
    this.verify(true)
    for (const room of ROOMS) this.change(this.peers.at(-1)!, 'join_room', room)
  }

  async finish(): Promise<void> {
    while (this.has('verify')) this.verify(true)
    if (!this.isDraining) this.comeLast()
    this.endTurn()
    for (let rounds = 0; this.bench.heldWork().length > 0; rounds++) {
      expect(rounds, 'it comes to an end').toBeLessThan(1_000)
      await this.commit('done')
      this.endTurn()
      await this.read()
      if (this.has('mark_seen')) await this.bench.perform(this.bench.takeWork('mark_seen'))
    }
    for (const { id, user, asked, follows, state } of this.peers) {
      if (state === 'closed') continue
      expect(asked.size, 'everything is answered').toBe(0)
      expect(new Set(this.bench.node.roomsOf(id))).toEqual(new Set(follows.keys()))
      for (const [room, { seq }] of follows) {
        expect(this.naive.isMember(room, user), `${user} may follow ${room}`).toBe(true)
        expect(seq, `${id} has seen all of ${room}`).toBe(this.naive.log(room).length)
      }
    }
    for (const peer of this.peers) if (peer.state !== 'closed') this.close(peer)
    this.bench.advance(DEFAULT_NODE_OPTIONS.presenceGraceMs)
    expect(this.bench.node.figures()).toEqual({ connections: 0, sessions: 0, rooms: 0, queuedOps: 0 })
  }
}

const tokenOf = ({ id }: Peer): string => `token-${id}`
const isTooLong = ({ content }: Item): boolean => content.length > OPTIONS.limits.maxMessageChars

function keyOf(op: StoreOp): string {
  const lane = op.op === 'command' ? [op.sid, op.n, op.messageId] : []
  return [op.op, op.user, op.room, ...lane].join(' ')
}

type Step = fc.AsyncCommand<World, World>

function step(words: string, act: (world: World) => void | Promise<void>): Step {
  return { check: () => true, run: (world) => Promise.resolve(act(world)), toString: () => words }
}

/** For one of those that are connected, whichever there are then. */
function stepOf(words: string, which: number, act: (world: World, peer: Peer) => void): Step {
  return step(`${words}, by ${which}`, (world) => {
    const ready = world.peers.filter(({ state }) => state === 'ready')
    const peer = ready[which % Math.max(1, ready.length)]
    if (peer) act(world, peer)
  })
}

const user = fc.constantFrom(...USERS)
const room = fc.constantFrom(...ROOMS)
const which = fc.nat(5)

const connect = fc.tuple(user, fc.constantFrom('device-1', 'device-2', 'device-3')).map(([name, sid]) =>
  step(`${name} connects as ${sid}`, (world) => {
    world.open(name, sid)
    world.verify(true)
  }),
)
const knock = user.map((name) => step(`${name} comes`, (world) => world.open(name, 'device-1')))
const verify = fc.boolean().map((is) => step(`a token is valid: ${is}`, (world) => world.verify(is)))
const join = fc
  .tuple(which, room)
  .map(([of, id]) => stepOf(`join ${id}`, of, (world, peer) => world.change(peer, 'join_room', id)))
const leave = fc
  .tuple(which, room)
  .map(([of, id]) => stepOf(`leave ${id}`, of, (world, peer) => world.change(peer, 'leave_room', id)))
const send = fc
  .tuple(which, room, fc.integer({ min: 1, max: 3 }), fc.constantFrom(...RUNS))
  .map(([of, id, count, run]) =>
    stepOf(`${run} of ${count} in ${id}`, of, (world, peer) => world.send(peer, id, count, run)),
  )
const follow = fc
  .tuple(which, room, fc.boolean())
  .map(([of, id, is]) =>
    stepOf(`follow ${id}${is ? ' from the middle' : ''}`, of, (world, peer) => world.subscribe(peer, id, is)),
  )
const unfollow = fc
  .tuple(which, room)
  .map(([of, id]) => stepOf(`unfollow ${id}`, of, (world, peer) => world.unsubscribe(peer, id)))
const turn = fc.constant(step('a turn ends', (world) => world.endTurn()))
const commit = fc.constantFrom('done', 'done', 'done', 'failed', 'unknown').map((how) =>
  step(`a turn ends, and its commit is ${how}`, (world) => {
    world.endTurn()
    return world.commit(how)
  }),
)
const read = fc.constant(step('a read is done', (world) => world.read()))
const close = which.map((of) => stepOf('close', of, (world, peer) => world.close(peer)))
const revoke = which.map((of) => stepOf('revoke', of, (world, peer) => world.revoke(peer)))
const wait = fc
  .constantFrom(
    [500, true] as const,
    [20_000, true] as const,
    [70_000, true] as const,
    [70_000, false] as const,
  )
  .map(([ms, is]) => step(`${ms} ms pass, ${is ? 'answered' : 'silent'}`, (world) => world.wait(ms, is)))
const drain = fc.constant(step('drain', (world) => world.drain()))

const often = [connect, join, join, send, send, send, send, follow, follow, turn, commit, commit, read, read]
const seldom = [knock, verify, leave, unfollow, close, revoke, wait]

it('tells each of what was asked what the model of it says, and holds nothing in the end', async () => {
  const seen = new Set<string>()
  const steps = [...often, ...often, ...often, ...often, ...often, ...seldom, drain]
  await fc.assert(
    fc.asyncProperty(fc.commands(steps, { maxCommands: 80, size: 'max' }), async (commands) => {
      const world = new World(await createBench(OPTIONS))
      await fc.asyncModelRun(() => ({ model: world, real: world }), commands)
      await world.finish()
      for (const outcome of world.seen) seen.add(outcome)
    }),
    { seed: 20_260_714, numRuns: 200 },
  )
  const failures = ['GAP', 'VOID', 'SKIPPED', 'FORBIDDEN', 'MESSAGE_TOO_LONG', 'ID_CONFLICT']
  expect(seen).toEqual(new Set(['acknowledged', 'joined', 'left', ...failures]))
})
