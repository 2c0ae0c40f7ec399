/**
 * What becomes of changes of a room as a whole, its words and its end, and of forbidding somebody to write in it. Each
 * changes nothing where it is so already, and is told by an entry of the room.
 */
import type { Entry } from '@tautline/protocol/wire'
import type { Sanction, Step, View } from './batch.ts'
import { DONE, fresh, nextRow, noticeRow, refused } from './log-rows.ts'
import { may, mayAgainst } from './rights.ts'
import type { DeleteOp, MuteOp, UpdateOp } from './store.ts'
import { describe } from './unread.ts'

/** The members of a deleted room who find it told in their own log: of a larger one, the first so many. */
const MAX_TOLD_MEMBERS = 1_000

/** What a room says of itself. An empty name or topic is none. */
export function aboutOf(words: {
  readonly name?: string | undefined
  readonly topic?: string | undefined
  readonly metadata?: Readonly<Record<string, unknown>> | undefined
}): string {
  const { name, topic, metadata } = words
  return JSON.stringify({ name: name || undefined, topic: topic || undefined, metadata })
}

export function transactUpdate(view: View, op: UpdateOp, unixMs: number): Step {
  const { user, room: id } = op
  const known = view.room(id)
  if (!known || !may(view, user, id, 'update')) return refused('FORBIDDEN')
  const words = JSON.parse(op.about) as Entry['payload']
  const about = aboutOf({ ...(JSON.parse(known.about) as Entry['payload']), ...words })
  const visibility = op.visibility ?? known.visibility
  if (about === known.about && visibility === known.visibility)
    return { outcome: { outcome: 'updated', is: describe(view, id, known, user) } }
  const payload = op.visibility === undefined ? words : { visibility, ...words }
  const row = nextRow(view, op, { type: 'room_updated', payload }, '', unixMs)
  // What was said while the room was private stays among those who were there.
  const opens = visibility === 'public' && known.visibility === 'private'
  const is = { ...known, about, visibility, openFrom: opens ? row.entry.seq : known.openFrom }
  return fresh(view, {
    outcome: { outcome: 'updated', is: describe(view, id, { ...is, lastSeq: row.entry.seq }, user) },
    make: { room: id, is },
    append: [row],
  })
}

export function transactDelete(view: View, op: DeleteOp, unixMs: number): Step {
  const { user, room: id } = op
  const known = view.room(id)
  const about = JSON.stringify({ deletedBy: user })
  if (known?.visibility === 'deleted' && known.about === about) return { outcome: { outcome: 'deleted' } }
  if (!known || !may(view, user, id, 'delete')) return refused('FORBIDDEN')
  const append = [nextRow(view, op, { type: 'room_deleted', payload: {} }, '', unixMs)]
  for (const [member] of view.everyMember(id)) {
    if (append.length > MAX_TOLD_MEMBERS) break
    const by = { user, noticeId: `${op.noticeId}-${append.length}` }
    append.push(noticeRow(view, by, member, 'removal', { room: id, reason: 'deleted' }, unixMs))
  }
  return fresh(view, {
    outcome: { outcome: 'deleted' },
    make: { room: id, is: { ...known, visibility: 'deleted', about, memberCount: 0 } },
    append,
    erase: id,
  })
}

export function transactMute(view: View, op: MuteOp, unixMs: number): Step {
  const { user, room, target, durationMs } = op
  if (!view.member(room, target) || !mayAgainst(view, user, room, 'mute', target)) return refused('FORBIDDEN')
  const old = view.sanction(room, target)
  const until = durationMs === 0 ? 0 : unixMs + durationMs
  if (until === 0 && (old?.mutedUntil ?? 0) <= unixMs) return DONE
  const is: Sanction = { isBanned: old?.isBanned ?? false, mutedUntil: until }
  const content =
    until === 0
      ? { type: 'member_unmuted', payload: { userId: target } }
      : { type: 'member_muted', payload: { userId: target, until } }
  return fresh(view, {
    outcome: DONE.outcome,
    append: [nextRow(view, op, content, '', unixMs)],
    sanction: { room, user: target, is: until === 0 && !is.isBanned ? undefined : is },
  })
}
