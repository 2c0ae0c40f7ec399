/** A row that counts: what a flow over some groups of connections comes to, and what each of it cost. */
import type { Window } from '../lab.ts'
import type { GroupOptions } from '../load/crowd.ts'
import type { FlowOptions } from '../load/flows.ts'
import { PEERS, type PeerName } from '../peers/peers.ts'
import type { Measurement, Row } from './workload.ts'

export interface ThroughputOptions {
  readonly key?: string
  readonly title?: string
  readonly peer: PeerName
  readonly groups: readonly GroupOptions[]
  readonly flow: FlowOptions
  readonly counts: 'acks' | 'deliveries'
}

export function throughputRow(options: ThroughputOptions): Row {
  const { peer, groups, flow, counts, key = peer, title = PEERS[peer].title } = options
  return {
    key,
    title,
    async measure(lab) {
      const pair = await lab.pair({ peer })
      try {
        for (const group of groups) await pair.client('open', group)
        await pair.client('start', flow)
        const window = await lab.window(pair)
        await pair.client('stop')
        return measurementOf(window, counts)
      } finally {
        await pair.stop()
      }
    },
  }
}

export function measurementOf(window: Window, counts: 'acks' | 'deliveries'): Measurement {
  const { seconds, serverCpuUs, serverUserUs, clientCpuUs, bytes, others } = window
  const count = window[counts]
  if (count === 0) throw new Error('nothing happened while it was measured')
  const figures = {
    perSecond: count / seconds,
    serverUs: serverCpuUs / count,
    serverUserUs: serverUserUs / count,
    clientUs: clientCpuUs / count,
    bytes: bytes / count,
    serverBusy: serverCpuUs / 1e6 / seconds,
  }
  return { figures, others }
}
