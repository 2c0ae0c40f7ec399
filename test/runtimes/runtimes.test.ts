// The client on each runtime that it is made for, as a process of its own, against a real server that dies and comes back
// in the middle. The runtimes are packages of this workspace, so that nobody has to install them.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { createToken } from '@tautline/server'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createKillableServer } from '../faults/support/killable-server.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const program = fileURLToPath(new URL('conversation.mjs', import.meta.url))

/** Each with the source condition, so that nothing has to be built first. */
const NODE = [process.execPath, '--conditions=source']
const BUN = [`${root}node_modules/.bin/bun`, '--conditions=source', 'run']
const DENO = [`${root}node_modules/.bin/deno`, 'run', '--no-lock', '--allow-all', '--conditions=source']

const RUNTIMES = [
  { name: 'node', command: NODE },
  { name: 'bun', command: BUN },
  { name: 'deno', command: DENO },
]

interface Seen {
  readonly acknowledged: readonly number[]
  readonly heard: readonly [seq: number, content: string][]
  readonly history: readonly [seq: number, content: string][]
  readonly statuses: readonly string[]
}

const server = createKillableServer()
const children: ChildProcess[] = []
const seen = new Map<string, Seen>()

beforeAll(async () => {
  await server.start()
  const conversations = await Promise.all(RUNTIMES.map(start))
  await Promise.all(conversations.map(({ half }) => half))
  await server.kill()
  await server.start()
  for (const { name, result } of conversations) seen.set(name, await result)
})

afterAll(async () => {
  for (const child of children) child.kill()
  await server.dispose()
})

async function start({ name, command: [file = '', ...args] }: (typeof RUNTIMES)[number]) {
  const settings = {
    url: `ws://127.0.0.1:${server.port()}/ws`,
    userId: name,
    token: await createToken({ secret: server.secret, userId: name }),
    room: `room-of-${name}`,
  }
  const child = spawn(file, [...args, program, JSON.stringify(settings)], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(child)
  const lines = createInterface({ input: child.stdout })
  const ended = once(child, 'close').then(([code]) => {
    throw new Error(`${name} ended with ${String(code)} before it was done`)
  })
  ended.catch(() => {
    // At the end of the conversation that is what it shall do.
  })
  const half = Promise.race([once(lines, 'line'), ended])
  const result = half.then(async () => {
    const [line] = await Promise.race([once(lines, 'line'), ended])
    return JSON.parse(String(line)) as Seen
  })
  return { name, half, result }
}

describe.each(RUNTIMES)('the client on $name', ({ name }) => {
  it('gets each of its messages acknowledged once and in order, across the death of the server', () => {
    const { acknowledged } = seen.get(name) as Seen
    expect(acknowledged).toHaveLength(50)
    expect(acknowledged).toEqual(acknowledged.toSorted((a, b) => a - b))
    expect(new Set(acknowledged).size).toBe(50)
  })

  it('hears and reads back what it said, once and in order', () => {
    const { heard, history } = seen.get(name) as Seen
    expect(history.map(([, content]) => content)).toEqual(Array.from({ length: 50 }, (_, i) => `${i}`))
    expect(heard).toEqual(history)
  })

  it('goes through the statuses that are documented', () => {
    const { statuses } = seen.get(name) as Seen
    expect(statuses.slice(0, 4)).toEqual(['connecting', 'authenticating', 'connected', 'waiting'])
    expect(statuses.slice(-2)).toEqual(['connected', 'closed'])
  })
})
