/**
 * What a test with killed processes stands on: a server on a file, links to it, groups of clients behind them, and the
 * history of all that they were asked and told. `judge()` lets everything come to an end and asks the checker.
 */
import { check, type Judgement } from '../checker.ts'
import type { HistoryEvent } from '../history.ts'
import { createProxy, type TcpProxy } from '../proxy.ts'
import { type ClientGroup, startClients } from './client-group.ts'
import type { ClientProcessOptions, ClientSpec, Note } from './client-process.ts'
import { createKillableServer, type KillableServer } from './killable-server.ts'

export interface Stage {
  readonly server: KillableServer
  readonly links: readonly TcpProxy[]
  /** Messages acknowledged so far. */
  acknowledged(): number
  /** Messages that a killed client's outbox had kept. */
  restored(): number
  link(): Promise<TcpProxy>
  start(clients: Omit<ClientProcessOptions, 'secret'>): ClientGroup
  /** Kills a group, and takes note of what nobody will ever know. */
  killClients(group: ClientGroup): Promise<void>
  /** Resolves when all clients follow all their rooms, or with false after `timeoutMs`. */
  live(timeoutMs: number): Promise<boolean>
  judge(options: JudgeOptions): Promise<Judgement & { readonly stuck: readonly string[] }>
  dispose(): Promise<void>
}

interface JudgeOptions {
  /** Who says the last word in each room. */
  readonly last: ClientGroup
  /** The rooms that a newcomer reads from their beginning. */
  readonly rooms: readonly string[]
  readonly timeoutMs: number
}

interface Cast {
  readonly group: ClientGroup
  readonly clients: readonly ClientSpec[]
}

export function createStage(): Stage {
  const server = createKillableServer()
  const links: TcpProxy[] = []
  const casts = new Set<Cast>()
  const history: HistoryEvent[] = []
  const undecided = new Map<string, { readonly outbox: string; isQueued: boolean }>()
  const done = new Set<string>()
  let acknowledged = 0
  let restored = 0
  let allDone = () => {}

  function onEvent(event: HistoryEvent): void {
    history.push(event)
    if (event.event === 'invoke') undecided.set(event.content, { outbox: event.outbox, isQueued: false })
    if (event.event === 'ok' || event.event === 'fail') decided(event)
    if (event.event === 'done') done.add(nameOf(event.user, event.device, event.room))
    if (undecided.size === 0 && missing().length === 0) allDone()
  }

  function decided({ event, content }: Extract<HistoryEvent, { event: 'ok' | 'fail' }>): void {
    // Once: who is killed before its outbox has noted it is told again.
    if (undecided.delete(content) && event === 'ok') acknowledged++
  }

  function onNote(note: Note): void {
    if (note.note === 'restored') restored++
    const message = note.note === 'queued' ? undecided.get(note.content) : undefined
    if (message) message.isQueued = true
  }

  /**
   * What is undecided although its outbox is empty, since processes were killed: what was queued left it by an outcome
   * alone, and one that failed would have been kept. Of the rest nobody knows.
   */
  function concludeUndecided(outbox: string, wasKept: boolean): void {
    for (const [content, message] of undecided) {
      if (message.outbox !== outbox) continue
      undecided.delete(content)
      if (wasKept && message.isQueued) {
        acknowledged++
        history.push({ event: 'ok', content })
      } else history.push({ event: 'unknown', content })
    }
  }

  async function link(): Promise<TcpProxy> {
    const proxy = await createProxy()
    proxy.aim(server.port())
    links.push(proxy)
    return proxy
  }

  function start(options: Omit<ClientProcessOptions, 'secret'>): ClientGroup {
    const group = startClients({ ...options, secret: server.secret }, { event: onEvent, note: onNote })
    casts.add({ group, clients: options.clients })
    return group
  }

  /** Everybody who should read to the end and has not. */
  function missing(): string[] {
    return Array.from(casts)
      .flatMap(({ clients }) => clients)
      .flatMap(({ user, device, rooms }) => rooms.map((room) => nameOf(user, device, room)))
      .filter((name) => !done.has(name))
  }

  /** Until everybody has read everything, and every message has its outcome. */
  async function end({ rooms, last }: JudgeOptions): Promise<void> {
    const loaded = Array.from(casts, ({ group }) => group)
    for (const group of loaded) group.word('stop')
    const { port } = await link()
    start({
      clients: [{ user: 'newcomer', device: 'tablet', port, rooms, reads: 'log' }],
      messagesPerSecond: 0,
    })
    await Promise.all(loaded.map((group) => group.noted('settled')))
    for (const { outbox, outboxFile } of Array.from(casts).flatMap(({ clients }) => clients))
      if (outbox !== undefined && outboxFile !== undefined) concludeUndecided(outbox, true)
    const isOver = new Promise<void>((resolve) => {
      allDone = resolve
    })
    last.word('end')
    await isOver
  }

  return {
    server,
    links,
    acknowledged: () => acknowledged,
    restored: () => restored,
    link,
    start,
    live: (timeoutMs) => within(timeoutMs, Promise.all(Array.from(casts, ({ group }) => group.live()))),
    async killClients(group) {
      await group.kill()
      for (const cast of casts) {
        if (cast.group !== group) continue
        casts.delete(cast)
        for (const { outbox, outboxFile } of cast.clients)
          if (outbox !== undefined && outboxFile === undefined) concludeUndecided(outbox, false)
      }
    },
    async judge(options) {
      const isOver = await within(options.timeoutMs, end(options))
      const stuck = isOver
        ? []
        : [...missing(), ...Array.from(undecided.keys(), (one) => `undecided: ${one}`)]
      return { ...check(history), stuck }
    },
    async dispose() {
      for (const { group } of casts) await group.kill()
      for (const proxy of links) proxy.close()
      await server.dispose()
    },
  }
}

function nameOf(user: string, device: string, room: string): string {
  return `${user}/${device} in ${room}`
}

/** Whether it came to its end in time. */
async function within(ms: number, work: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, ms, false)
  })
  try {
    return await Promise.race([work.then(() => true), timeout])
  } finally {
    clearTimeout(timer)
  }
}
