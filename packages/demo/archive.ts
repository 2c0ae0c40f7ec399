/**
 * A room with a long history, for `--messages`: what is said in it is made up, but goes the way of everything that is said,
 * through the application API of the server. Each message has an id of its own for good, so that a second start adds
 * nothing but what is missing.
 */
import type { Server } from '@tautline/server'

export const ARCHIVE = 'archive'

const SPEAKERS = ['ada', 'grace', 'linus', 'margaret'] as const
/** So many are on their way at a time: what is committed together costs one commit. */
const AT_ONCE = 1_000

const OPENINGS = [
  'Did anybody look at',
  'I moved',
  'Nothing new about',
  'Please do not touch',
  'Have a look at',
]
const THINGS = ['the splice', 'the blue crate', 'the lighthouse log', 'the spare halyard', 'the tide table']
const ENDINGS = [
  'yet?',
  'to the shed, second shelf from the left. It was in the way of everybody who wanted to get to the kettle.',
  'today.',
  'before noon; the paint is wet.\nYes, still.',
  'when there is time.',
]

export async function fillArchive(server: Server, count: number): Promise<void> {
  await server.rooms.create({ id: ARCHIVE, visibility: 'public', topic: 'Said before you came' })
  for (const speaker of SPEAKERS) await server.rooms.addMember(ARCHIVE, speaker)
  for (let from = 0; from < count; from += AT_ONCE) {
    const said = Array.from({ length: Math.min(AT_ONCE, count - from) }, (_, i) => from + i)
    await Promise.all(said.map((n) => server.send({ room: ARCHIVE, ...messageOf(n) })))
  }
}

/** One speaker says a few in a row, as people do. */
function messageOf(n: number): {
  readonly sender: string
  readonly messageId: string
  readonly content: string
} {
  const pick = (from: readonly string[], every: number) => from[Math.floor(n / every) % from.length] ?? ''
  const content = `${n + 1}. ${pick(OPENINGS, 1)} ${pick(THINGS, 3)} ${pick(ENDINGS, 2)}`
  return { sender: pick(SPEAKERS, 3), messageId: `archive-${n + 1}`, content }
}
