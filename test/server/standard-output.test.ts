// What stands on the standard output of a process is only seen from outside: each test runs a program of its own.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { describe, expect, it, onTestFinished } from 'vitest'

const LOG = new URL('../../packages/server/src/log.ts', import.meta.url)

/** What each program begins with. `log(n)` writes the lines from the one before to this number, 600 characters each. */
const NEEDS = `const { loggerOf } = await import(${JSON.stringify(LOG)})
  const { closeSync, openSync, writeSync } = await import('node:fs')
  const { pbkdf2 } = await import('node:crypto')
  const logger = loggerOf(undefined)
  let i = 0
  const log = (end) => { while (i < end) logger.info({ i: i++ }, 'x'.repeat(600)) };`

const PLACES = [
  ['the main thread', (program: string) => program],
  [
    'a worker thread',
    (program: string) => `import { Worker } from 'node:worker_threads'
      new Worker(${JSON.stringify(`(async () => { ${program} })()`)}, { eval: true, execArgv: ['--conditions=source'] })`,
  ],
] as const

interface Run {
  /** Default: a pipe. */
  readonly stdout?: number
  readonly args?: readonly string[]
  readonly inPlace?: (program: string) => string
}

function run(program: string, { stdout, args = [], inPlace = (is) => is }: Run = {}): ChildProcess {
  const text = inPlace(`${NEEDS} ${program}`)
  const child = spawn(
    process.execPath,
    ['--conditions=source', '--input-type=module', '--eval', text, ...args],
    { stdio: ['pipe', stdout ?? 'pipe', 'pipe'] },
  )
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

/** Reads on until this is said, or to the end; what comes after it is for the next one who reads. */
async function hear(stream: Readable | null, words?: string): Promise<string> {
  let heard = ''
  for await (const chunk of stream?.setEncoding('utf8').iterator({ destroyOnReturn: false }) ?? []) {
    heard += String(chunk)
    if (words !== undefined && heard.includes(words)) break
  }
  return heard
}

/** All that it writes from now on, and how it ends. */
async function endOf(child: ChildProcess) {
  const [output] = await Promise.all([hear(child.stdout), once(child, 'exit')])
  return { output, status: child.exitCode }
}

interface Line {
  readonly i?: number
  readonly lines?: number
}

function linesOf(output: string): readonly Line[] {
  const lines = output.trimEnd().split('\n')
  return lines.map((line): Line => JSON.parse(line))
}

function numbersOf(output: string) {
  return linesOf(output).map(({ i }) => i)
}

function fileOf(): string {
  const path = mkdtempSync(join(tmpdir(), 'tautline-log-'))
  onTestFinished(() => rmSync(path, { recursive: true }))
  return join(path, 'log')
}

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i)

describe('the standard output', () => {
  it.each(PLACES)(
    'of %s has each line whole and in order when its process ends by a fault',
    async (_, inPlace) => {
      const child = run(
        `log(1_000)
      setTimeout(() => {
        log(1_001)
        throw new Error('a fault')
      }, 10)`,
        { inPlace },
      )
      const { output, status } = await endOf(child)
      expect(numbersOf(output)).toEqual(upTo(1_001))
      expect(status).toBe(1)
    },
  )

  it.each(PLACES)('of %s has them for a reader that comes when it ends on purpose', async (_, inPlace) => {
    const child = run(
      `log(1_000)
      setTimeout(() => {
        log(1_001)
        writeSync(2, 'it ends')
        process.exit()
      }, 10)`,
      { inPlace },
    )
    await hear(child.stderr, 'it ends')
    const { output, status } = await endOf(child)
    expect(numbersOf(output)).toEqual(upTo(1_001))
    expect(status).toBe(0)
  })

  it.each(PLACES)('of %s has them where all else is busy', async (_, inPlace) => {
    const file = fileOf()
    const stdout = openSync(file, 'w')
    const child = run(
      `for (let k = 0; k < 4; k++) pbkdf2('a', 'b', 400_000, 64, 'sha512', () => {})
      log(1)
      setImmediate(() => setImmediate(() => {
        log(2)
        process.exit()
      }))`,
      { inPlace, stdout },
    )
    closeSync(stdout)
    await once(child, 'exit')
    expect(numbersOf(readFileSync(file, 'utf8'))).toEqual([0, 1])
  })

  it('whose reader stands still holds up nobody', async () => {
    const child = run(`let turns = 0
      setInterval(() => {
        log(i + 1_000)
        process.stderr.write('turn ' + ++turns + ' ')
      }, 5)`)
    expect(await hear(child.stderr, 'turn 20 ')).toContain('turn 20 ')
  })

  it('whose reader stands still drops what is too much, and says how many lines when it reads on', async () => {
    const child = run(`log(30_000)
      writeSync(2, 'too much')
      process.stdin.resume().on('end', () => log(30_001))`)
    await hear(child.stderr, 'too much')
    const before = await hear(child.stdout, 'were dropped')
    child.stdin?.end()
    const { output } = await endOf(child)
    const lines = linesOf(before + output)
    const kept = lines.findIndex((line) => line.lines !== undefined)
    expect(kept).toBeGreaterThan(10_000)
    expect(lines[kept]).toMatchObject({ level: 40, lines: 30_000 - kept })
    expect(lines.map(({ i }) => i)).toEqual([...upTo(kept), undefined, 30_000])
  })

  it('whose reader is slow says what was dropped where it is missing', async () => {
    const child = run(`log(30_000)
      writeSync(2, 'too much')
      process.stdin.on('data', (bytes) => log(i + 5_000 * bytes.length)).on('end', () => log(i + 1))`)
    await hear(child.stderr, 'too much')
    let output = ''
    for (let megabyte = 1; megabyte <= 12; megabyte++) {
      while (output.length < megabyte * 1_000_000) output += await hear(child.stdout, '"i"')
      child.stdin?.write('+')
    }
    child.stdin?.end()
    const lines = linesOf(output + (await endOf(child)).output)
    let next = 0
    for (const { i, lines: dropped = 0 } of lines) {
      if (i !== undefined) expect(i).toBe(next)
      next = i === undefined ? next + dropped : i + 1
    }
    expect(next).toBe(90_001)
  })

  it('whose reader never reads keeps no process that ends', async () => {
    const child = run(`log(1_000); process.exit(3)`)
    expect(await once(child, 'exit')).toEqual([3, null])
  })

  it.skipIf(!existsSync('/dev/full'))(
    'on a full disk ends nothing, and has every line once there is room',
    async () => {
      const file = fileOf()
      const child = run(
        `closeSync(1)
      openSync('/dev/full', 'w')
      log(10_000)
      setTimeout(() => {
        closeSync(1)
        openSync(process.argv[1], 'w')
        log(10_001)
        setTimeout(() => log(10_002), 10)
      }, 10)`,
        { args: [file] },
      )
      const [told] = await Promise.all([hear(child.stderr), once(child, 'exit')])
      expect([told, child.exitCode]).toEqual(['', 0])
      expect(numbersOf(readFileSync(file, 'utf8'))).toEqual(upTo(10_002))
    },
  )
})
