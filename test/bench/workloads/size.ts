/**
 * Whether a message costs more where there is more: rooms, messages that are stored already, connections that are there.
 * The load is the same in all of them: ten connections at a time have 16 messages in flight in one room each, and when those
 * are acknowledged the next connection has its turn, in its next room. So every room and every connection gets some.
 */
import type { Lab } from '../lab.ts'
import type { PeerName } from '../peers/peers.ts'
import { measurementOf } from './throughput.ts'
import { type Measurement, type Round, type Row, ratio, type Workload } from './workload.ts'

const FLIGHTS = 10
const SIZE = 16
const CONNECTIONS = 100

interface Scale {
  readonly connections: number
  readonly rooms: number
  /** In the only room, before. */
  readonly stored: number
}

/** A room takes long to fill; the file is used again in the next round, which finds some seconds' messages more. */
const filled = new WeakMap<Lab, Map<number, string>>()

async function measureAt(
  lab: Lab,
  peer: PeerName,
  { connections, rooms, stored }: Scale,
): Promise<Measurement> {
  const folders = filled.get(lab) ?? new Map<number, string>()
  filled.set(lab, folders)
  const known = peer === 'tautline' && stored > 0 ? folders.get(stored) : undefined
  const folder = known ?? lab.makeFolder()
  const pair = await lab.pair({ peer, folder })
  try {
    if (peer === 'tautline' && stored > 0 && known === undefined) {
      await pair.server('fill', 'room-0', stored)
      folders.set(stored, folder)
    }
    await pair.client('open', { name: 'speakers', connections, rooms, follow: false })
    await pair.client('start', { flow: 'flights', group: 'speakers', flights: FLIGHTS, size: SIZE })
    const window = await lab.window(pair)
    await pair.client('stop')
    return measurementOf(window, 'acks')
  } finally {
    await pair.stop()
  }
}

function pointRows(scale: Scale, name: string, title: string): readonly Row[] {
  return (['ws', 'tautline'] as const).map((peer) => ({
    key: `${peer}, ${name}`,
    title: `${peer === 'ws' ? 'bare ws' : 'Tautline'}, ${title}`,
    measure: (lab) => measureAt(lab, peer, scale),
  }))
}

interface Axis {
  readonly name: string
  readonly title: string
  readonly of: string
  readonly sizes: readonly number[]
  readonly scaleOf: (size: number) => Scale
  /** How much more a message may cost at the largest size than at the smallest, each relative to ws. */
  readonly must: number
}

function workloadOf({ name, title, of, sizes, scaleOf, must }: Axis): Workload {
  const nameOf = (size: number) => `${size} ${of}`
  const costAt = (round: Round, size: number) =>
    ratio(round, 'serverUs', `tautline, ${nameOf(size)}`, `ws, ${nameOf(size)}`)
  const [smallest = 0] = sizes
  const largest = sizes.at(-1) ?? 0
  return {
    name,
    title,
    about:
      'Server microseconds of an acknowledged message, as a ratio to those of bare ws at the same size in the same round. Ten connections at a time have 16 messages in flight in one room each; then it is the next connection’s turn, and its next room’s.',
    rows: sizes.flatMap((size) =>
      pointRows(scaleOf(size), nameOf(size), `${size.toLocaleString('en')} ${of}`),
    ),
    columns: [
      { figure: 'perSecond', title: 'a second', digits: 0 },
      { figure: 'serverUs', title: 'server µs each', digits: 2 },
    ],
    goals: [
      {
        what: `cost at ${largest.toLocaleString('en')} ${of}, of that at ${smallest.toLocaleString('en')}`,
        of(round) {
          const [small, large] = [costAt(round, smallest), costAt(round, largest)]
          return small === undefined || large === undefined ? undefined : large / small
        },
        bound: 'at most',
        must,
      },
    ],
    lines: [
      {
        title: `${title}: server µs a message, of those of bare ws`,
        figure: 'serverUs',
        points: sizes.map((size) => ({
          size,
          key: `tautline, ${nameOf(size)}`,
          toKey: `ws, ${nameOf(size)}`,
        })),
      },
    ],
  }
}

export const sizeOfRooms = workloadOf({
  name: 'rooms',
  title: 'Cost against rooms',
  of: 'rooms',
  sizes: [1, 100, 10_000],
  scaleOf: (rooms) => ({ connections: CONNECTIONS, rooms, stored: 0 }),
  must: 1.2,
})

export const sizeOfLog = workloadOf({
  name: 'stored',
  title: 'Cost against stored messages',
  of: 'stored',
  sizes: [1, 10_000, 1_000_000],
  scaleOf: (stored) => ({ connections: CONNECTIONS, rooms: 1, stored }),
  must: 2,
})

export const sizeOfCrowd = workloadOf({
  name: 'connections',
  title: 'Cost against connections',
  of: 'connections',
  sizes: [10, 100, 1_000, 10_000],
  scaleOf: (connections) => ({ connections, rooms: 1, stored: 0 }),
  must: 1.2,
})
