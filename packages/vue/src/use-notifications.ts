import { onceWatched } from '@tautline/client'
import { type Notifications, type NotificationsSnapshot, notifications } from '@tautline/client/notifications'
import { type Fields, readableRefs } from './readable-refs.ts'
import { useClient } from './use-client.ts'

export type NotificationsView = Fields<NotificationsSnapshot> &
  Pick<Notifications, 'loadOlder' | 'read' | 'readAll' | 'clear' | 'clearAll'>

const NOTHING_YET: NotificationsSnapshot = { items: [], unread: 0, hasOlder: false, isLoaded: false }

/**
 * The user's notifications, the newest first, each field as a ref, and what can be done with them. They go on when the
 * component is gone, for the next one that shows them.
 */
export function useNotifications(): NotificationsView {
  const client = useClient()
  const watched = onceWatched(client, notifications, NOTHING_YET)
  return {
    ...readableRefs(() => watched),
    // Had when they are called: setup runs on servers too.
    loadOlder: () => notifications(client).loadOlder(),
    read: (seqs) => notifications(client).read(seqs),
    readAll: () => notifications(client).readAll(),
    clear: (seqs) => notifications(client).clear(seqs),
    clearAll: () => notifications(client).clearAll(),
  }
}
