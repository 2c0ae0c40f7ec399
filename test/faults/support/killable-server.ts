/** Starts, kills and starts again the server of server-process.ts, on the same file and port. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ServerProcessOptions } from './server-process.ts'

const SCRIPT = new URL('./server-process.ts', import.meta.url).pathname

export interface KillableServer {
  readonly secret: string
  readonly file: string
  /** A folder that goes with it. */
  readonly folder: string
  /** Where it listens. Known after the first start. */
  port(): number
  /** Runs a pragma on the server's own connection to its database. */
  pragma(pragma: string): void
  /** SIGSTOP: no byte is read, no timer fires; and SIGCONT. */
  freeze(isFrozen: boolean): void
  /** Resolves when it listens. `under`: a command that runs it, such as strace with its options. */
  start(options?: { readonly pragmas?: readonly string[]; readonly under?: readonly string[] }): Promise<void>
  /** SIGKILL: no handler runs, nothing is flushed. Resolves when the process is gone. */
  kill(): Promise<void>
  /** Kills it and removes its folder. */
  dispose(): Promise<void>
}

/** `on`: the file of another one. */
export function createKillableServer(on?: KillableServer): KillableServer {
  const folder = mkdtempSync(join(tmpdir(), 'tautline-faults-'))
  const file = on?.file ?? join(folder, 'chat.db')
  const secret = 'the secret of the fault tests, long enough for HS256'
  let child: ChildProcess | undefined
  let port = 0

  async function kill(): Promise<void> {
    const victim = child
    child = undefined
    if (!victim || victim.exitCode !== null) return
    const gone = once(victim, 'exit')
    victim.kill('SIGKILL')
    await gone
  }

  return {
    secret,
    file,
    folder,
    port: () => port,
    pragma: (pragma) => void child?.stdin?.write(`${pragma}\n`),
    freeze: (isFrozen) => void child?.kill(isFrozen ? 'SIGSTOP' : 'SIGCONT'),
    async start({ pragmas = [], under = [] } = {}) {
      const options: ServerProcessOptions = { file, port, secret, pragmas }
      const program = [...under, process.execPath, '--conditions=source', SCRIPT, JSON.stringify(options)]
      child = spawn(program[0] ?? '', program.slice(1), { stdio: ['pipe', 'pipe', 'pipe'] })
      // What a dead process does not read is of no interest.
      child.stdin?.on('error', () => {})
      const complaints: string[] = []
      child.stderr?.on('data', (chunk: Buffer) => complaints.push(chunk.toString()))
      const died = once(child, 'close').then(([code]) => {
        throw new Error(`the server ended with ${String(code)} before it listened: ${complaints.join('')}`)
      })
      const listening = once(child.stdout ?? child, 'data')
      const [line] = (await Promise.race([listening, died])) as [Buffer]
      died.catch(() => {
        // From here on its end is what the test wants.
      })
      port = Number(line.toString())
      child.stderr?.pipe(process.stderr)
    },
    kill,
    async dispose() {
      await kill()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
