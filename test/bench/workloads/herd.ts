/** Two thousand clients whose server dies and is there again a while later: when they are back, and how they come. */

import { type Lab, sleep } from '../lab.ts'
import type { HerdKind, HerdReport } from '../load/herd.ts'
import type { PeerName } from '../peers/peers.ts'
import type { Goal, Measurement, Round, Row, Workload } from './workload.ts'

const CLIENTS = 2_000
/** How long they may take to come back. */
const PATIENCE_MS = 60_000
const LOOK_EVERY_MS = 250

const KINDS: readonly { readonly kind: HerdKind; readonly title: string; readonly peer: PeerName }[] = [
  { kind: 'tautline', title: 'Tautline', peer: 'tautline' },
  { kind: 'tautline, cap 5 s', title: 'Tautline, backoff capped at 5 s', peer: 'tautline' },
  { kind: 'socket.io', title: 'Socket.IO', peer: 'socket.io' },
  { kind: 'reconnecting-websocket', title: 'reconnecting-websocket on bare ws', peer: 'ws' },
  { kind: 'partysocket', title: 'partysocket on bare ws', peer: 'ws' },
]

function herdRow(kind: HerdKind, title: string, peer: PeerName, awayMs: number): Row {
  return {
    key: kind,
    title,
    async measure(lab): Promise<Measurement> {
      const { result, others } = await lab.observe(() => stampede(lab, kind, peer, awayMs))
      const { p50Ms, p99Ms, crowding, dialsP99, missing } = result
      return {
        figures: { p50S: p50Ms / 1_000, p99S: p99Ms / 1_000, crowding: crowding * 100, dialsP99, missing },
        others,
      }
    },
  }
}

/** The server lets connections in as fast as it does by default, and is killed without a word. */
async function stampede(lab: Lab, kind: HerdKind, peer: PeerName, awayMs: number): Promise<HerdReport> {
  const folder = lab.makeFolder()
  const first = await lab.server({ peer, folder, admitsAll: false })
  const { client, stop } = await lab.client()
  try {
    await client('startHerd', { kind, port: first.port, clients: CLIENTS })
    await client('watchHerd')
    await first.kill()
    await sleep(awayMs)
    const second = await lab.server({ peer, folder, port: first.port, admitsAll: false })
    const since = Date.now()
    while (!(await client('areAllBack')) && Date.now() - since < PATIENCE_MS) await sleep(LOOK_EVERY_MS)
    const report = await client('reportHerd', since)
    await second.kill()
    return report
  } finally {
    await stop()
  }
}

const P99 = { figure: 'p99S' } as const

function figureOf(key: HerdKind, figure: string): (round: Round) => number | undefined {
  return (round) => round[key]?.[figure]
}

function workload(name: string, away: string, awayMs: number, goals: readonly Goal[]): Workload {
  return {
    name,
    title: `2,000 clients, their server away for ${away}`,
    about:
      'Each client is the whole client of its kind with its default waits. The server is killed, and a new one started on the same port after the time named (and the half second of its own start); times are counted from its being there. Tautline lets in 500 a second and 1,000 at once, its default; the others have no such bound.',
    rows: KINDS.map(({ kind, title, peer }) => herdRow(kind, title, peer, awayMs)),
    columns: [
      { figure: 'p50S', title: 'half are back, s', digits: 2 },
      { figure: 'p99S', title: '99 % are back, s', digits: 2 },
      { figure: 'crowding', title: '% within the same 100 ms', digits: 0 },
      { figure: 'dialsP99', title: 'dials, p99', digits: 0 },
      { figure: 'missing', title: 'not back in a minute', digits: 0 },
    ],
    comparedBy: { figure: 'p99S', unit: 's until 99 % are back (less is better)' },
    goals: [
      ...goals,
      {
        what: 'share of all within the same 100 ms',
        of: figureOf('tautline', 'crowding'),
        unit: '%',
        bound: 'at most',
        must: 20,
      },
      { what: 'dials, p99', of: figureOf('tautline', 'dialsP99'), bound: 'at most', must: 8 },
    ],
  }
}

export const herd1: Workload = workload('herd-1s', 'a second', 1_000, [
  {
    what: '99 % are back',
    of: figureOf('tautline', 'p99S'),
    unit: 's',
    bound: 'at most',
    must: 2.5,
    mark: P99,
  },
])

export const herd10: Workload = workload('herd-10s', 'ten seconds', 10_000, [
  {
    what: '99 % are back',
    of: figureOf('tautline', 'p99S'),
    unit: 's',
    bound: 'at most',
    must: 12,
    mark: P99,
  },
  {
    what: '99 % are back, backoff capped at 5 s',
    of: figureOf('tautline, cap 5 s', 'p99S'),
    unit: 's',
    bound: 'at most',
    must: 5,
  },
])
