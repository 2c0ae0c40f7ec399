/** Acknowledged sends, by many connections, by one that has much in flight, and by one that waits for each. */

import type { Lab } from '../lab.ts'
import type { PeerName } from '../peers/peers.ts'
import { PEERS } from '../peers/peers.ts'
import { measurementOf, throughputRow } from './throughput.ts'
import { type Measurement, type Row, ratioGoal, THROUGHPUT_COLUMNS, type Workload } from './workload.ts'

const ALL: readonly PeerName[] = ['ws', 'socket.io', 'socket.io+insert', 'tautline']
const SENDERS = 'senders'

function windowRow(
  peer: PeerName,
  connections: number,
  size: number,
  more: { key?: string; title?: string } = {},
): Row {
  return throughputRow({
    peer,
    ...more,
    groups: [{ name: SENDERS, connections, rooms: 1, follow: false }],
    flow: { flow: 'window', group: SENDERS, size },
    counts: 'acks',
  })
}

/** With the peer's own client, and what its application keeps in flight. */
function sdkRow(peer: PeerName, title: string, raisesWindow = false): Row {
  return {
    key: `${peer} sdk${raisesWindow ? ', window raised' : ''}`,
    title,
    comparedWith: 'tautline sdk',
    async measure(lab) {
      const pair = await lab.pair({ peer, raisesWindow })
      try {
        await pair.client('startSdk', { peer, port: pair.port, size: 256 })
        const window = await lab.window(pair)
        await pair.client('stop')
        return measurementOf(window, 'acks')
      } finally {
        await pair.stop()
      }
    },
  }
}

export const manySenders: Workload = {
  name: 'sends',
  title: 'Acknowledged sends, 100 connections × 16 in flight',
  about:
    'All 100 write into one room, which none of them follows; each has 16 messages without an acknowledgement at any time. Sixteen are more than a server of Tautline allows a client in one room by default (8): the load keeps no such bound.',
  isQuick: true,
  rows: ALL.map((peer) => windowRow(peer, 100, 16)),
  columns: THROUGHPUT_COLUMNS,
  ratioOf: 'perSecond',
  goals: [
    ratioGoal('of bare ws', 'perSecond', ['tautline', 'ws'], {
      bound: 'at least',
      must: 0.35,
      aim: 0.65,
      mark: 'ratio',
    }),
    ratioGoal('of what Socket.IO does with an INSERT each', 'perSecond', ['tautline', 'socket.io+insert'], {
      bound: 'at least',
      must: 1.5,
    }),
  ],
}

export const oneSender: Workload = {
  name: 'one-sender',
  title: 'Acknowledged sends, 1 connection × 256 in flight',
  about:
    'The window of 256 is larger than what a server of Tautline allows a client by default (8 for one room, 32 in all): the load keeps no such bound. The rows “window of 8” and “with its own client” show what the defaults make of it.',
  rows: [
    ...ALL.map((peer) => windowRow(peer, 1, 256)),
    windowRow('tautline', 1, 8, { key: 'tautline, window of 8', title: 'Tautline, window of 8' }),
    sdkRow('ws', 'ws with its own client'),
    sdkRow('socket.io', 'Socket.IO with its own client'),
    sdkRow('tautline', 'Tautline with its own client, window raised', true),
    sdkRow('tautline', 'Tautline with its own client, as it comes'),
  ],
  columns: THROUGHPUT_COLUMNS,
  ratioOf: 'perSecond',
  goals: [
    ratioGoal('of bare ws, window raised', 'perSecond', ['tautline', 'ws'], {
      bound: 'at least',
      must: 0.35,
      aim: 0.6,
      mark: 'ratio',
    }),
  ],
}

export const smallWindow: Workload = {
  name: 'small-window',
  title: 'Acknowledged sends, 1 connection × 16 in flight',
  about:
    'Little is there to be committed together: the time of one sync of the disk bounds it. Sixteen are more than a server of Tautline allows a client in one room by default (8): the load keeps no such bound.',
  rows: ALL.map((peer) => windowRow(peer, 1, 16)),
  columns: THROUGHPUT_COLUMNS,
  ratioOf: 'perSecond',
  goals: [
    ratioGoal('of bare ws', 'perSecond', ['tautline', 'ws'], {
      bound: 'at least',
      must: 0.2,
      aim: 0.4,
      mark: 'ratio',
    }),
  ],
}

const FSYNCS = 200

/** One at a time, beside what one sync of the same disk takes in the same round. */
function lockStepRow(peer: PeerName): Row {
  return {
    key: peer,
    title: PEERS[peer].title,
    async measure(lab: Lab): Promise<Measurement> {
      const pair = await lab.pair({ peer })
      try {
        const fsyncMs = await pair.server('fsyncMs', pair.folder, FSYNCS)
        await pair.client('open', { name: SENDERS, connections: 1, rooms: 1, follow: false })
        await pair.client('start', { flow: 'window', group: SENDERS, size: 1 })
        const window = await lab.window(pair)
        const { p50, p99 } = await pair.client('latencies')
        await pair.client('stop')
        const { figures, others } = measurementOf(window, 'acks')
        return {
          figures: { ...figures, p50Ms: p50, p99Ms: p99, fsyncMs, overFsyncMs: p50 - fsyncMs },
          others,
        }
      } finally {
        await pair.stop()
      }
    },
  }
}

export const lockStep: Workload = {
  name: 'lock-step',
  title: 'One message at a time, 1 connection × 1',
  about:
    'What somebody who types waits for. “One fsync” is the median of 200 synced writes of a page into the same folder, in the process of the server, just before.',
  isQuick: true,
  rows: ALL.map(lockStepRow),
  columns: [
    { figure: 'p50Ms', title: 'p50 ms', digits: 3 },
    { figure: 'p99Ms', title: 'p99 ms', digits: 3 },
    { figure: 'fsyncMs', title: 'one fsync ms', digits: 3 },
    ...THROUGHPUT_COLUMNS,
  ],
  ratioOf: 'p50Ms',
  goals: [
    {
      what: 'p50 on top of one fsync of the same round',
      of: (round) => round['tautline']?.['overFsyncMs'],
      unit: 'ms',
      bound: 'at most',
      must: 0.25,
      aim: 0.15,
    },
  ],
}

export const bytes: Workload = {
  name: 'bytes',
  title: 'Bytes of one acknowledged message beyond its 200, both ways',
  about:
    'What the connection carried both ways, with the heads of WebSocket frames and without what TCP adds: one message at a time (1 × 1), and in a flow (1 × 256).',
  rows: [
    ...(['ws', 'socket.io', 'tautline'] as const).map((peer) => bytesRow(peer, 1)),
    ...(['ws', 'socket.io', 'tautline'] as const).map((peer) => bytesRow(peer, 256)),
  ],
  columns: [{ figure: 'beyond', title: 'bytes', digits: 0 }],
  comparedBy: { figure: 'beyond', unit: 'bytes (less is better)' },
  goals: [
    {
      what: 'one by one',
      of: (round) => round['tautline × 1']?.['beyond'],
      unit: 'bytes',
      bound: 'at most',
      must: 250,
      mark: { figure: 'beyond' },
    },
    {
      what: 'in a flow',
      of: (round) => round['tautline × 256']?.['beyond'],
      unit: 'bytes',
      bound: 'at most',
      must: 140,
      aim: 80,
    },
  ],
}

function bytesRow(peer: PeerName, size: number): Row {
  const row = windowRow(peer, 1, size, {
    key: `${peer} × ${size}`,
    title: `${PEERS[peer].title}, ${size === 1 ? 'one by one' : 'in a flow'}`,
  })
  return {
    ...row,
    comparedWith: `tautline × ${size}`,
    async measure(lab) {
      const { figures, others } = await row.measure(lab)
      return { figures: { ...figures, beyond: (figures['bytes'] ?? 0) - 200 }, others }
    },
  }
}
