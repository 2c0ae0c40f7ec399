/**
 * What the application may look up in the store: what a room is, and what one of its members can read in it. There is no
 * reading but in somebody's name, so that what is not for them cannot come to them by mistake.
 */
import { type Entry, MAX_PAGE_BYTES, MAX_PAGE_ENTRIES, MAX_PAGE_MEMBERS } from '@tautline/protocol/wire'
import { whole } from './checks.ts'
import type { MembersResult, Store } from './core/store.ts'

export interface MembersOptions {
  /** In whose name: a member. */
  readonly as: string
  /** Those whose ids sort after this one. Default: from the first. */
  readonly after?: string | undefined
  /** At most so many, from 1 to 100, which is the default. */
  readonly limit?: number | undefined
  /** Those of these users who are members. */
  readonly only?: readonly string[] | undefined
}

export interface EntriesOptions {
  /** In whose name: a member, who may not see what was said before they came. */
  readonly as: string
  /** Those after this position. Default: from the first. */
  readonly after?: number | undefined
  /** At most so many, from 1 to 100, which is the default; fewer where they are large. */
  readonly limit?: number | undefined
}

export interface RoomReads {
  /**
   * The members of a room, by user id; undefined where `as` is none, or there is no such room. Rejects with FETCH_ERROR
   * where the store cannot read.
   */
  getMembers(room: string, options: MembersOptions): Promise<MembersResult | undefined>
  /**
   * Entries of a room's log, in its order, as they stand in it; undefined where `as` is no member, or there is no such
   * room. Rejects with FETCH_ERROR where the store cannot read.
   */
  getEntries(room: string, options: EntriesOptions): Promise<readonly Entry[] | undefined>
}

export function createRoomReads(store: Pick<Store, 'readMembers' | 'readPage'>): RoomReads {
  return {
    async getMembers(room, { as: user, after, limit, only }) {
      const most = whole('limit', limit, 1, MAX_PAGE_MEMBERS, MAX_PAGE_MEMBERS)
      return await store.readMembers({ user, room, after, limit: most, only })
    },
    async getEntries(room, { as: user, after = 0, limit }) {
      const page = await store.readPage({
        user,
        room,
        after: { seq: after },
        maxEntries: whole('limit', limit, 1, MAX_PAGE_ENTRIES, MAX_PAGE_ENTRIES),
        maxBytes: MAX_PAGE_BYTES,
        maxReplay: Number.POSITIVE_INFINITY,
      })
      if (page.result === 'forbidden') return undefined
      // Beyond the end there is nothing.
      return page.result === 'page' ? page.entries : []
    },
  }
}
