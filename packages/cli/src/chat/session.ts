/**
 * A chat: lines go in, a client carries them, a view shows what becomes of them. It ends with the input, with /quit, or
 * when the server refuses for good; then everything on its way has its time to arrive.
 */

import {
  type Client,
  type Code,
  type Message,
  type Sent,
  type StatusChange,
  TautlineError,
} from '@tautline/client'
import { admin } from '@tautline/client/admin'
import { history } from '@tautline/client/history'
import { MEANINGS, ROOM_ID } from '@tautline/protocol/wire'
import { createProgress } from './progress.ts'
import { type EnteredRoom, watchRoom } from './rooms.ts'
import { runSlash, SLASH_HELP, type SlashActions } from './slash.ts'
import type { OwnMessage, View } from './view.ts'
import { lossWords, plural, secondsWords } from './words.ts'

export interface ChatOptions {
  readonly client: Client
  readonly view: View
  /** For sentences. */
  readonly url: string
  readonly room: string
  /** Without a step forward for so long, what waits is given up. */
  readonly patienceMs: number
  /** Codes after which no token that we have would help. */
  readonly hopeless: readonly Code[]
}

/** Lines that are read ahead of their acknowledgements where nobody types them. */
const MAX_AHEAD = 200

/** Resolves to the exit code. */
export async function runChat(options: ChatOptions): Promise<number> {
  const { client, view, url, patienceMs } = options
  const progress = createProgress()
  const rooms = new Map<string, EnteredRoom>()
  const pending = new Map<string, { readonly number: number; readonly sent: Sent }>()
  /** Own messages that were shown when they were acknowledged: their events say nothing new. */
  const shown = new Set<string>()
  let current = client.room(options.room)
  let asking = 0
  let sentCount = 0
  let hasFailed = false
  let isOver = false
  /** A script said that its input ends here. */
  let hasQuit = false
  /** Somebody was told what leaving loses. */
  let isLeaving = false
  let wasConnected = false
  let lastLoss: string | undefined

  // ── What is shown ─────────────────────────────────────────────────────────────────────────────────────────────

  function show(): void {
    const { users, typing } = current.getSnapshot()
    view.show({
      status: client.status,
      userId: client.userId,
      room: current.id,
      users: Array.from(users.keys()),
      typing,
      pending: Array.from(pending.values(), ownOf),
    })
    progress.changed()
  }

  function problem(text: string): void {
    hasFailed = true
    view.problem(text)
  }

  function over(reason: string): void {
    if (isOver) return
    problem(reason)
    leave()
  }

  function leave(): void {
    isOver = true
    progress.stop()
    view.close()
  }

  function onStatus({ status, reason, retryInMs }: StatusChange): void {
    if (status === 'connected') {
      wasConnected = true
      lastLoss = undefined
      view.notice(`Connected to ${url} as ${client.userId}.`)
    } else if (
      status === 'stopped' ||
      (status === 'waiting' && reason && options.hopeless.includes(reason))
    ) {
      over(`${url} refused: ${reason ? MEANINGS[reason] : 'it did not say why'}.`)
    } else if (status === 'waiting' || status === 'suspended') {
      // Once for each loss, not for each attempt.
      const words = lossWords(reason)
      if (words !== lastLoss)
        view.notice(
          `No connection to ${url}: ${words}. Trying again ${secondsWords(retryInMs)}, and on; what you say waits.`,
        )
      lastLoss = words
    }
    show()
  }

  // ── Rooms ─────────────────────────────────────────────────────────────────────────────────────────────────────

  function enter(id: string): void {
    if (!ROOM_ID.test(id)) return problem(`"${id}" cannot be the name of a room.`)
    current = client.room(id)
    if (!rooms.has(id)) {
      const entered: EnteredRoom = { room: current, others: undefined, before: undefined }
      rooms.set(id, entered)
      watchRoom(entered, client, view, ({ messageId, ...message }) => {
        const isOwn = pending.has(messageId) && message.sender === client.userId
        if (isOwn) shown.add(messageId)
        else if (shown.delete(messageId)) return
        view.message({ ...message })
      })
      current.subscribe(show)
      ask(`enter ${id}`, current.join())
    }
    show()
  }

  /** Counts what was asked and has no answer, and says what went wrong. */
  function ask(what: string, answer: Promise<void>): void {
    asking++
    answer
      .catch((error: unknown) => {
        if (!isOver) problem(`Could not ${what}: ${wordsOf(error)}.`)
      })
      .finally(() => {
        asking--
        progress.changed(true)
      })
      .catch(() => {}) // nothing above rejects
  }

  async function listMembers(): Promise<void> {
    const room = current
    const { members, hasMore } = await admin(room).members()
    const { users } = room.getSnapshot()
    view.answer(`${room.id} has ${hasMore ? 'more than ' : ''}${plural(members.length, 'member')}:`)
    for (const { userId, role } of members) {
      const { status, text } = users.get(userId) ?? {}
      view.answer(`  ${userId} (${[role, status, text].filter(Boolean).join(', ')})`)
    }
    if (hasMore) view.answer('  … and more')
  }

  async function tellHistory(count: number): Promise<void> {
    const entered = rooms.get(current.id)
    if (!entered) return
    const messages: Message[] = []
    let hasOlder = true
    // A page has so many entries, and not all of them are messages.
    while (hasOlder && messages.length < count) {
      const page = await history(entered.room, { before: entered.before, limit: count - messages.length })
      messages.unshift(...page.messages)
      entered.before = page.oldestSeq ?? entered.before
      hasOlder = page.hasOlder && page.oldestSeq !== undefined
    }
    for (const message of messages) view.message(message)
    if (!hasOlder) view.notice(`${entered.room.id}: nothing is before that.`)
  }

  const actions: SlashActions = {
    help: () => view.answer(SLASH_HELP),
    join: enter,
    members: () => ask('list the members', listMembers()),
    history: (count) => ask('read the history', tellHistory(count)),
    quit() {
      if (view.isInteractive && pending.size > 0 && !isLeaving) {
        isLeaving = true
        view.notice(
          `${plural(pending.size, 'message')} not acknowledged yet, and lost when you leave. Once more: leave.`,
        )
      } else if (view.isInteractive) leave()
      else hasQuit = true
    },
  }

  // ── Own messages ──────────────────────────────────────────────────────────────────────────────────────────────

  function say(content: string): void {
    isLeaving = false
    current.typing(false)
    const sent = current.send({ content })
    const own = { number: ++sentCount, sent }
    pending.set(sent.messageId, own)
    sent.subscribe(() => onStep(own))
    onStep(own)
  }

  function onStep(own: { readonly number: number; readonly sent: Sent }): void {
    const { sent } = own
    view.step(ownOf(own))
    if (sent.status === 'failed') {
      hasFailed = true
      pending.delete(sent.messageId)
      progress.changed(true)
    } else if (sent.acknowledgement) {
      // The room's event comes with the acknowledgement or just after it, and keeps the order; it may also not come,
      // where following began later.
      setImmediate(() => arrive(sent, sent.acknowledgement?.seq ?? 0, sent.acknowledgement?.timestamp ?? 0))
    }
    show()
  }

  function arrive({ room, messageId, content }: Sent, seq: number, timestamp: number): void {
    pending.delete(messageId)
    if (!shown.delete(messageId)) {
      shown.add(messageId)
      view.message({ room, seq, sender: client.userId ?? '', content, timestamp })
    }
    progress.changed(true)
    show()
  }

  // ── From the first line to the last ───────────────────────────────────────────────────────────────────────────

  function take(line: string): void {
    if (line.trim() === '') return
    if (!line.startsWith('/') || line.startsWith('//'))
      return say(line.startsWith('//') ? line.slice(1) : line)
    const objection = runSlash(line, actions)
    if (objection !== undefined) problem(objection)
  }

  client.on('status', onStatus)
  client.on('error', (error) => problem(error.message))
  view.onTyping((active) => current.typing(active))
  view.onLeave(() => actions.quit())
  // Why it may end is told by its status.
  client.connect().catch(() => {})
  enter(options.room)

  for await (const line of view.lines) {
    if (isOver) break
    take(line)
    if (hasQuit) break
    if (view.isInteractive || pending.size < MAX_AHEAD) continue
    if (!(await progress.until(() => pending.size < MAX_AHEAD, patienceMs))) break
  }
  const isDone = () => pending.size === 0 && asking === 0
  if (!isOver && !isDone() && view.isInteractive)
    view.notice('Waiting for what is on its way; Ctrl-C leaves.')
  const isComplete = isDone() || (!isOver && (await progress.until(isDone, patienceMs)))
  isOver = true
  view.close()
  if (!isComplete) tellWhatIsLeft()
  await client.close()
  return isComplete && !hasFailed ? 0 : 1

  function tellWhatIsLeft(): void {
    if (!wasConnected && !hasFailed) view.problem(`${url} could not be reached.`)
    if (pending.size > 0) view.problem(`${plural(pending.size, 'message')} not acknowledged.`)
    else if (wasConnected && !hasFailed) view.problem('Not everything was answered.')
  }
}

function ownOf({ number, sent }: { readonly number: number; readonly sent: Sent }): OwnMessage {
  const { room, content, status, acknowledgement, error } = sent
  const failure = error && wordsOf(error)
  return { number, room, content, status, seq: acknowledgement?.seq, failure }
}

function wordsOf(error: unknown): string {
  if (error instanceof TautlineError) return MEANINGS[error.code]
  return error instanceof Error ? error.message : String(error)
}
