/** The machine: what it is, which cores the two processes get, and how much of it others use meanwhile. */

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, release, totalmem } from 'node:os'

export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryGiB: number
  readonly system: string
  readonly node: string
  /** The cores of server and client; undefined: they could not be pinned. */
  readonly pinned: readonly [server: number, client: number] | undefined
}

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${process.platform} ${release()} ${process.arch}`,
    node: process.versions.node,
    pinned: chooseCores(),
  }
}

/** The first and the last core that this process may use, where `taskset` is there to give them out. */
function chooseCores(): Machine['pinned'] {
  if (process.platform !== 'linux' || spawnSync('taskset', ['--version']).status !== 0) return undefined
  const [, list] = /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
  const all = (list ?? '').split(',').flatMap((range) => range.split('-').map(Number))
  const [first, last] = [all[0], all.at(-1)]
  return first === undefined || last === undefined || first === last ? undefined : [first, last]
}

/** CPU seconds that all processes and those of the benchmark have used so far; undefined where that is not known. */
export interface CpuReading {
  readonly at: number
  readonly all: number
  readonly ours: number
}

const TICKS_PER_SECOND = 100

/** `children`: those of ours that run; of those that ended the system knows. */
export function readCpu(children: readonly number[]): CpuReading | undefined {
  if (process.platform !== 'linux') return undefined
  const [user = 0, nice = 0, system = 0, , , , , steal = 0] =
    /^cpu\s+(.*)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1]?.split(' ').map(Number) ?? []
  const [own = 0, ended = 0] = ticksOf('self')
  const running = children.reduce((sum, pid) => sum + ticksOf(pid).reduce((a, b) => a + b), 0)
  const all = (user + nice + system + steal) / TICKS_PER_SECOND
  return { at: performance.now(), all, ours: (own + ended + running) / TICKS_PER_SECOND }
}

/** How many cores others used between the two readings. */
export function coresOfOthers(from: CpuReading | undefined, to: CpuReading | undefined): number {
  if (!from || !to) return 0
  const used = to.all - from.all - (to.ours - from.ours)
  return Math.max(0, used / ((to.at - from.at) / 1_000))
}

/** Of a process, and of its children that ended. */
function ticksOf(pid: number | 'self'): readonly number[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name, in parentheses, may hold spaces.
    const fields = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number)
    return [(fields[11] ?? 0) + (fields[12] ?? 0), (fields[13] ?? 0) + (fields[14] ?? 0)]
  } catch {
    return [0, 0] // It has just ended: its ticks are with those of the children that did.
  }
}
