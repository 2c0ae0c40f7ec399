// What a device shows in the end, in words that can be compared: with the user's other devices everything, with other
// users what all of a room see, and with what the server's history says.

import { admin } from '@tautline/client/admin'
import { type History, history } from '@tautline/client/history'
import type { TimelineItem } from '@tautline/client/timeline'
import { unread } from '@tautline/client/unread'
import type { Device } from './device.ts'
import { until } from './waiting.ts'

/** Opens whatever rooms the user belongs to, as the server lists them, and shows each to its beginning. */
export async function openEverything(device: Device): Promise<void> {
  const { rooms } = await device.client.rooms.list({ limit: 100 })
  for (const { room } of rooms) {
    await device.open(room)
    const shown = device.timeline(room)
    while (shown.getSnapshot().hasOlder) await shown.loadOlder()
  }
  await until(device.notifications, ({ isLoaded }) => isLoaded, `${device.name} shows its notifications`)
}

/** The room as everybody in it sees it. */
export async function roomAsShown(device: Device, id: string) {
  const room = device.room(id)
  const { members, hasMore } = await admin(room).members({ limit: 100 })
  const { name, topic, metadata, visibility, memberCount, head } = await admin(room).info()
  return {
    messages: device.timeline(id).getSnapshot().items.map(asEverybodySees),
    receipts: Object.fromEntries(room.receipts()),
    typing: room.getSnapshot().typing,
    members,
    hasMore,
    info: { name, topic, metadata, visibility, memberCount, head },
  }
}

/** What the user's devices agree on besides. */
export async function userAsShown({ client, rooms, timeline, notifications }: Device) {
  const { rooms: listed } = await client.rooms.list({ limit: 100 })
  const opened = Array.from(rooms.keys()).toSorted()
  return {
    listed,
    opened,
    unread: opened.map((id) => [id, client.room(id).getSnapshot().unread]),
    total: unread(client).getSnapshot().total,
    own: opened.map((id) =>
      timeline(id)
        .getSnapshot()
        .items.map(({ body }) => body.reactions),
    ),
    notifications: notifications.getSnapshot(),
    outbox: client.outbox.list().map(({ type, status }) => `${type} ${status}`),
  }
}

/** All messages of the room, as the server folds its log, page by page. */
export async function roomAsRemembered(device: Device, id: string) {
  const messages: unknown[] = []
  let page: History | undefined
  do {
    page = await history(device.room(id), { after: page?.newestSeq ?? 0, limit: 10 })
    messages.push(
      ...page.messages.map((message) => asEverybodySees({ ...message, status: 'acknowledged', changes: [] })),
    )
  } while (page.hasNewer)
  return messages
}

/** With nothing of whose device it is: which reactions are one's own. */
function asEverybodySees({
  seq,
  sender,
  messageId,
  timestamp,
  body,
  status,
  changes,
}: Pick<TimelineItem, 'seq' | 'sender' | 'messageId' | 'timestamp' | 'body' | 'status' | 'changes'>) {
  const reactions = body.reactions?.map(({ emoji, count }) => ({ emoji, count }))
  return { seq, sender, messageId, timestamp, status, changes: changes.length, body: { ...body, reactions } }
}
