/** The rooms of a chat: entered once, followed from then on; who comes and goes is told, and own messages once. */
import type { Client, Room } from '@tautline/client'
import type { View } from './view.ts'

export interface EnteredRoom {
  readonly room: Room
  /** Who was there when it was last known, us not included. */
  others: ReadonlySet<string> | undefined
  /** Where /history goes on. */
  before: number | undefined
}

/** Tells what happens in a room, until the client ends. `onMessage` gets every message, own ones too. */
export function watchRoom(
  entered: EnteredRoom,
  client: Client,
  view: View,
  onMessage: (message: Parameters<View['message']>[0] & { readonly messageId: string }) => void,
): void {
  const { room } = entered
  room.on('message', onMessage)
  room.on('gap', ({ from, to }) =>
    view.notice(`${room.id}: #${from} to #${to} are not shown here; see /history`),
  )
  room.on('reset', () =>
    view.problem(`${room.id}: the server has another history than before; what was shown may be lost there`),
  )
  room.on('left', (reason) => view.notice(`You are no member of ${room.id} any more (${reason}).`))
  room.subscribe(() => tellUsers(entered, client, view))
}

function tellUsers(entered: EnteredRoom, client: Client, view: View): void {
  const { users } = entered.room.getSnapshot()
  const { userId } = client
  // Without us in it the list is not known yet, or no more.
  if (userId === undefined || !users.has(userId)) return
  const now = new Set(Array.from(users.keys()).filter((user) => user !== userId))
  const { others: before } = entered
  entered.others = now
  const { id } = entered.room
  if (!before) {
    view.notice(now.size > 0 ? `In ${id} with you: ${[...now].join(', ')}` : `Nobody else is in ${id} now.`)
    return
  }
  for (const user of now) if (!before.has(user)) view.notice(`${user} is in ${id}`)
  for (const user of before) if (!now.has(user)) view.notice(`${user} is gone from ${id}`)
}
