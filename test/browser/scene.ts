// What a scene in a browser is made of: users with browsers of their own, each behind a proxy of its own, their tabs, one
// room and one server. All that is asked, told and shown is written into one history, and a scene ends with `judge`, which
// asks of it what test/faults asks of processes, and of each tab whether it shows what the server has.

import { type Client, createClient } from '@tautline/client'
import { history as readHistory } from '@tautline/client/history'
import { createToken } from '@tautline/server'
import type { BrowserContext } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest'
import { check } from '../faults/checker.ts'
import type { HistoryEvent } from '../faults/history.ts'
import { createProxy, type TcpProxy } from '../faults/proxy.ts'
import { createRecorder, endOf } from '../faults/support/recorder.ts'
import { TabStage } from '../support/tab-stage.ts'
import { ChatTab, SOON, type TabOptions } from './chat-tab.ts'
import { type SceneServer, serverInProcess } from './scene-server.ts'

export { SOON }

export interface Scene {
  readonly stage: TabStage
  readonly server: SceneServer
  /** Of this test; empty at its beginning. */
  readonly room: string
  /** Another browser for this user. `onDisk`: the one that can be killed, and has what it had when it comes back. */
  browser(user: string, onDisk?: boolean): Promise<UserBrowser>
  /** As when the power goes, and comes back. */
  killBrowser(): Promise<void>
  /** What the room says by now. */
  log(): Promise<string[]>
  /**
   * Lets everything come to its end, and asks whether it was kept: what was sent and did not fail is in the room once, in
   * this order where one is given, and every tab heard and shows just that. Last in each test.
   */
  judge(order?: readonly string[]): Promise<void>
}

/** In which somebody has tabs, and the line from there to the server. */
export interface UserBrowser {
  readonly proxy: TcpProxy
  readonly profile: BrowserContext
  /** A tab with the chat in it, which connects where there is a server. */
  tab(options?: TabOptions): Promise<ChatTab>
}

/** Begins a scene anew for each test of the file; the browser and the server stay. */
export function setScene(makeServer: () => SceneServer = serverInProcess): Scene {
  let stage: TabStage
  let server: SceneServer
  let tests = 0
  let opened = 0
  let room = ''
  let history: HistoryEvent[] = []
  const tabs = new Set<ChatTab>()
  /** What is to be done after the test. */
  const ended: (() => Promise<void>)[] = []
  let isJudged = false

  beforeAll(async () => {
    server = makeServer()
    ;[stage] = await Promise.all([TabStage.open(), server.start()])
  })

  beforeEach(async () => {
    tests++
    opened = 0
    room = `room${tests}`
    history = []
    tabs.clear()
    isJudged = false
    await server.start()
  })

  afterEach(async () => {
    await Promise.all(ended.splice(0).map((end) => end()))
    await stage.closeTabs()
    expect(stage.complaints.splice(0)).toEqual([])
    expect(isJudged, 'it ended with judge()').toBe(true)
  })

  afterAll(async () => {
    await stage?.close()
    await server.dispose()
  })

  const tokenOf = (userId: string) => createToken({ secret: server.secret, userId })

  async function openBrowser(user: string, onDisk = false): Promise<UserBrowser> {
    const proxy = await createProxy()
    proxy.aim(server.port())
    const own = onDisk ? undefined : await stage.newProfile()
    ended.push(async () => {
      proxy.close()
      await own?.close()
    })
    return {
      proxy,
      get profile() {
        return own ?? stage.profile
      },
      async tab(options = {}) {
        const userId = `${options.user ?? user}${tests}`
        const url = `ws://127.0.0.1:${proxy.port}/ws`
        const name = `tab${++opened}`
        const chat = { url, userId, token: await tokenOf(userId), room }
        const profile = own ?? stage.profile
        const gone = (which: ChatTab) => tabs.delete(which)
        const tab = await ChatTab.open({ stage, profile, history, name, chat, gone }, options)
        tabs.add(tab)
        return tab
      },
    }
  }

  async function withClient<T>(userId: string, act: (client: Client) => Promise<T>): Promise<T> {
    const client = createClient({
      url: `ws://127.0.0.1:${server.port()}/ws`,
      userId,
      getToken: () => tokenOf(userId),
      backoff: { minMs: 20, baseMs: 50, capMs: 300 },
    })
    try {
      await client.connect()
      await client.room(room).join()
      return await act(client)
    } finally {
      await client.close()
    }
  }

  /** By pages, from the beginning: content and position. */
  async function placesIn(client: Client): Promise<[content: string, seq: number, sender: string][]> {
    const places: [string, number, string][] = []
    for (let after = 0, hasNewer = true; hasNewer; ) {
      const page = await readHistory(client.room(room), { after, limit: 100 })
      for (const { content, seq, sender } of page.messages) places.push([content, seq, sender])
      hasNewer = page.hasNewer
      after = page.newestSeq ?? after
    }
    return places
  }

  const log = () =>
    withClient('reader', async (client) => (await placesIn(client)).map(([content]) => content))

  /**
   * What nobody was told of, and nobody can be: it was sent by a load of a tab that is no more. Where no tab of that
   * browser has it, it must be in the room.
   */
  function undecided(): string[] {
    const decided = new Set<string>()
    for (const event of history)
      if (event.event === 'ok' || event.event === 'fail') decided.add(event.content)
    return history.flatMap((event) =>
      event.event === 'invoke' && !decided.has(event.content) ? [event.content] : [],
    )
  }

  async function settled(): Promise<void> {
    const stillSending = async () => {
      const states = await Promise.all(Array.from(tabs, (tab) => tab.state()))
      await Promise.all(Array.from(tabs, (tab) => tab.takeJournal()))
      const waiting = undecided().filter((content) => Array.from(tabs).some((tab) => tab.answersFor(content)))
      return { waiting, states: states.filter(({ queued, status }) => queued > 0 || status !== 'connected') }
    }
    await expect.poll(stillSending, SOON).toEqual({ waiting: [], states: [] })
    // A tab that has just been opened may not have read yet what the one before left.
    const left = undecided()
    const missing = async () => {
      const said = new Set(await log())
      return left.filter((content) => !said.has(content))
    }
    if (left.length > 0) await expect.poll(missing, SOON).toEqual([])
    await expect.poll(stillSending, SOON).toEqual({ waiting: [], states: [] })
    for (const content of undecided()) history.push({ event: 'ok', content })
  }

  async function judge(order?: readonly string[]): Promise<void> {
    isJudged = true
    await settled()
    const recorder = createRecorder((event) => history.push(event))
    const places = await withClient('judge', async (client) => {
      const isRead = recorder.recordLog(client, room, 'newcomer')
      await recorder.send(client, { room, outbox: 'judge', content: endOf(room) })
      await isRead
      return placesIn(client)
    })
    const readers = Array.from(tabs, (tab) => tab.readers()).flat()
    const notDone = async () => {
      await Promise.all(Array.from(tabs, (tab) => tab.takeJournal()))
      const done = new Set(history.map((event) => (event.event === 'done' ? event.device : '')))
      return readers.filter((device) => !done.has(device))
    }
    await expect.poll(notDone, SOON).toEqual([])
    expect(check(history)).toMatchObject({ violations: [], excused: 0 })
    const said = places.map(([content]) => content).slice(0, -1)
    if (order) expect(said).toEqual(order)
    const failed = new Set(history.map((event) => (event.event === 'fail' ? event.content : undefined)))
    const sent = history.flatMap((event) =>
      event.event === 'invoke' && !failed.has(event.content) ? [event.content] : [],
    )
    expect(said.concat(endOf(room)).sort()).toEqual(sent.sort())
    for (const tab of tabs) {
      const shown = places.map(([content, seq, sender]) => [
        content,
        seq,
        sender === tab.userId ? 'acknowledged' : `of ${sender}`,
      ])
      const placed = async () => (await tab.shown()).filter(([, , status]) => status !== 'failed')
      await expect.poll(placed, SOON).toEqual(shown)
    }
  }

  return {
    get stage() {
      return stage
    },
    get server() {
      return server
    },
    get room() {
      return room
    },
    browser: openBrowser,
    async killBrowser() {
      tabs.clear()
      await stage.killBrowser()
    },
    log,
    judge,
  }
}

/** m1, m2 … */
export function numbered(count: number, from = 1): string[] {
  return Array.from({ length: count }, (_, i) => `m${from + i}`)
}

/** The tab that has put it on its connection. What a tab does is told to the test a little later than it is done. */
export async function senderOf(content: string, tabs: readonly ChatTab[]): Promise<ChatTab> {
  const senders = () => tabs.filter(({ attempts }) => attempts.includes(content))
  await expect.poll(() => senders().length, SOON).toBe(1)
  return senders()[0] ?? Promise.reject(new Error('nobody has sent it'))
}
