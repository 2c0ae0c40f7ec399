/** What connections cost that do nothing: the memory of one, and the work to let one in. */
import { sleep } from '../lab.ts'
import { PEERS, type PeerName } from '../peers/peers.ts'
import type { Row, Workload } from './workload.ts'

const CONNECTED = 10_000
const ROOMS = 100
/** Opened and closed before, so that code is compiled and pools have their size. */
const REHEARSED = 2_000
const KIB = 1_024

function memoryRow(peer: PeerName): Row {
  return {
    key: peer,
    title: PEERS[peer].title,
    measure(lab) {
      return lab
        .observe(async () => {
          const pair = await lab.pair({ peer })
          try {
            await pair.client('open', { name: 'early', connections: REHEARSED, rooms: ROOMS, follow: true })
            await pair.client('closeGroup', 'early')
            const before = await pair.server('residentBytes')
            await pair.client('open', { name: 'crowd', connections: CONNECTED, rooms: ROOMS, follow: true })
            const after = await pair.server('residentBytes')
            return (after - before) / CONNECTED / KIB
          } finally {
            await pair.stop()
          }
        })
        .then(({ result: kibEach, others }) => ({ figures: { kibEach }, others }))
    },
  }
}

export const memory: Workload = {
  name: 'memory',
  title: 'Memory of a connection, 10,000 of them, each in one of 100 rooms',
  about:
    'Resident memory of the server after a garbage collection, less what it was before, by connection. 2,000 connections came and went before. A client of Tautline also follows its user’s own log, and is a member of its room in the database.',
  rows: (['ws', 'socket.io', 'tautline'] as const).map(memoryRow),
  columns: [{ figure: 'kibEach', title: 'KiB', digits: 1 }],
  ratioOf: 'kibEach',
  goals: [
    {
      what: 'of one connection',
      of: (round) => round['tautline']?.['kibEach'],
      unit: 'KiB',
      bound: 'at most',
      must: 10,
      aim: 8,
      mark: { figure: 'kibEach' },
    },
  ],
}

const ACCEPTED = 3_000
/** For the server to be done with those that left: what that costs is not what is asked for. */
const LEFT_MS = 500

function acceptRow(peer: PeerName, checksTokens: boolean, title: string): Row {
  return {
    key: checksTokens && peer !== 'tautline' ? `${peer}, JWT` : peer,
    title,
    async measure(lab) {
      const pair = await lab.pair({ peer, checksTokens })
      const groupOf = (name: string) => ({ name, connections: ACCEPTED, rooms: 0, follow: false })
      try {
        await pair.client('open', groupOf('early'))
        await pair.client('closeGroup', 'early')
        await sleep(LEFT_MS)
        const before = await pair.server('usage')
        const { others } = await lab.observe(() => pair.client('open', groupOf('crowd')))
        const after = await pair.server('usage')
        return { figures: { acceptUs: (after.cpuUs - before.cpuUs) / ACCEPTED }, others }
      } finally {
        await pair.stop()
      }
    },
  }
}

export const accept: Workload = {
  name: 'accept',
  title: 'Server CPU to accept one connection',
  about:
    '3,000 connections, 100 of them at a time, from the TCP connection to the answer to their first frame. Bare ws and Socket.IO check nothing by themselves; the rows with JWT do it with the same library (jose).',
  rows: [
    acceptRow('ws', false, 'bare ws, nothing checked'),
    acceptRow('ws', true, 'bare ws with a JWT checked'),
    acceptRow('socket.io', false, 'Socket.IO, nothing checked'),
    acceptRow('socket.io', true, 'Socket.IO with a JWT checked'),
    acceptRow('tautline', true, 'Tautline'),
  ],
  columns: [{ figure: 'acceptUs', title: 'µs', digits: 0 }],
  ratioOf: 'acceptUs',
  goals: [
    {
      what: 'with the JWT checked',
      of: (round) => round['tautline']?.['acceptUs'],
      unit: 'µs',
      bound: 'at most',
      must: 150,
      mark: { figure: 'acceptUs' },
    },
  ],
}
