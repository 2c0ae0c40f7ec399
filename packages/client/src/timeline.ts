/**
 * What a chat window shows: history in pages, live messages, and own messages on their way, as one list in the order of
 * the room, keyed by sender and messageId. An own message keeps its key and its item from `queued` to `acknowledged`.
 *
 * An arrival costs the same however long the list is: the list of the snapshot is made when somebody looks at it.
 */

import {
  changedBy,
  type Entry,
  type FoldedMessage,
  foldedMessage,
  foldMessage,
  type MessageBody,
  type MessageKind,
} from '@tautline/protocol/wire'
import { NEVER } from './core/alarms.ts'
import { type History, history } from './history.ts'
import type { Room } from './room.ts'
import type { Sent, SentStatus } from './sent.ts'
import { createStore, type Readable } from './store.ts'
import { isChange, isOver, targetOf, withChange } from './timeline-changes.ts'

export interface TimelineItem {
  readonly key: string
  readonly sender: string
  readonly messageId: string
  /** `text`, `image` …; `deleted`: its content was deleted, and its place is left. */
  readonly kind: MessageKind
  readonly content: string
  readonly metadata: Readonly<Record<string, unknown>> | undefined
  /** All that it says, and what came of it: `editedAt`, `version`, `reactions`, `replyCount`, `lastReply`. */
  readonly body: MessageBody
  /** Own edits, deletions and reactions that it shows already and that are on their way. */
  readonly changes: readonly Sent[]
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

/** A message with its place, as the log makes it, and as it is shown. */
interface Placed {
  readonly folded: FoldedMessage
  readonly item: TimelineItem
}

/** An own change on its way. */
interface PendingChange {
  readonly sent: Sent
  /** Of the message that it changes. */
  readonly key: string
  readonly stop: () => void
}

/** History, live and own messages on their way as one list, until it is closed. It does not follow the room by itself. */
export function timeline(room: Room, { pageSize = 50 }: TimelineOptions = {}): Timeline {
  const { client } = room
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
  let placed: Placed[] = []
  /** Own messages without a place, by messageId. */
  const pending = new Map<string, PendingItem>()
  /** By messageId, in the order of asking. */
  const changes = new Map<string, PendingChange>()
  /** What came live while a page was on its way, which may be of a time before. */
  let early: Entry[] = []
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
    return `${sender === client.userId ? '' : sender} ${messageId}`
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
    const own = client.userId ?? ''
    const onTheirWay = Array.from(pending.values(), (entry) => {
      // Written before it was known who we are.
      if (entry.item.sender !== own) entry.item = itemOfSent(entry.sent)
      return entry.item
    })
    // What a former load left comes to light after what this one has said.
    onTheirWay.sort((a, b) => a.timestamp - b.timestamp)
    return placed.map(({ item }) => item).concat(onTheirWay)
  }

  function foldedOfSent({ messageId, payload, acknowledgement, createdAt }: Sent): FoldedMessage {
    const { seq, timestamp } = acknowledgement ?? { seq: 0, timestamp: createdAt }
    return { seq, sender: client.userId ?? '', messageId, timestamp, body: payload as MessageBody, at: seq }
  }

  function itemOfSent(sent: Sent): TimelineItem {
    const { seq, status } = { seq: sent.acknowledgement?.seq, status: sent.status }
    return { ...itemOf(foldedOfSent(sent)), seq, status, sent: seq ? undefined : sent }
  }

  /** With our changes of it that it does not have from the log. */
  function itemOf(folded: FoldedMessage): TimelineItem {
    const key = keyOf(folded.sender, folded.messageId)
    const own = Array.from(changes.values()).filter((change) => change.key === key)
    const shown = own.map(({ sent }) => sent).filter((sent) => !isOver(sent, folded))
    for (const { sent } of own) if (sent.acknowledgement && !shown.includes(sent)) forgetChange(sent)
    const as = shown.reduce((message, sent) => withChange(message, sent, client.userId ?? ''), folded)
    const { sender, messageId, timestamp, seq, body } = as
    return {
      key,
      sender,
      messageId,
      kind: body.kind ?? 'text',
      content: body.content,
      metadata: body.kind === 'deleted' ? undefined : body.metadata,
      body,
      changes: shown,
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
      if ((placed[middle]?.folded.seq ?? 0) < seq) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Puts it at its place, nearly always the end. What stands there and knows as much stays, unless it is of the outbox. */
  function place(folded: FoldedMessage, isOfLog = true): void {
    const { seq, at } = folded
    const index = (placed.at(-1)?.folded.seq ?? 0) < seq ? placed.length : countBefore(seq)
    const known = placed[index]?.folded
    const entry = { folded, item: itemOf(folded) }
    if (known?.seq !== seq) placed.splice(index, 0, entry)
    else if (isOfLog && known.at <= at) placed[index] = entry
  }

  /** An older page: nearly always all of it stands before everything else. */
  function placePage(messages: readonly FoldedMessage[]): void {
    // After a reload the outbox may hold what has its place and whose acknowledgement was lost.
    for (const { sender, messageId } of messages) if (sender === client.userId) forget(messageId)
    const page = messages.map((message) =>
      early.reduce((folded, entry) => foldMessage(folded, entry, client.userId), message),
    )
    const first = placed[0]?.folded.seq ?? NEVER
    if ((page.at(-1)?.seq ?? 0) < first)
      placed = page.map((folded) => ({ folded, item: itemOf(folded) })).concat(placed)
    else for (const folded of page) place(folded)
  }

  function forget(messageId: string): boolean {
    pending.get(messageId)?.stop()
    return pending.delete(messageId)
  }

  function forgetChange({ messageId }: Sent): boolean {
    changes.get(messageId)?.stop()
    return changes.delete(messageId)
  }

  function watch(sent: Sent): void {
    if (isChange(sent)) return watchChange(sent)
    // What a forward says is known only when it is said: the server copies it. The rest are no messages.
    if (sent.type !== 'send_message') return
    const key = keyOf(client.userId ?? '', sent.messageId)
    if (placed.some(({ item }) => item.key === key)) return
    const entry: PendingItem = {
      sent,
      item: itemOfSent(sent),
      stop: sent.subscribe(() => {
        entry.item = itemOfSent(sent)
        if (sent.acknowledgement) {
          forget(sent.messageId)
          place(foldedOfSent(sent), false)
        }
        publish()
      }),
    }
    pending.set(sent.messageId, entry)
  }

  function watchChange(sent: Sent): void {
    if (sent.status === 'failed') return
    const { sender, messageId } = targetOf(sent)
    const key = keyOf(sender, messageId)
    const stop = sent.subscribe(() => {
      if (sent.status === 'failed') forgetChange(sent)
      show(key)
    })
    changes.set(sent.messageId, { sent, key, stop })
    show(key)
  }

  /** Shows the message of this key anew, where it is here. */
  function show(key: string): void {
    const index = placed.findIndex(({ item }) => item.key === key)
    const known = placed[index]
    if (known) placed[index] = { folded: known.folded, item: itemOf(known.folded) }
    for (const entry of pending.values()) if (entry.item.key === key) entry.item = itemOfSent(entry.sent)
    publish()
  }

  function arrive(entry: Entry): void {
    if (loading) early.push(entry)
    const folded = foldedMessage(entry)
    if (folded) {
      if (folded.sender === client.userId) forget(folded.messageId)
      place(folded)
    }
    const target = changedBy(entry)
    const index = target === undefined ? -1 : countBefore(target)
    const known = placed[index]?.folded
    if (known?.seq === target && known) {
      const changed = foldMessage(known, entry, client.userId)
      if (changed !== known) placed[index] = { folded: changed, item: itemOf(changed) }
    } else if (!folded) return
    publish()
  }

  async function loadPage(): Promise<void> {
    const mine = generation
    isBegun = true
    store.update({ isLoading: true })
    try {
      let page: History
      let isProgress: boolean
      // Where there is nothing but what is folded in, one goes on: nobody would see such a page.
      do {
        page = await history(room, { before: oldestSeq, limit: pageSize })
        if (mine !== generation) return
        const { at, oldestSeq: from = NEVER } = page
        isProgress = from < (oldestSeq ?? NEVER)
        if (isProgress) oldestSeq = from
        placePage(page.messages.map((message) => ({ ...message, at })))
      } while (page.hasOlder && page.messages.length === 0 && isProgress)
      publish()
      store.update({ hasOlder: page.hasOlder, error: undefined })
    } catch (error) {
      if (mine === generation) store.update({ error: error as Error })
    } finally {
      if (mine === generation) {
        store.update({ isLoading: false })
        loading = undefined
        early = []
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
    early = []
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
    room.on('entry', arrive),
    room.on('sending', (sent) => {
      watch(sent)
      publish()
    }),
    room.on('gap', restart),
    room.on('reset', restart),
    room.on('phase', onPhase),
    client.on('discarded', (sent) => {
      if (forget(sent.messageId)) publish()
      if (forgetChange(sent)) show(keyOf(targetOf(sent).sender, targetOf(sent).messageId))
    }),
  ]
  for (const sent of client.outbox.list()) if (sent.room === room.id) watch(sent)
  publish()
  onPhase()

  return {
    getSnapshot: look,
    subscribe: store.subscribe,
    loadOlder,
    close() {
      for (const stop of stops) stop()
      for (const { stop } of [...pending.values(), ...changes.values()]) stop()
    },
  }
}
