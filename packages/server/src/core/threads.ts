/**
 * Who hears of the answers to a message. Who said it does, and whoever answers it, until they say otherwise; and who wants to.
 * Somebody who said that they do not is not asked again by answering.
 *
 * They find it in their own logs, written with the answer: of many followers, the first MAX_TOLD_FOLLOWERS of those who
 * began last, so that an answer costs the same however famous the message is.
 */
import type { MessageRow, Step, View } from './batch.ts'
import { DONE, refused } from './log-rows.ts'
import { canSee, isSystem, membershipOf } from './rights.ts'
import type { FollowThreadOp } from './store.ts'
import type { FollowChange } from './thread-follows.ts'

/** Followers who are told of one answer. */
const MAX_TOLD_FOLLOWERS = 50
/** Followers who are looked at for it: some of them are members no longer. */
const MAX_SEEN_FOLLOWERS = 200

export function transactFollowThread(view: View, { user, room, target, follow }: FollowThreadOp): Step {
  const message = view.message(target.sender, target.messageId)
  if (message?.room !== room || !canSee(view, user, message)) return refused('FORBIDDEN')
  if (isFollowing(view, message, user) === follow) return DONE
  const at = view.room(room)?.lastSeq ?? 0
  return { ...DONE, follow: { room, seq: message.seq, user, isFollowing: follow, at } }
}

/** Whether the user, who may see the message, hears of its answers. */
export function isFollowing(
  view: Pick<View, 'threadFollow'>,
  { room, seq, sender }: MessageRow,
  user: string,
): boolean {
  return view.threadFollow(room, seq, user)?.isFollowing ?? sender === user
}

/** Whom an answer by this user is told, each once. */
export function listenersOf(view: View, message: MessageRow, by: string): readonly string[] {
  const { room, seq, sender } = message
  const followers = view.threadFollowers(room, seq, MAX_SEEN_FOLLOWERS).map(({ user }) => user)
  const all = view.threadFollow(room, seq, sender) ? followers : [sender, ...followers]
  const isThere = (user: string) =>
    user !== by && membershipOf(view, room, user) !== undefined && canSee(view, user, message)
  return all.filter(isThere).slice(0, MAX_TOLD_FOLLOWERS)
}

/** That who answers follows from now on. */
export function followBy(
  view: View,
  message: MessageRow,
  user: string,
  at: number,
): FollowChange | undefined {
  const { room, seq, sender } = message
  if (isSystem(user) || user === sender || view.threadFollow(room, seq, user)) return undefined
  return { room, seq, user, isFollowing: true, at }
}
