/** One publisher, a thousand who follow: how many deliveries a second, and how late they are at a modest rate. */
import type { FlowOptions } from '../load/flows.ts'
import { PEERS, type PeerName } from '../peers/peers.ts'
import { measurementOf, throughputRow } from './throughput.ts'
import { type Column, type Row, ratio, ratioGoal, THROUGHPUT_COLUMNS, type Workload } from './workload.ts'

const THREE: readonly PeerName[] = ['ws', 'socket.io', 'tautline']
const SUBSCRIBERS = 1_000
const GROUPS = [
  { name: 'subscribers', connections: SUBSCRIBERS, rooms: 1, follow: true },
  { name: 'publisher', connections: 1, rooms: 1, follow: false },
]
const COLUMNS: readonly Column[] = THROUGHPUT_COLUMNS

function burstRow(peer: PeerName, size: number, bursts: number): Row {
  const flow: FlowOptions = { flow: 'bursts', group: 'publisher', to: 'subscribers', size, bursts }
  return throughputRow({ peer, groups: GROUPS, flow, counts: 'deliveries' })
}

export const fanOut: Workload = {
  name: 'fan-out',
  title: 'Fan-out, 1 publisher to 1,000 subscribers, 4 messages on their way',
  about:
    'Counted are deliveries. A message is sent whenever as many deliveries were made as one needs, so that four of them are on their way and neither server nor load waits for the other. What comes to Tautline while it commits is committed and told together.',
  isQuick: true,
  rows: THREE.map((peer) => burstRow(peer, 1, 4)),
  columns: COLUMNS,
  ratioOf: 'perSecond',
  goals: [
    ratioGoal('of a loop of ws.send', 'perSecond', ['tautline', 'ws'], {
      bound: 'at least',
      must: 1.25,
      aim: 1.4,
      mark: 'ratio',
    }),
  ],
}

export const fanOutBursts: Workload = {
  name: 'fan-out-bursts',
  title: 'Fan-out, 1 publisher to 1,000 subscribers, 16 messages at once',
  about:
    'The next 16 are sent when everybody has the last 16. Tautline commits and tells the sixteen together; the others send each by itself.',
  rows: THREE.map((peer) => burstRow(peer, 16, 1)),
  columns: COLUMNS,
  ratioOf: 'perSecond',
  goals: [
    ratioGoal('of a loop of ws.send', 'perSecond', ['tautline', 'ws'], {
      bound: 'at least',
      must: 1.8,
      aim: 2.4,
      mark: 'ratio',
    }),
  ],
}

function latencyRow(peer: PeerName): Row {
  return {
    key: peer,
    title: PEERS[peer].title,
    async measure(lab) {
      const pair = await lab.pair({ peer })
      try {
        for (const group of GROUPS) await pair.client('open', group)
        await pair.client('start', { flow: 'paced', group: 'publisher', to: 'subscribers', perSecond: 10 })
        const window = await lab.window(pair)
        const { p50, p99 } = await pair.client('latencies')
        await pair.client('stop')
        const { figures, others } = measurementOf(window, 'deliveries')
        return { figures: { ...figures, p50Ms: p50, p99Ms: p99 }, others }
      } finally {
        await pair.stop()
      }
    },
  }
}

export const fanOutLatency: Workload = {
  name: 'fan-out-latency',
  title: 'Latency at 10,000 deliveries a second: 10 messages a second to 1,000 subscribers',
  about: 'From the moment of sending until each subscriber has it; all of them are read by one process.',
  rows: THREE.map(latencyRow),
  columns: [
    { figure: 'p50Ms', title: 'p50 ms', digits: 2 },
    { figure: 'p99Ms', title: 'p99 ms', digits: 2 },
    ...COLUMNS,
  ],
  ratioOf: 'p99Ms',
  goals: [
    {
      what: 'p99, of that of bare ws',
      of: (round) => ratio(round, 'p99Ms', 'tautline'),
      bound: 'at most',
      must: 1.2,
      mark: 'ratio',
    },
  ],
}
