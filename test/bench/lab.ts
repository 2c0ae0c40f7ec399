/**
 * Where measuring happens: a server and a load, each a process of its own on a core of its own, both new for each
 * measurement; and how much others disturbed it.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ClientCalls, Mark } from './client-process.ts'
import { type Caller, callerOf } from './ipc.ts'
import { coresOfOthers, type Machine, readCpu } from './machine.ts'
import type { ServeOptions } from './peers/peer.ts'
import type { PeerName } from './peers/peers.ts'
import type { ServerCalls } from './server-process.ts'

export interface LabOptions {
  readonly machine: Machine
  /** Where databases lie: on a real disk. */
  readonly folder: string
  readonly warmUpMs: number
  readonly measureMs: number
  /** Where profiles of the servers go. */
  readonly profiles: string | undefined
}

export interface PairOptions extends Partial<ServeOptions> {
  readonly peer: PeerName
}

/** A server, and a load that has met it. */
export interface Pair {
  readonly server: Caller<ServerCalls>
  readonly client: Caller<ClientCalls>
  readonly port: number
  readonly folder: string
  /** Closes nothing: the process just ends. */
  kill(): Promise<void>
  stop(): Promise<void>
}

/** What went on while it was measured. */
export interface Window {
  readonly seconds: number
  readonly acks: number
  readonly deliveries: number
  readonly bytes: number
  readonly serverCpuUs: number
  /** Of that, in the program itself. */
  readonly serverUserUs: number
  readonly clientCpuUs: number
  /** Cores that other processes used. */
  readonly others: number
}

export interface Lab {
  readonly options: LabOptions
  pair(options: PairOptions): Promise<Pair>
  /** A server alone. */
  server(options: PairOptions): Promise<Omit<Pair, 'client'>>
  /** A load that has met nobody. */
  client(): Promise<{ readonly client: Caller<ClientCalls>; stop(): Promise<void> }>
  /** Lets what was started warm up, then looks at it. */
  window(pair: Pair): Promise<Window>
  /** Does something, and says how many cores others used meanwhile. */
  observe<T>(act: () => Promise<T>): Promise<{ readonly result: T; readonly others: number }>
  /** A folder that outlives the processes, until the end of the benchmark. */
  makeFolder(): string
  close(): void
}

const STOP_TIMEOUT_MS = 5_000

export function openLab(options: LabOptions): Lab {
  const { machine, warmUpMs, measureMs, profiles } = options
  mkdirSync(options.folder, { recursive: true })
  const root = mkdtempSync(join(options.folder, 'tautline-bench-'))
  const children = new Set<ChildProcess>()
  const pids = () => Array.from(children, ({ pid }) => pid).filter((pid) => pid !== undefined)
  const makeFolder = () => mkdtempSync(join(root, 'run-'))
  const log = openSync(join(root, 'log'), 'a')

  function start(file: 'server-process.ts' | 'client-process.ts', core: number | undefined): ChildProcess {
    const path = fileURLToPath(new URL(file, import.meta.url))
    const profiling = file === 'server-process.ts' && profiles !== undefined
    const node = [
      process.execPath,
      '--conditions=source',
      '--expose-gc',
      ...(profiling ? ['--cpu-prof', `--cpu-prof-dir=${profiles}`] : []),
      path,
    ]
    const [command = '', ...args] = core === undefined ? node : ['taskset', '-c', String(core), ...node]
    // What the server logs goes into a file, as it would in earnest.
    const child = spawn(command, args, { stdio: ['ignore', log, 'inherit', 'ipc'] })
    children.add(child)
    child.on('exit', () => children.delete(child))
    return child
  }

  async function stopChild(child: ChildProcess): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    const deadline = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
    child.disconnect()
    await ended
    clearTimeout(deadline)
  }

  async function killChild(child: ChildProcess): Promise<void> {
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await ended
  }

  async function startServer(pairOptions: PairOptions) {
    const { peer, port = 0, checksTokens = false, admitsAll = true, raisesWindow = false } = pairOptions
    const { folder = makeFolder() } = pairOptions
    const child = start('server-process.ts', machine.pinned?.[0])
    const server = callerOf<ServerCalls>(child)
    const serving = await server('serve', peer, {
      port,
      folder,
      checksTokens,
      admitsAll,
      raisesWindow,
    })
    return { server, port: serving, folder, stop: () => stopChild(child), kill: () => killChild(child) }
  }

  async function startClient() {
    const child = start('client-process.ts', machine.pinned?.[1])
    return { client: callerOf<ClientCalls>(child), stop: () => stopChild(child) }
  }

  return {
    options,
    makeFolder,
    server: startServer,
    client: startClient,

    async pair(pairOptions) {
      const [one, other] = await Promise.all([startServer(pairOptions), startClient()])
      await other.client('meet', pairOptions.peer, one.port)
      return {
        ...one,
        client: other.client,
        async stop() {
          await other.stop()
          await one.stop()
          if (pairOptions.folder === undefined) rmSync(one.folder, { recursive: true, force: true })
        },
      }
    },

    async window({ server, client }) {
      const look = async () => {
        const cpu = readCpu(pids())
        const [usage, mark] = await Promise.all([server('usage'), client('mark')])
        return { cpu, usage, mark }
      }
      await sleep(warmUpMs)
      await client('latencies')
      const from = await look()
      await sleep(measureMs)
      const to = await look()
      const count = (name: Exclude<keyof Mark, 'at'>) => to.mark[name] - from.mark[name]
      return {
        seconds: (to.mark.at - from.mark.at) / 1_000,
        acks: count('acks'),
        deliveries: count('deliveries'),
        bytes: count('bytes'),
        serverCpuUs: to.usage.cpuUs - from.usage.cpuUs,
        serverUserUs: to.usage.userUs - from.usage.userUs,
        clientCpuUs: count('cpuUs'),
        others: coresOfOthers(from.cpu, to.cpu),
      }
    },

    async observe(act) {
      const from = readCpu(pids())
      const result = await act()
      return { result, others: coresOfOthers(from, readCpu(pids())) }
    },

    close() {
      for (const child of children) child.kill('SIGKILL')
      rmSync(root, { recursive: true, force: true })
    },
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
