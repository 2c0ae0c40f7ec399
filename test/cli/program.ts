// The command line as a real process, for the tests: run it to its end, or talk to it line by line.

import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

export const SECRET = 'a secret of the tests that is long enough'

const CLI = fileURLToPath(new URL('../../packages/cli/src/cli.ts', import.meta.url))
const NODE_ARGUMENTS = ['--conditions=source', CLI]

type Environment = Readonly<Record<string, string>>

const envOf = (more: Environment) => ({ PATH: process.env['PATH'], ...more })

export interface Result {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Runs it to its end, with `input` on its standard input. */
export function run(args: readonly string[], more: Environment = {}, input = ''): Promise<Result> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [...NODE_ARGUMENTS, ...args],
      { env: envOf(more) },
      (error, out, err) => {
        resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, out, err })
      },
    )
    child.stdin?.end(input)
  })
}

export interface Program {
  /** Resolves with the next line that matches, of the standard output or the standard error. */
  line(pattern: RegExp): Promise<RegExpExecArray>
  /** Everything printed up to now, line by line. */
  readonly lines: readonly string[]
  write(text: string): void
  end(): void
  kill(signal: NodeJS.Signals): Promise<unknown>
  readonly exited: Promise<number | null>
}

/** Starts it and lets it run; it is killed at the end of the test at the latest. */
export function start(args: readonly string[], more: Environment = {}): Program {
  const child = spawn(process.execPath, [...NODE_ARGUMENTS, ...args], { env: envOf(more), stdio: 'pipe' })
  onTestFinished(() => void child.kill('SIGKILL'))
  const lines: string[] = []
  const waiting = new Set<() => void>()
  const check = () => {
    for (const look of Array.from(waiting)) look()
  }
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line)
      check()
    })
  }
  const exited = once(child, 'close').then(([code]) => code as number | null)
  return {
    lines,
    line: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          for (let index = 0; index < lines.length; index++) {
            const match = pattern.exec(lines[index] ?? '')
            if (!match) continue
            // Both streams come in one list, and their order is not certain: only what was asked for is used up.
            lines[index] = ''
            waiting.delete(look)
            return resolve(match)
          }
        }
        waiting.add(look)
        look()
        exited.then(
          () => reject(new Error(`It ended, and ${pattern} was not among:\n${lines.join('\n')}`)),
          reject,
        )
      }),
    write: (text) => void child.stdin.write(text),
    end: () => void child.stdin.end(),
    async kill(signal) {
      child.kill(signal)
      return exited
    },
    exited,
  }
}

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tautline-cli-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A server as a process, and its address. */
export async function startServer(
  db: string,
  port = 0,
): Promise<{ readonly program: Program; readonly url: string }> {
  const program = start(['serve', '--port', String(port), '--db', db], { TAUTLINE_SECRET: SECRET })
  const [, url = ''] = await program.line(/^Serving (\S+)\./)
  return { program, url }
}
