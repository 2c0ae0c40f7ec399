/** What it costs the server to validate a frame, in units of what it costs to parse it: both in one process, in turns. */
import { decodeClientFrame, decodeCommand } from '@tautline/protocol'
import { dialect } from '../peers/tautline-dialect.ts'

const BATCHES = 41
const WARM_UP_BATCHES = 20

/** The frame holds `commands` messages. Median of (decode and validate) ÷ (JSON.parse), less one. */
export function measureValidation(commands: number): number {
  const talk = dialect.talk({ user: 'ada', token: '' })
  const [frame = ''] = talk.say('room-0', commands)
  const rounds = Math.ceil(20_000 / commands)
  const ratios: number[] = []
  for (let i = 0; i < WARM_UP_BATCHES + BATCHES; i++) {
    const parsing = time(rounds, () => void (JSON.parse(frame) as unknown))
    const all = time(rounds, () => decode(frame))
    if (i >= WARM_UP_BATCHES) ratios.push(all / parsing - 1)
  }
  return ratios.sort((a, b) => a - b)[Math.floor(BATCHES / 2)] ?? 0
}

/** What the server does with a frame before it acts on it. */
function decode(frame: string): void {
  for (const decoded of decodeClientFrame(frame)) {
    if (!decoded.ok || decoded.message.type !== 'commands') throw new Error('the frame is not of its form')
    for (const item of decoded.message.payload.commands)
      if (!decodeCommand(item).ok) throw new Error('a command is not of its form')
  }
}

function time(rounds: number, act: () => void): number {
  const begun = performance.now()
  for (let i = 0; i < rounds; i++) act()
  return performance.now() - begun
}
