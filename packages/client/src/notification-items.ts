/**
 * What is known of the user's notifications: a window of the newest, and how many are unread beyond it. Pages, live
 * entries and changes go in, in the order in which the server said them. Nothing is asked here.
 *
 * What is read or cleared is so for good, so a change may come twice. A count of the server's stands for a head: what
 * came after it is counted here.
 */
import {
  type Alert,
  alertOf,
  type Entry,
  type EntryPayload,
  isNotification,
  MAX_OWN_LOG_ENTRIES,
  type PayloadOf,
} from '@tautline/protocol/wire'

export interface Notification {
  /** Its place in the user's own log, by which it is read and cleared. */
  readonly seq: number
  /**
   * `mention`, `reply`, `invitation`, `admission` (others made us a member), `removal`, `appointment`, `missed_call`,
   * `notice` (of the application's own); a later version may know more.
   */
  readonly type: string
  /** Who caused it. */
  readonly sender: string
  readonly room: string | undefined
  /** The message that names or answers us. */
  readonly message: EntryPayload<'mention'>['message'] | undefined
  readonly alert: Alert
  readonly isRead: boolean
  /** Unix milliseconds. */
  readonly timestamp: number
  /** What its type says beyond that, as on the wire. */
  readonly payload: Entry['payload']
}

/** What is kept at most: as much as a server keeps, with what it may keep beyond. */
const MAX_ITEMS = MAX_OWN_LOG_ENTRIES + 200

type Changed = PayloadOf<'notifications_changed'>

export function createNotificationItems() {
  /** By position, in no order. */
  const items = new Map<number, Notification>()
  let unread = 0
  /** The position up to which `unread` was counted. */
  let head = 0
  /** The newest position that is known of; undefined: nothing is yet. */
  let lastSeq: number | undefined
  let hasOlder = false

  function change(counted: { readonly unread: number; readonly head: number }): void {
    ;({ unread, head } = counted)
    lastSeq = Math.max(lastSeq ?? 0, head)
  }

  function read(isMeant: (seq: number) => boolean): void {
    for (const item of items.values())
      if (!item.isRead && isMeant(item.seq)) items.set(item.seq, { ...item, isRead: true })
  }

  function clear(isMeant: (seq: number) => boolean): void {
    for (const seq of Array.from(items.keys())) if (isMeant(seq)) items.delete(seq)
  }

  function bound(): void {
    if (items.size <= MAX_ITEMS) return
    const oldest = Array.from(items.keys()).sort((a, b) => a - b)
    for (const seq of oldest.slice(0, items.size - MAX_ITEMS)) items.delete(seq)
    hasOlder = true
  }

  return {
    /** The newest position that is known of; 0: none. */
    lastSeq: () => lastSeq ?? 0,
    size: () => items.size,
    /** The oldest of the window; undefined: it is empty. */
    oldest: () => (items.size > 0 ? Math.min(...items.keys()) : undefined),
    isRead: (seq: number) => items.get(seq)?.isRead === true,

    /** The newest page takes the place of everything below its head; one of older ones is added. */
    page(list: PayloadOf<'notification_list'>, isNewest: boolean): void {
      change(list)
      hasOlder = list.hasOlder
      const before = isNewest ? new Map(items) : undefined
      if (isNewest) clear((seq) => seq <= head)
      for (const { entry, read: isRead } of list.notifications) {
        const known = before?.get(entry.seq)
        items.set(entry.seq, known?.isRead === isRead ? known : itemOf(entry, isRead))
      }
      bound()
    },

    /** A live one. Undefined: it is none, or known already. `isHole`: something before it did not come. */
    add(
      entry: Entry,
      userId: string | undefined,
    ): { readonly item: Notification | undefined; readonly isHole: boolean } {
      const { seq } = entry
      const known = lastSeq ?? seq - 1
      const isHole = seq > known + 1
      const isNew = seq > known
      lastSeq = Math.max(known, seq)
      if (userId === undefined || !isNotification(userId, entry)) return { item: undefined, isHole }
      const item = items.get(seq) ?? itemOf(entry, false)
      // What a page would hold, and does not, was cleared meanwhile.
      if (isNew) items.set(seq, item)
      bound()
      return { item, isHole }
    },

    changed({ read: seqs, readUpTo = 0, cleared, clearedUpTo = 0, ...counted }: Changed): void {
      change(counted)
      const [readSeqs, clearedSeqs] = [new Set(seqs), new Set(cleared)]
      read((seq) => seq <= readUpTo || readSeqs.has(seq))
      clear((seq) => seq <= clearedUpTo || clearedSeqs.has(seq))
    },

    snapshot() {
      const list = Array.from(items.values()).sort((a, b) => b.seq - a.seq)
      const later = list.filter(({ seq, isRead }) => seq > head && !isRead).length
      return { items: list, unread: unread + later, hasOlder }
    },
  }
}

function itemOf({ seq, type, sender, timestamp, payload }: Entry, isRead: boolean): Notification {
  const { room, message, alert } = payload as Partial<EntryPayload<'mention'>>
  return { seq, type, sender, room, message, alert: alertOf(type, alert), isRead, timestamp, payload }
}
