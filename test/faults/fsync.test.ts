/**
 * What was promised survives a loss of power: between the write to a log and the word that it is kept stands an
 * fdatasync. To kill a process cannot show it, for what the system has buffered outlives the process; the calls that a
 * process makes of the system do.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, type TestContext } from 'vitest'
import { startClients } from './support/client-group.ts'
import { killableServer, openTheatre, ROOM } from './support/theatre.ts'

const MESSAGES = 20

function skipWithoutStrace({ skip }: TestContext): void {
  const { status, error } = spawnSync('strace', ['-o', '/dev/null', 'true'])
  if (status === 0) return
  const reason = `the order of system calls is not looked at: strace ${error ? 'is not installed (apt-get install strace)' : 'may not trace here'}`
  console.warn(reason)
  skip(reason)
}

/** Runs a program and writes down what it writes and syncs, with the names of the files. */
function traceTo(file: string): string[] {
  const calls = 'write,writev,pwrite64,pwritev,sendto,sendmsg,fdatasync,fsync'
  return ['strace', '-f', '-y', '-s', '1000000', '-e', `trace=${calls}`, '-o', file]
}

function linesOf(trace: string): string[] {
  return readFileSync(trace, 'utf8').split('\n')
}

describe('the ack of a server', () => {
  type Call = 'log written' | 'log synced' | 'ack sent'

  /** The calls that count, in their order. All are made by one thread. */
  async function callsOf(pragmas: readonly string[]): Promise<Call[]> {
    const server = killableServer()
    const trace = join(server.folder, 'trace.txt')
    await server.start({ pragmas, under: traceTo(trace) })
    const { say } = await openTheatre(server)
    for (let i = 0; i < MESSAGES; i++) await Promise.all(say(1))
    await server.kill()
    const threads = new Set<string>()
    const calls: Call[] = []
    for (const line of linesOf(trace)) {
      const call = callOf(line)
      if (!call) continue
      calls.push(call)
      threads.add(line.split(' ', 1)[0] ?? '')
    }
    expect(threads.size).toBe(1)
    return calls
  }

  function callOf(line: string): Call | undefined {
    if (/\b(?:fdatasync|fsync)\(\d+<[^>]*-wal>/.test(line)) return 'log synced'
    if (/\bp?write\w*\(\d+<[^>]*-wal>/.test(line)) return 'log written'
    if (/\b(?:write|send)\w*\(\d+<(?:socket|TCP)/.test(line) && line.includes('\\"type\\":\\"ack\\"'))
      return 'ack sent'
    return undefined
  }

  /** Acks that were sent while something of the log was written and not synced. */
  function hastyAcks(calls: readonly Call[]): number {
    let isSynced = true
    let hasty = 0
    for (const call of calls) {
      if (call === 'ack sent') hasty += isSynced ? 0 : 1
      else isSynced = call === 'log synced'
    }
    return hasty
  }

  function count(calls: readonly Call[], wanted: Call): number {
    return calls.filter((call) => call === wanted).length
  }

  it('follows an fdatasync of the log, always', async (context) => {
    skipWithoutStrace(context)
    const calls = await callsOf([])
    expect(hastyAcks(calls)).toBe(0)
    expect(count(calls, 'ack sent')).toBe(MESSAGES)
    expect(count(calls, 'log synced')).toBeGreaterThanOrEqual(MESSAGES)
    expect(count(calls, 'log written')).toBeGreaterThanOrEqual(MESSAGES)
  })

  it('would be seen if it did not: with synchronous = normal it comes before', async (context) => {
    skipWithoutStrace(context)
    const calls = await callsOf(['synchronous = normal'])
    expect(count(calls, 'ack sent')).toBe(MESSAGES)
    expect(hastyAcks(calls)).toBe(MESSAGES)
  })
})

describe('the word of a client that a message is queued', () => {
  it('follows an fdatasync of the file of its outbox', async (context) => {
    skipWithoutStrace(context)
    const server = killableServer()
    await server.start()
    const trace = join(server.folder, 'trace.txt')
    const queued: string[] = []
    const clients = startClients(
      {
        secret: server.secret,
        clients: [
          {
            user: 'alice',
            device: 'phone',
            port: server.port(),
            rooms: [ROOM],
            reads: 'events',
            outbox: 'alice',
            outboxFile: join(server.folder, 'outbox'),
          },
        ],
        messagesPerSecond: 200,
      },
      {
        event: () => {},
        note(note) {
          if (note.note === 'queued') queued.push(note.content)
        },
      },
      traceTo(trace),
    )
    await clients.live()
    clients.word('load')
    await expect.poll(() => queued.length).toBeGreaterThan(MESSAGES)
    clients.word('stop')
    await clients.noted('settled')
    await clients.kill()

    const lines = linesOf(trace)
    const isDone = (line: string, call: string) => line.includes(call) && !line.includes('unfinished')
    for (const content of queued) {
      // The first letters are enough to know it by: a trace writes some characters otherwise.
      const [name = ''] = /^alice phone \d+/.exec(content) ?? []
      const isOf = (line: string) => line.includes(`${name}\\"`) || line.includes(`${name} `)
      const written = lines.findIndex((line) => line.includes('.jsonl>') && isOf(line))
      const synced = lines.findIndex((line, i) => i > written && isDone(line, 'fdatasync'))
      const told = lines.findIndex((line) => line.includes('\\"note\\":\\"queued\\"') && isOf(line))
      expect([name, written > 0, synced > written, told > synced]).toEqual([name, true, true, true])
    }
  })
})
