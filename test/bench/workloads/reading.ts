/** What a client that was away gets back, and how fast. */
import type { Row, Workload } from './workload.ts'

const MISSED = 10_000
const READERS = 5
const ROOM = 'missed'

function replayRow(key: string, title: string, withClient: boolean): Row {
  return {
    key,
    title,
    async measure(lab) {
      const pair = await lab.pair({ peer: 'tautline' })
      try {
        if (!withClient) await pair.server('fill', ROOM, MISSED)
        const { result, others } = await lab.observe(async () => {
          const took: number[] = []
          const before = await pair.server('usage')
          for (let i = 0; i < READERS; i++)
            took.push(
              await pair.client('measureReplay', {
                port: pair.port,
                // What the client misses is said while it is away: each time in another room.
                room: withClient ? `${ROOM}-${i}` : ROOM,
                messages: MISSED,
                withClient,
              }),
            )
          const after = await pair.server('usage')
          return { took, serverUs: (after.cpuUs - before.cpuUs) / (READERS * MISSED) }
        })
        const medianMs = result.took.sort((a, b) => a - b)[Math.floor(READERS / 2)] ?? 0
        const figures = { perSecond: MISSED / (medianMs / 1_000) }
        // The server of the client's row also stored them.
        return { figures: withClient ? figures : { ...figures, serverUs: result.serverUs }, others }
      } finally {
        await pair.stop()
      }
    },
  }
}

export const replay: Workload = {
  name: 'replay',
  title: 'Replay of 10,000 missed messages after a reconnect',
  about:
    'From the question to the last message, page after page, on a connection that is authenticated; median of five. Bare frames: the load parses the pages and asks for the next. With the client: from `connect()` on, with every message an event of the room. The server sets no bound on how far behind a client may be (`maxReplayEntries`; by default 1,000).',
  rows: [
    replayRow('bare frames', 'Tautline, bare frames', false),
    replayRow('client', 'Tautline with its client', true),
  ],
  columns: [
    { figure: 'perSecond', title: 'messages a second', digits: 0 },
    { figure: 'serverUs', title: 'server µs each', digits: 2 },
  ],
  goals: [
    {
      what: 'messages a second, bare frames',
      of: (round) => round['bare frames']?.['perSecond'],
      bound: 'at least',
      must: 100_000,
      aim: 200_000,
      mark: { figure: 'perSecond' },
    },
  ],
}

function validationRow(commands: number, title: string): Row {
  return {
    key: `${commands}`,
    title,
    async measure(lab) {
      const { server, stop } = await lab.server({ peer: 'tautline' })
      try {
        const { result, others } = await lab.observe(() => server('measureValidation', commands))
        return { figures: { ofParse: result }, others }
      } finally {
        await stop()
      }
    },
  }
}

export const validation: Workload = {
  name: 'validation',
  title: 'Validation of one frame, in units of its JSON.parse',
  about:
    'What the server does between JSON.parse and acting on a frame: depth, text, envelope, payload and each command. Both are timed in turns in one process. Of a frame above a third of the largest (64 KiB) the bytes are counted, character by character: most of what 128 messages cost.',
  rows: [
    validationRow(1, 'a frame of one message'),
    validationRow(16, 'a frame of 16 messages'),
    validationRow(128, 'a frame of 128 messages'),
  ],
  columns: [{ figure: 'ofParse', title: 'of JSON.parse', digits: 2 }],
  goals: [
    {
      what: 'one message',
      of: (round) => round['1']?.['ofParse'],
      bound: 'at most',
      must: 0.2,
      mark: { figure: 'ofParse' },
    },
    { what: '16 messages', of: (round) => round['16']?.['ofParse'], bound: 'at most', must: 0.2 },
  ],
}
