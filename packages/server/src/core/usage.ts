/**
 * How much of each kind a user may ask for: a bucket for each user and kind, beside the one that binds all of their
 * durable commands (limits.messagesPerSecond). A limit is counted over all of a user's connections, and a reconnect
 * refills nothing.
 *
 * What makes lasting rows in other people's lists (rooms, direct ones among them, and invitations) is bound even where
 * nothing was set: a user who writes to nobody could fill the database with it. Taking something back (deletions, hanging up, leaving) never costs.
 */
import type { ClientMessage } from '@tautline/protocol/wire'
import type { Context } from './context.ts'
import { type Rate, UserBuckets } from './limiter.ts'

/** So many at once, and as many again, evenly spread, in each further `perMs`. */
export interface Quota {
  readonly count: number
  readonly perMs: number
}

export const USAGE_KINDS = [
  'sends',
  'reactions',
  'receipts',
  'typing',
  'presence',
  'rooms',
  'invites',
  'joins',
  'threads',
  'lookups',
  'signals',
  'requests',
] as const

export type UsageKind = (typeof USAGE_KINDS)[number]

/** A kind without a quota has no limit of its own. */
export type UsageQuotas = { readonly [K in UsageKind]?: Quota | undefined }

const MINUTE_MS = 60_000

/**
 * Binds every server where it was not lifted. A join counts, because it may make its room, and a thread that is followed
 * because it is a row for ever; of a user who is asked about many rooms may have to be looked at; a signal goes to
 * everybody in a room, and a request to the application's own code.
 */
export const DEFAULT_USAGE = {
  rooms: { count: 60, perMs: MINUTE_MS },
  invites: { count: 60, perMs: MINUTE_MS },
  joins: { count: 600, perMs: MINUTE_MS },
  threads: { count: 60, perMs: MINUTE_MS },
  lookups: { count: 6_000, perMs: MINUTE_MS },
  signals: { count: 200, perMs: 10_000 },
  requests: { count: 200, perMs: 10_000 },
} as const satisfies UsageQuotas

/** People who write to each other by hand. */
export const MESSENGER_USAGE = {
  ...DEFAULT_USAGE,
  sends: { count: 30, perMs: MINUTE_MS },
  reactions: { count: 50, perMs: MINUTE_MS },
  receipts: { count: 100, perMs: MINUTE_MS },
  typing: { count: 10, perMs: 10_000 },
  presence: { count: 20, perMs: MINUTE_MS },
  requests: { count: 100, perMs: MINUTE_MS },
} as const satisfies UsageQuotas

const KIND_OF_MESSAGE: { readonly [T in ClientMessage['type']]?: UsageKind } = {
  mark_read: 'receipts',
  mark_delivered: 'receipts',
  read_notifications: 'receipts',
  read_all_notifications: 'receipts',
  clear_notifications: 'receipts',
  clear_all_notifications: 'receipts',
  set_notifications: 'receipts',
  start_typing: 'typing',
  update_presence: 'presence',
  create_room: 'rooms',
  update_room: 'rooms',
  invite_member: 'invites',
  set_role: 'invites',
  ban_member: 'invites',
  mute_member: 'invites',
  join_room: 'joins',
  join_rooms: 'joins',
  follow_thread: 'threads',
  get_users: 'lookups',
  subscribe_presence: 'lookups',
  send_signal: 'signals',
  send_request: 'requests',
}

/** By the type that the item claims: it may not be of its form. */
const KIND_OF_COMMAND: ReadonlyMap<string, UsageKind> = new Map([
  ['send_message', 'sends'],
  ['edit_message', 'sends'],
  ['forward_message', 'sends'],
  ['add_reaction', 'reactions'],
  ['remove_reaction', 'reactions'],
])

export interface Usage {
  /** Counts one item of a `commands` frame. 0: it may be; else it was not counted, and may be in so many milliseconds. */
  takeCommand(userId: string, item: unknown): number
  /** The same for any other message. */
  takeMessage(userId: string, message: ClientMessage): number
  /** How many rooms they may make now, … */
  roomsLeft(userId: string): number
  /** … after how many milliseconds there is one more, … */
  msUntilRoom(userId: string): number
  /** … and one was made by what they said; see openings.ts. */
  takeRoom(userId: string): void
}

export function createUsage(context: Context): Usage {
  const { limits, usage } = context.options
  const commands = new UserBuckets({ perSecond: limits.messagesPerSecond, burst: limits.messageBurst })
  const kinds = new Map<UsageKind, UserBuckets>()
  for (const kind of USAGE_KINDS) {
    const quota = usage[kind]
    if (quota) kinds.set(kind, new UserBuckets(rateOf(quota)))
  }
  const rooms = kinds.get('rooms')

  return {
    takeCommand(userId, item) {
      const { now } = context
      const kind = KIND_OF_COMMAND.get(typeOf(item))
      const buckets = kind && kinds.get(kind)
      const waitMs = Math.max(commands.msUntil(userId, 1, now), buckets?.msUntil(userId, 1, now) ?? 0)
      if (waitMs > 0) return waitMs
      commands.take(userId, 1, now)
      buckets?.take(userId, 1, now)
      return 0
    },

    takeMessage(userId, message) {
      const { now } = context
      const kind = KIND_OF_MESSAGE[message.type]
      const buckets = kind && kinds.get(kind)
      if (!buckets) return 0
      const count = costOf(message)
      const waitMs = buckets.msUntil(userId, count, now)
      if (waitMs === 0) buckets.take(userId, count, now)
      return waitMs
    },

    roomsLeft: (userId) => rooms?.left(userId, context.now) ?? Number.POSITIVE_INFINITY,
    msUntilRoom: (userId) => rooms?.msUntilNext(userId, context.now) ?? 0,
    takeRoom: (userId) => rooms?.take(userId, 1, context.now),
  }
}

/** What names several counts as so many. */
function costOf({ type, payload }: ClientMessage): number {
  if (type === 'join_rooms') return payload.rooms.length
  return type === 'get_users' || type === 'subscribe_presence' ? payload.users.length : 1
}

function rateOf({ count, perMs }: Quota): Rate {
  return { perSecond: (count / perMs) * 1_000, burst: count }
}

function typeOf(item: unknown): string {
  const type = typeof item === 'object' && item !== null && 'type' in item ? item.type : undefined
  return typeof type === 'string' ? type : ''
}
