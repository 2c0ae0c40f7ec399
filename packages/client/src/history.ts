/**
 * What was said in a room, as it stands: pages of messages with what came of them folded in, the answers to one, what one
 * has said before, and who reacted to it. It is asked of the server each time; what is shown and stays is a timeline.
 */
import { foldedMessage, type PayloadOf } from '@tautline/protocol/wire'
import { type Message, type MessageName, messageOfFolded, nameOf } from './message.ts'
import type { Room } from './room.ts'
import { HISTORY_CHECKS } from './subject-checks.ts'

/** Who reacted to a message with an emoji. */
export interface Reactors {
  readonly emoji: string
  readonly count: number
  /** The first 100 of them, in the order in which they did. */
  readonly users: readonly string[]
}

export interface Versions {
  /** `seq`: the position of the entry that said it; `body`: all that it said. */
  readonly versions: PayloadOf<'version_list'>['versions']
  readonly hasOlder: boolean
}

export interface History {
  /** In the order of the room, as they stand at the position `at`: what came of them up to there is in their bodies. */
  readonly messages: readonly Message[]
  readonly at: number
  readonly hasOlder: boolean
  readonly hasNewer: boolean
  /** Where to go on towards the beginning: the `before` of the next call. */
  readonly oldestSeq: number | undefined
  /** Where to go on towards the end: the `after` of the next call. */
  readonly newestSeq: number | undefined
  /** Of a thread: whether we are told of its answers. */
  readonly following?: boolean | undefined
}

/** Messages next before a position; at most 100, by default 50. */
export interface PageOptions {
  readonly before?: number | undefined
  readonly limit?: number | undefined
}

/** Messages next before a position, or next after one (default: the newest); at most 100, by default 50. */
export async function history(
  room: Room,
  {
    before,
    after,
    limit,
  }: PageOptions & {
    /** From the oldest on: 0. Not together with `before`. */
    readonly after?: number | undefined
  } = {},
): Promise<History> {
  const { port } = withChecks(room)
  const payload = { room: room.id, before, after, limit }
  return historyOf(room, await port.request({ type: 'get_history', payload }, 'history'))
}

/** The answers to a message: the newest, or those next before a position. */
export async function thread(
  room: Room,
  message: MessageName,
  { before, limit }: PageOptions = {},
): Promise<History> {
  const { port } = withChecks(room)
  const payload = { ...targetIn(room, message), before, limit }
  return historyOf(room, await port.request({ type: 'get_thread', payload }, 'history'))
}

/**
 * What a message has said, and says now, the newest first. None where it was deleted. Rejects with FORBIDDEN where it is
 * not there, UNKNOWN_TYPE where the server tells nobody.
 */
export async function versions(
  room: Room,
  message: MessageName,
  { before, limit }: PageOptions = {},
): Promise<Versions> {
  const { port } = withChecks(room)
  const payload = { ...targetIn(room, message), before, limit }
  const list = await port.request({ type: 'get_versions', payload }, 'version_list')
  const { versions: said, hasOlder } = list as PayloadOf<'version_list'>
  return { versions: said, hasOlder }
}

/** Who reacted to a message. Rejects with FORBIDDEN where it is not there. */
export async function reactions(room: Room, message: MessageName): Promise<readonly Reactors[]> {
  const { port } = withChecks(room)
  const list = await port.request(
    { type: 'get_reactions', payload: targetIn(room, message) },
    'reaction_list',
  )
  return (list as PayloadOf<'reaction_list'>).reactions
}

/**
 * Be told of the answers to a message, as `answered` of the client. Whose message it is, and who answers it, follows by
 * itself. Rejects with FORBIDDEN where it is not there: await a message of ours first.
 */
export async function followThread(room: Room, message: MessageName): Promise<void> {
  await room.client.port.request({ type: 'follow_thread', payload: targetIn(room, message) }, 'done')
}

/** Not any longer: until `followThread`, also where we go on answering. */
export async function unfollowThread(room: Room, message: MessageName): Promise<void> {
  await room.client.port.request({ type: 'unfollow_thread', payload: targetIn(room, message) }, 'done')
}

function withChecks({ client }: Room): Room['client'] {
  client.port.learn(HISTORY_CHECKS)
  return client
}

function targetIn({ id, client }: Room, message: MessageName) {
  return { room: id, target: nameOf(message, client.userId) }
}

function historyOf(room: Room, payload: unknown): History {
  const { entries, at, from, to, hasOlder, hasNewer, following } = payload as PayloadOf<'history'>
  const folded = entries.map((entry) => foldedMessage(entry, at)).filter((one) => one !== undefined)
  const messages = folded.map((one) => messageOfFolded(room.id, one))
  const oldestSeq = from ?? entries[0]?.seq
  const newestSeq = to ?? entries.at(-1)?.seq
  return { messages, at, hasOlder, hasNewer, oldestSeq, newestSeq, following }
}
