import { type Client, onceWatched } from '@tautline/client'
import { type Notifications, type NotificationsSnapshot, notifications } from '@tautline/client/notifications'
import { useMemo } from 'react'
import { useClient } from './use-client.ts'
import { useReadable } from './use-readable.ts'

export type NotificationsView = NotificationsSnapshot &
  Pick<Notifications, 'loadOlder' | 'read' | 'readAll' | 'clear' | 'clearAll'>

const NOTHING_YET: NotificationsSnapshot = { items: [], unread: 0, hasOlder: false, isLoaded: false }

/**
 * The user's notifications, the newest first, and what can be done with them. With `select` just what it picks:
 * `useNotifications(({ unread }) => unread)`. They go on when the component is gone, for the next one that shows them.
 */
export function useNotifications(): NotificationsView
export function useNotifications<S>(select: (notifications: NotificationsSnapshot) => S): S
export function useNotifications<S>(
  select?: (notifications: NotificationsSnapshot) => S,
): NotificationsView | S {
  const client = useClient()
  const watched = useMemo(() => onceWatched(client, notifications, NOTHING_YET), [client])
  const pick = useMemo(() => select ?? withActions(client), [select, client])
  return useReadable<NotificationsSnapshot, NotificationsView | S>(watched, NOTHING_YET, pick)
}

/** Had when they are called: a render opens nothing. */
function withActions(client: Client): (shown: NotificationsSnapshot) => NotificationsView {
  const actions = {
    loadOlder: () => notifications(client).loadOlder(),
    read: (seqs: readonly number[]) => notifications(client).read(seqs),
    readAll: () => notifications(client).readAll(),
    clear: (seqs: readonly number[]) => notifications(client).clear(seqs),
    clearAll: () => notifications(client).clearAll(),
  }
  return (shown) => ({ ...shown, ...actions })
}
