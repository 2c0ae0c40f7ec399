/**
 * What a chat window shows: history in pages, live messages, and own messages on their way, as one list in the order of
 * the room, keyed by sender and messageId. An own message keeps its key and its item from `queued` to `acknowledged`.
 *
 * An arrival costs the same however long the list is: the list of the snapshot is made when somebody looks at it.
 */
import type { Message } from './message.ts'
import type { Room, RoomPort } from './room.ts'
import type { Sent, SentStatus } from './sent.ts'
import { createStore, type Readable } from './store.ts'

export interface TimelineItem {
  readonly key: string
  readonly sender: string
  readonly messageId: string
  readonly content: string
  readonly metadata: Readonly<Record<string, unknown>> | undefined
  /** Unix milliseconds: the server's once it has its place, this device's before. */
  readonly timestamp: number
  /** Undefined while it has no place yet. */
  readonly seq: number | undefined
  /** Of other people's messages always `acknowledged`. */
  readonly status: SentStatus
  /** The handle of an own message of this client that is undecided or failed. */
  readonly sent: Sent | undefined
}

export interface TimelineSnapshot {
  /** Messages with a place in the order of the room, then own ones on their way. The same object while unchanged. */
  readonly items: readonly TimelineItem[]
  readonly hasOlder: boolean
  readonly isLoading: boolean
  /** The last page that could not be loaded; undefined after one that could. */
  readonly error: Error | undefined
}

export interface TimelineOptions {
  /** Messages a page. Default 50, at most 100. */
  readonly pageSize?: number | undefined
}

export interface Timeline extends Readable<TimelineSnapshot> {
  /** One page of older messages. Never rejects: a failure stands in the snapshot, and the next call tries again. */
  loadOlder(): Promise<void>
  /** Stops listening. The snapshot stays as it is. */
  close(): void
}

/** An own message without a place, as it stands in the list, and how to stop watching it. */
interface PendingItem {
  readonly sent: Sent
  item: TimelineItem
  readonly stop: () => void
}

export function createTimeline(
  room: Room,
  port: RoomPort,
  { pageSize = 50 }: TimelineOptions = {},
): Timeline {
  const store = createStore({
    /** Counts the changes of the list. */
    revision: 0,
    hasOlder: true,
    isLoading: false,
    error: undefined as Error | undefined,
  })
  /** The snapshot that was looked at last, and what it was made of. */
  let snapshot: TimelineSnapshot | undefined
  let madeOf: ReturnType<typeof store.getSnapshot> | undefined
  /** In the order of the room. */
  let placed: TimelineItem[] = []
  /** Own messages without a place, by messageId. */
  const pending = new Map<string, PendingItem>()
  let oldestSeq: number | undefined
  let loading: Promise<void> | undefined
  /** Counts the times that everything shown became void: an answer from before is not of this list. */
  let generation = 0
  /** Whether a page was asked for since then. */
  let isBegun = false
  /** Whether what is shown goes on into the live messages: from the first page read while following, until it pauses. */
  let isJoined = false

  /** By sender and messageId. The own id is left out: a message may be written before it is known who we are. */
  function keyOf(sender: string, messageId: string): string {
    return `${sender === port.userId() ? '' : sender} ${messageId}`
  }

  function publish(): void {
    store.update({ revision: store.getSnapshot().revision + 1 })
  }

  function look(): TimelineSnapshot {
    const state = store.getSnapshot()
    if (snapshot && state === madeOf) return snapshot
    const { hasOlder, isLoading, error, revision } = state
    const items = snapshot && revision === madeOf?.revision ? snapshot.items : list()
    madeOf = state
    snapshot = { items, hasOlder, isLoading, error }
    return snapshot
  }

  function list(): TimelineItem[] {
    const own = port.userId() ?? ''
    const onTheirWay = Array.from(pending.values(), (entry) => {
      // Written before it was known who we are.
      if (entry.item.sender !== own) entry.item = itemOfSent(entry.sent)
      return entry.item
    })
    // What a former load left comes to light after what this one has said.
    onTheirWay.sort((a, b) => a.timestamp - b.timestamp)
    return placed.concat(onTheirWay)
  }

  function itemOfSent(sent: Sent): TimelineItem {
    const { messageId, content, metadata, createdAt, status, acknowledgement } = sent
    const sender = port.userId() ?? ''
    const { seq, timestamp } = acknowledgement ?? { seq: undefined, timestamp: createdAt }
    const key = keyOf(sender, messageId)
    return { key, sender, messageId, content, metadata, timestamp, seq, status, sent: seq ? undefined : sent }
  }

  function itemOfMessage(message: Message): TimelineItem {
    const { sender, messageId, content, metadata, timestamp, seq } = message
    const key = keyOf(sender, messageId)
    return {
      key,
      sender,
      messageId,
      content,
      metadata,
      timestamp,
      seq,
      status: 'acknowledged',
      sent: undefined,
    }
  }

  /** How many stand before this position. */
  function countBefore(seq: number): number {
    let low = 0
    let high = placed.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((placed[middle]?.seq ?? 0) < seq) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Puts it at its place, unless it is there. Nearly always that is the end. */
  function place(item: TimelineItem): void {
    const seq = item.seq ?? 0
    const index = (placed.at(-1)?.seq ?? 0) < seq ? placed.length : countBefore(seq)
    if (placed[index]?.seq !== seq) placed.splice(index, 0, item)
  }

  /** An older page: nearly always all of it stands before everything else. */
  function placePage(messages: readonly Message[]): void {
    // After a reload the outbox may hold what has its place and whose acknowledgement was lost.
    for (const { sender, messageId } of messages) if (sender === port.userId()) forget(messageId)
    const page = messages.map(itemOfMessage)
    const first = placed[0]?.seq ?? Number.POSITIVE_INFINITY
    if ((page.at(-1)?.seq ?? 0) < first) placed = page.concat(placed)
    else for (const item of page) place(item)
  }

  function forget(messageId: string): boolean {
    pending.get(messageId)?.stop()
    return pending.delete(messageId)
  }

  function watch(sent: Sent): void {
    const key = keyOf(port.userId() ?? '', sent.messageId)
    if (placed.some((item) => item.key === key)) return
    const entry: PendingItem = {
      sent,
      item: itemOfSent(sent),
      stop: sent.subscribe(() => {
        entry.item = itemOfSent(sent)
        if (sent.acknowledgement) {
          forget(sent.messageId)
          place(entry.item)
        }
        publish()
      }),
    }
    pending.set(sent.messageId, entry)
  }

  function arrive(message: Message): void {
    if (message.sender === port.userId()) forget(message.messageId)
    place(itemOfMessage(message))
    publish()
  }

  async function loadPage(): Promise<void> {
    const mine = generation
    isBegun = true
    store.update({ isLoading: true })
    try {
      const page = await room.history({ before: oldestSeq, limit: pageSize })
      if (mine !== generation) return
      oldestSeq = page.oldestSeq ?? oldestSeq
      placePage(page.messages)
      publish()
      store.update({ hasOlder: page.hasOlder, error: undefined })
    } catch (error) {
      if (mine === generation) store.update({ error: error as Error })
    } finally {
      if (mine === generation) {
        store.update({ isLoading: false })
        loading = undefined
      }
    }
  }

  function loadOlder(): Promise<void> {
    if (!store.getSnapshot().hasOlder) return Promise.resolve()
    loading ??= loadPage()
    return loading
  }

  /** What is shown has a hole, or is of another log: begin anew with the newest page. */
  function restart(): void {
    generation++
    placed = []
    oldestSeq = undefined
    loading = undefined
    isBegun = false
    store.update({ hasOlder: true, isLoading: false })
    publish()
    void loadOlder()
  }

  /** Read after following began, the newest page joins the live messages without a hole; one from before does not. */
  function onPhase(): void {
    const { phase } = room.getSnapshot()
    if (phase === 'idle' || phase === 'refused') isJoined = false
    if (phase !== 'live') return
    const isOld = isBegun && !isJoined
    isJoined = true
    if (isOld) restart()
    else if (oldestSeq === undefined) void loadOlder()
  }

  const stops = [
    room.on('message', arrive),
    room.on('sending', (sent) => {
      watch(sent)
      publish()
    }),
    room.on('gap', restart),
    room.on('reset', restart),
    room.on('phase', onPhase),
    port.onDiscard((sent) => {
      if (forget(sent.messageId)) publish()
    }),
  ]
  for (const sent of port.outbox(room.id)) watch(sent)
  publish()
  onPhase()

  return {
    getSnapshot: look,
    subscribe: (listener) => store.subscribe(listener),
    loadOlder,
    close() {
      for (const stop of stops) stop()
      for (const { stop } of pending.values()) stop()
    },
  }
}
