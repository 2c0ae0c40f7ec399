/**
 * An acknowledged message survives a loss of power: between the write to the write-ahead log and the ack stands an
 * fdatasync. To kill a process cannot show it, for what the system has buffered outlives the process; the calls that the
 * server makes of the system do.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, type TestContext } from 'vitest'
import { killableServer, openTheatre } from './support/theatre.ts'

const CALLS = 'write,writev,pwrite64,pwritev,sendto,sendmsg,fdatasync,fsync'
const MESSAGES = 20

function skipWithoutStrace({ skip }: TestContext): void {
  const { status, error } = spawnSync('strace', ['-o', '/dev/null', 'true'])
  if (status === 0) return
  const reason = `the order of system calls is not looked at: strace ${error ? 'is not installed (apt-get install strace)' : 'may not trace here'}`
  console.warn(reason)
  skip(reason)
}

type Call = 'log written' | 'log synced' | 'ack sent'

/** The calls that count, in their order. All are made by one thread. */
async function callsOf(pragmas: readonly string[]): Promise<Call[]> {
  const server = killableServer()
  const trace = join(server.folder, 'trace.txt')
  await server.start({
    pragmas,
    under: ['strace', '-f', '-y', '-s', '4096', '-e', `trace=${CALLS}`, '-o', trace],
  })
  const { say } = await openTheatre(server)
  for (let i = 0; i < MESSAGES; i++) await Promise.all(say(1))
  await server.kill()
  const lines = readFileSync(trace, 'utf8').split('\n')
  const threads = new Set<string>()
  const calls: Call[] = []
  for (const line of lines) {
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

describe('an ack', { timeout: 30_000 }, () => {
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
