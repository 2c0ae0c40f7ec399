/**
 * Who follows which thread: the rows that a store keeps of it (`FollowView`), and those of one batch over them. A row says
 * that somebody follows a thread, or wants to hear of it no more; who has none has said nothing. Nothing is decided here.
 */

export interface ThreadFollow {
  readonly isFollowing: boolean
  /** The head of the room when it was so last: of many followers the latest are told. */
  readonly at: number
}

export interface ThreadFollower extends ThreadFollow {
  readonly user: string
}

export interface FollowChange extends ThreadFollower {
  readonly room: string
  /** The position of the message at which the thread begins. */
  readonly seq: number
}

export interface FollowView {
  threadFollow(room: string, seq: number, user: string): ThreadFollow | undefined
  /** Those who follow it, the latest first, then by user id. */
  threadFollowers(room: string, seq: number, limit: number): readonly ThreadFollower[]
}

export class FollowChanges implements FollowView {
  readonly #view: FollowView
  /** By room, position and user: the newest of each. */
  readonly #changes = new Map<string, FollowChange>()

  constructor(view: FollowView) {
    this.#view = view
  }

  threadFollow(room: string, seq: number, user: string): ThreadFollow | undefined {
    return this.#changes.get(keyOf(room, seq, user)) ?? this.#view.threadFollow(room, seq, user)
  }

  threadFollowers(room: string, seq: number, limit: number): readonly ThreadFollower[] {
    const changed = [...this.#changes.values()].filter((one) => one.room === room && one.seq === seq)
    const users = new Set(changed.map(({ user }) => user))
    const known = this.#view.threadFollowers(room, seq, limit + users.size)
    return latest([...known.filter(({ user }) => !users.has(user)), ...changed], limit)
  }

  set(change: FollowChange): void {
    this.#changes.set(keyOf(change.room, change.seq, change.user), change)
  }

  [Symbol.iterator](): Iterator<FollowChange> {
    return this.#changes.values()
  }
}

/** Those of them who follow, as `threadFollowers` gives them. */
export function latest(followers: readonly ThreadFollower[], limit: number): readonly ThreadFollower[] {
  return followers
    .filter(({ isFollowing }) => isFollowing)
    .sort((a, b) => b.at - a.at || (a.user < b.user ? -1 : 1))
    .slice(0, limit)
}

/** No id holds a line break. */
export function keyOf(room: string, seq: number, user: string): string {
  return `${room}\n${seq}\n${user}`
}
