// Calls between tabs of a real Chromium, with its own WebRTC and a made-up camera, by the real server: what counts is
// that pictures arrive at the other end.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Call, Calls } from '@tautline/client/calls'
import { createServer, type Server, sqlite } from '@tautline/server'
import { calls } from '@tautline/server/calls'
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { createProxy } from '../faults/proxy.ts'
import { FAKE_MEDIA_FLAGS } from '../support/chromium.ts'
import { TabStage } from '../support/tab-stage.ts'

declare global {
  var calling: Calls
  /** The call in which the tab is, or was last. */
  var call: Call
  var camera: MediaStream
  /** All of the tab. */
  var connections: RTCPeerConnection[]
}

/** A machine that is busy with other things. */
const SOON = { timeout: 60_000, interval: 100 }

let stage: TabStage
let folder: string
let server: Server | undefined
let port = 0
let tests = 0

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tautline-calls-'))
  stage = await TabStage.open(FAKE_MEDIA_FLAGS)
  await startServer()
})

beforeEach(() => {
  tests++
})

afterEach(async () => {
  await stage.closeTabs()
  expect(stage.complaints.splice(0)).toEqual([])
})

afterAll(async () => {
  await stage.close()
  await server?.close()
  rmSync(folder, { recursive: true, force: true })
})

async function startServer(): Promise<void> {
  server = await createServer({
    port,
    auth: { verify: (token) => ({ userId: token }) },
    store: sqlite(join(folder, 'chat.db')),
    extensions: [calls({ reconnectTimeoutMs: 60_000 })],
    logger: false,
  })
  port = server.port as number
}

async function stopServer(): Promise<void> {
  await server?.close()
  server = undefined
}

/** In each test others. */
const named = (user: string) => `${user}${tests}`

/** A tab of this user, with a camera, that takes every call. */
async function caller(user: string, address = server?.url as string): Promise<Page> {
  const page = await stage.tab()
  await page.evaluate(
    async ({ userId, url }) => {
      globalThis.camera = await navigator.mediaDevices.getUserMedia({ audio: true, video: true })
      const client = tautline.createClient({ url, userId, getToken: () => userId, backoff: { capMs: 1_000 } })
      globalThis.connections = []
      class Watched extends RTCPeerConnection {
        constructor(configuration?: RTCConfiguration) {
          super(configuration)
          connections.push(this)
        }
      }
      globalThis.calling = tautline.calls(client, { RTCPeerConnection: Watched })
      calling.on('incoming', (incoming) => {
        // Whom we are calling ourselves we meet in that call.
        if (calling.getSnapshot().calls.length > 1) return
        globalThis.call = incoming
        incoming.on('error', (error) => console.error(String(error)))
        void incoming.answer(camera)
      })
      await client.connect()
    },
    { userId: named(user), url: address },
  )
  return page
}

function start(page: Page, options: { readonly to: string } | { readonly room: string }): Promise<void> {
  return page.evaluate((about) => {
    globalThis.call = calling.start({ ...about, stream: camera })
    call.on('error', (error) => console.error(String(error)))
  }, options)
}

const statusOf = (page: Page) => page.evaluate(() => globalThis.call?.status)
const reasonOf = (page: Page) => page.evaluate(() => call.getSnapshot().reason)

/** How many frames of each picture of others have come. What a tab in the background decodes is not shown. */
function frames(page: Page): Promise<[track: string, count: number][]> {
  return page.evaluate(async () => {
    const counts: [string, number][] = []
    for (const [i, connection] of connections.entries()) {
      if (connection.connectionState !== 'connected') continue
      for (const report of (await connection.getStats()).values())
        if (report.type === 'inbound-rtp' && report.kind === 'video')
          counts.push([`${i} ${report.id}`, report.framesReceived ?? 0])
    }
    return counts
  })
}

/** Waits until so many pictures of others move: of each a frame has come since it was asked. */
async function sees(page: Page, pictures: number): Promise<void> {
  const before = new Map(await frames(page))
  const moving = async () =>
    (await frames(page)).filter(([track, count]) => count > (before.get(track) ?? 0)).length
  await expect.poll(moving, SOON).toBe(pictures)
}

/** A second picture beside the camera, as a screen would be. */
function showScreen(page: Page): Promise<void> {
  return page.evaluate(() => {
    const canvas = document.createElement('canvas')
    const brush = canvas.getContext('2d')
    setInterval(() => brush?.fillRect(Math.random() * 100, Math.random() * 100, 10, 10), 50)
    const stream = canvas.captureStream(20)
    for (const track of stream.getVideoTracks()) call.addTrack(track, stream)
  })
}

async function connected(...pages: readonly Page[]): Promise<void> {
  for (const page of pages) await expect.poll(() => statusOf(page), SOON).toBe('connected')
}

async function talk(urlOfBob?: string): Promise<readonly [Page, Page]> {
  const pages = [await caller('ann'), await caller('bob', urlOfBob)] as const
  await start(pages[0], { to: named('bob') })
  await connected(...pages)
  for (const page of pages) await sees(page, 1)
  return pages
}

describe('two tabs', () => {
  it('see each other, and no more when one hangs up', async () => {
    const [ann, bob] = await talk()
    await bob.evaluate(() => call.hangUp())
    await expect.poll(() => reasonOf(ann), SOON).toBe('ended')
    expect(await reasonOf(bob)).toBe('ended')
    const past = () => ann.evaluate(async () => (await calling.history(call.room)).calls)
    await expect.poll(async () => (await past()).length, SOON).toBe(1)
    const [record] = await past()
    expect(record).toMatchObject({ reason: 'ended', media: 'video', users: [named('ann'), named('bob')] })
    expect(record?.durationMs).toBeGreaterThan(0)
  })

  it('that show their screens in the same moment both see both', async () => {
    const [ann, bob] = await talk()
    await Promise.all([showScreen(ann), showScreen(bob)])
    for (const page of [ann, bob]) await sees(page, 2)
  })

  it('that call each other in the same moment are in one call', async () => {
    const lines = [await createProxy(), await createProxy()] as const
    onTestFinished(() => {
      for (const line of lines) line.close()
    })
    for (const line of lines) line.aim(port)
    const through = ({ port: own }: { readonly port: number }) => `ws://127.0.0.1:${own}/ws`
    const [ann, bob] = [await caller('ann', through(lines[0])), await caller('bob', through(lines[1]))]
    // Neither hears of the other before both have called.
    for (const line of lines) line.set('both', { isStalled: true })
    await Promise.all([start(ann, { to: named('bob') }), start(bob, { to: named('ann') })])
    for (const line of lines) line.heal()
    await connected(ann, bob)
    const ids = [ann, bob].map((page) => page.evaluate(() => call.callId))
    expect(new Set(await Promise.all(ids)).size).toBe(1)
  })

  it('are out of their call when one is reloaded, at once', async () => {
    const [ann, bob] = await talk()
    await bob.reload()
    // Whoever is only waited for is there until the server gives up on them.
    await expect.poll(() => reasonOf(ann), { timeout: 30_000, interval: 50 }).toBe('ended')
  })

  it('see each other while one has lost its connection, and can change things when it is back', async () => {
    const line = await createProxy()
    onTestFinished(() => line.close())
    line.aim(port)
    const [ann, bob] = await talk(`ws://127.0.0.1:${line.port}/ws`)
    const seen = () =>
      ann.evaluate(() => call.getSnapshot().participants.every(({ isConnected }) => isConnected))
    line.set('both', { isStalled: true })
    line.cut()
    await expect.poll(seen, SOON).toBe(false)
    await sees(ann, 1)
    expect([await statusOf(ann), await seen()]).toEqual(['connected', false])
    line.heal()
    await expect.poll(seen, SOON).toBe(true)
    await showScreen(bob)
    await sees(ann, 2)
  })

  it('see each other while there is no server, and are in the call when it is started anew', async () => {
    const [ann, bob] = await talk()
    await stopServer()
    for (const page of [ann, bob]) await sees(page, 1)
    await startServer()
    const there = (page: Page) =>
      page.evaluate(() => call.getSnapshot().participants.map(({ isConnected }) => isConnected))
    for (const page of [ann, bob]) await expect.poll(() => there(page), SOON).toEqual([true, true])
    expect(await Promise.all([statusOf(ann), statusOf(bob)])).toEqual(['connected', 'connected'])
    await showScreen(ann)
    await sees(bob, 2)
    await ann.evaluate(() => call.hangUp())
    await expect.poll(() => reasonOf(bob), SOON).toBe('ended')
  })
})

describe('three tabs in a room', () => {
  it('see each other, each both others', async () => {
    const pages = [await caller('ann'), await caller('bob'), await caller('cleo')]
    const room = `team${tests}`
    await server?.rooms.create({ id: room, visibility: 'private', name: 'Team' })
    for (const user of ['ann', 'bob', 'cleo']) await server?.rooms.addMember(room, named(user))
    await start(pages[0] as Page, { room })
    await connected(...pages)
    for (const page of pages) await sees(page, 2)
  })
})
