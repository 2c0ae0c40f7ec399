// What `queued` promises, on real processes: a client with its outbox in a file is killed with SIGKILL, twice, and what
// it had queued is in the room in the end, once and in order.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { createClient } from '@tautline/client'
import { file } from '@tautline/client/file'
import { history } from '@tautline/client/history'
import { createServer, memory, type Server } from '@tautline/server'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { OutboxProcessOptions } from './outbox-process.ts'

const SCRIPT = new URL('./outbox-process.ts', import.meta.url).pathname
const ROOM = 'den'

let server: Server
let folder: string
let children: ChildProcess[]

beforeEach(async () => {
  server = await createServer({
    port: 0,
    auth: { verify: (token) => ({ userId: token }) },
    store: memory(),
    logger: false,
    limits: { messagesPerSecond: 500, messageBurst: 20 },
  })
  folder = await mkdtemp(join(tmpdir(), 'tautline-outbox-'))
  children = []
})
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL')
  await server.close()
  await rm(folder, { recursive: true })
})

function optionsOf(change: Partial<OutboxProcessOptions>): OutboxProcessOptions {
  return {
    url: `ws://127.0.0.1:${server.port}/ws`,
    token: 'ada',
    userId: 'ada',
    room: ROOM,
    path: join(folder, 'outbox'),
    isOnline: true,
    from: 1,
    to: 0,
    ...change,
  }
}

/** Runs it until `isEnough` says so of what it printed, then kills it. Returns what it printed in all. */
async function runUntil(
  change: Partial<OutboxProcessOptions>,
  isEnough: (lines: readonly string[]) => boolean,
): Promise<string[]> {
  const child = spawn(process.execPath, ['--conditions=source', SCRIPT, JSON.stringify(optionsOf(change))], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(child)
  const gone = once(child, 'exit')
  const lines: string[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line)
    if (isEnough(lines)) child.kill('SIGKILL')
  }
  await gone
  return lines
}

const numbers = (lines: readonly string[], word: string): number[] =>
  lines.filter((line) => line.startsWith(`${word} `)).map((line) => Number(line.slice(word.length + 1)))

async function contentsOf(room: string): Promise<number[]> {
  const client = createClient({
    url: `ws://127.0.0.1:${server.port}/ws`,
    userId: 'ada',
    getToken: () => 'ada',
  })
  await client.connect()
  const contents: number[] = []
  for (let before: number | undefined, hasOlder = true; hasOlder; ) {
    const page = await history(client.room(room), { before, limit: 100 })
    contents.unshift(...page.messages.map(({ content }) => Number(content)))
    before = page.oldestSeq
    hasOlder = page.hasOlder
  }
  await client.close()
  return contents
}

describe('an outbox in a file', () => {
  it('outlives the process: what was queued arrives once and in order, though it is killed twice', {
    timeout: 60_000,
  }, async () => {
    const member = createClient({
      url: `ws://127.0.0.1:${server.port}/ws`,
      userId: 'ada',
      getToken: () => 'ada',
    })
    await member.connect()
    await member.room(ROOM).join()
    await member.close()

    // Says 400 without a connection, and is killed when 200 of them are queued.
    const offline = await runUntil({ isOnline: false, to: 400 }, (lines) => lines.length >= 200)
    const promised = numbers(offline, 'queued')
    expect(promised.length).toBeGreaterThanOrEqual(200)
    expect(promised).toEqual(promised.map((_, i) => i + 1))
    // Is killed in the midst of delivering them.
    const online = await runUntil({}, (lines) => numbers(lines, 'acknowledged').length >= 60)
    expect(online).not.toContain('empty')
    // Delivers what is left, and says a little more.
    const last = await runUntil({ from: 1_001, to: 1_020 }, (lines) => lines.includes('empty'))
    expect(last.at(-1)).toBe('empty')

    const contents = await contentsOf(ROOM)
    expect(contents).toEqual(contents.toSorted((a, b) => a - b))
    expect(new Set(contents).size).toBe(contents.length)
    expect(contents.slice(0, promised.length)).toEqual(promised)
    expect(contents.slice(-20)).toEqual(Array.from({ length: 20 }, (_, i) => 1_001 + i))

    const [journal] = (await readdir(folder)).filter((name) => name.endsWith('.jsonl'))
    expect(await readFile(join(folder, journal ?? ''), 'utf8')).toContain('tautline-outbox-1')
    const store = await file(join(folder, 'outbox')).open(
      { server: `ws://127.0.0.1:${server.port}/ws`, userId: 'ada' },
      { held() {}, told() {}, lost() {} },
    )
    expect(await store.list()).toEqual([])
    await store.close()
  })
})
