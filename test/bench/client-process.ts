/** The process of the load: connections of one peer, flows over them, and what they came to. */
import { answerCalls } from './ipc.ts'
import { Crowd, type GroupOptions } from './load/crowd.ts'
import { type FlowOptions, startFlow } from './load/flows.ts'
import { areAllBack, reportHerd, startHerd, watchHerd } from './load/herd.ts'
import { measureReplay } from './load/replay.ts'
import { type SdkOptions, startSdk } from './load/sdk.ts'
import { dialectOf, type PeerName } from './peers/peers.ts'

export interface Mark {
  readonly at: number
  readonly cpuUs: number
  readonly acks: number
  readonly deliveries: number
  /** Of all connections, both ways, without what TCP adds. */
  readonly bytes: number
}

export interface Latencies {
  readonly count: number
  readonly p50: number
  readonly p99: number
}

let crowd: Crowd | undefined
let stop = () => {}
/** Acks that no crowd counts, since the peer's own client was spoken to. */
let sdkAcks = 0
let latencies: number[] = []

const calls = {
  meet(peer: PeerName, port: number): void {
    crowd = new Crowd(dialectOf(peer), port)
  },
  open: (group: GroupOptions): Promise<void> => theCrowd().open(group),
  closeGroup: (name: string): void => theCrowd().closeGroup(name),
  start(options: FlowOptions): void {
    stop = startFlow(theCrowd(), options, (ms) => latencies.push(ms))
  },
  async startSdk(options: SdkOptions): Promise<void> {
    stop = await startSdk(options, () => sdkAcks++)
  },
  stop: (): void => stop(),
  mark(): Mark {
    if (crowd?.fault) throw crowd.fault
    const { user, system } = process.cpuUsage()
    const { acks, deliveries } = crowd?.heard ?? { acks: 0, deliveries: 0 }
    const bytes = crowd?.bytes() ?? 0
    return { at: performance.now(), cpuUs: user + system, acks: acks + sdkAcks, deliveries, bytes }
  },
  /** Of what happened since this was asked last. */
  latencies(): Latencies {
    const sorted = latencies.sort((a, b) => a - b)
    latencies = []
    const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
    return { count: sorted.length, p50: at(0.5), p99: at(0.99) }
  },
  startHerd,
  watchHerd,
  areAllBack,
  reportHerd,
  measureReplay,
}

export type ClientCalls = typeof calls

answerCalls(calls)

function theCrowd(): Crowd {
  if (!crowd) throw new Error('nobody was met yet')
  return crowd
}
