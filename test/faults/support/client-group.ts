/** Clients in a process of their own, as the one who started it sees them: what they tell, and when they are live. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { HistoryEvent } from '../history.ts'
import type { ClientProcessOptions, Line, Note } from './client-process.ts'

const SCRIPT = new URL('./client-process.ts', import.meta.url).pathname

export interface ClientGroup {
  word(word: 'load' | 'stop' | 'end'): void
  /** Resolves when all clients follow all their rooms; at once where they do. */
  live(): Promise<void>
  /** Resolves when this was noted, since the start. */
  noted(note: 'loading' | 'settled'): Promise<void>
  /** SIGKILL. Resolves when the process is gone and all that it told has been read. */
  kill(): Promise<void>
}

export interface Telling {
  event(event: HistoryEvent): void
  note(note: Note): void
}

/** `under`: a command that runs it, such as strace with its options. */
export function startClients(
  options: ClientProcessOptions,
  telling: Telling,
  under: readonly string[] = [],
): ClientGroup {
  const program = [...under, process.execPath, '--conditions=source', SCRIPT, JSON.stringify(options)]
  const child: ChildProcess = spawn(program[0] ?? '', program.slice(1), {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const gone = once(child, 'close')
  const live = new Set<string>()
  const notes = new Set<Note['note']>()
  const waiting = new Set<() => void>()
  let isKilled = false
  const changed = () => {
    for (const look of Array.from(waiting)) look()
  }
  const until = (isSo: () => boolean) =>
    new Promise<void>((resolve, reject) => {
      const look = () => {
        if (child.exitCode !== null && !isKilled) reject(new Error(`clients ended with ${child.exitCode}`))
        else if (isSo()) resolve()
        else return
        waiting.delete(look)
      }
      waiting.add(look)
      look()
    })
  gone.then(changed, changed)

  if (!child.stdout) throw new Error('a process without output')
  createInterface({ input: child.stdout }).on('line', (text) => {
    const line = parse(text)
    if (!line) return
    if ('event' in line) return telling.event(line)
    if (line.note === 'live' && line.isLive) live.add(line.client)
    if (line.note === 'live' && !line.isLive) live.delete(line.client)
    notes.add(line.note)
    telling.note(line)
    changed()
  })

  return {
    word(word) {
      if (word !== 'end') notes.delete('settled')
      child.stdin?.write(`${word}\n`)
    },
    live: () => until(() => live.size === options.clients.length),
    noted: (note) => until(() => notes.has(note)),
    async kill() {
      isKilled = true
      child.kill('SIGKILL')
      await gone
    },
  }

  /** The last line of a killed process may be the half of one. */
  function parse(text: string): Line | undefined {
    try {
      return JSON.parse(text) as Line
    } catch (error) {
      if (isKilled) return undefined
      throw error
    }
  }
}
