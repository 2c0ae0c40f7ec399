// What users do: they talk, ask, come and go, change rooms, and try what they may not; and what the application does beside
// them. Nothing of it is a fault, but some of it happens only because a fault asks for it (strike.ts). At the end of a run
// everybody says and asks what shows whether all came right.

import type { PayloadOf } from '@tautline/protocol/wire'
import type { Speaker } from './application.ts'
import type { Dice } from './dice.ts'
import type { History } from './history.ts'
import { type Device, DIRECT_ROOM, enter, PRIVATE_ROOM, PUBLIC_ROOMS, USERS } from './population.ts'
import type { World } from './world.ts'

/** There is none until somebody makes it. */
const NEW_ROOM = 'attic'

export function say(device: Device, room: string, dice: Dice): void {
  const times = dice.chance(0.3) ? 1 + dice.below(6) : 1
  for (let i = 0; i < times; i++) device.host.send(room, 'plain')
}

/** Mostly it says something. */
export function talk(device: Device, dice: Dice, count: (what: string) => void): void {
  if (device.isClosed || !device.host.isAlive() || device.host.isAsleep()) return
  const room = dice.pick([...device.rooms])
  const [failed] = device.host.failed()
  if (failed !== undefined && dice.chance(0.2)) {
    const how = dice.chance(0.5) ? 'retry' : 'discard'
    count(how)
    return device.host.answerFailure(failed, how)
  }
  const what = dice.next()
  if (what < 0.72) return say(device, room, dice)
  if (what < 0.79) return device.host.typing(room, dice.chance(0.7))
  if (what < 0.88) {
    return device.host.request({ type: 'mark_read', payload: { room, seq: 1 + dice.below(20) } })
  }
  if (what < 0.97) return device.host.request({ type: 'get_history', payload: { room, limit: 30 } })
  device.host.request({ type: 'list_rooms', payload: { which: 'own' } })
}

/** Comes to a room or leaves it, or lets another. */
export function flipMember(device: Device, dice: Dice): void {
  const { host } = device
  const room = dice.pick([...PUBLIC_ROOMS, PRIVATE_ROOM, NEW_ROOM])
  const userId = dice.pick(USERS.filter((user) => user !== device.user))
  switch (dice.below(5)) {
    case 0:
      return enter(device, room)
    case 1:
      return host.request({ type: 'leave_room', payload: { room } })
    case 2:
      return host.request({ type: 'invite_member', payload: { room, userId } })
    case 3:
      return host.request({ type: 'accept_invitation', payload: { room } }, (isDone) => {
        if (!isDone) return
        device.rooms.add(room)
        host.follow(room)
      })
    default:
      return host.request({ type: 'remove_member', payload: { room, userId } })
  }
}

/** What owners and moderators do; most of it is refused to who is none. */
export function changeRoom(device: Device, dice: Dice): void {
  const { host } = device
  const room = dice.pick([...PUBLIC_ROOMS, PRIVATE_ROOM, NEW_ROOM])
  const userId = dice.pick(USERS.filter((user) => user !== device.user))
  switch (dice.below(8)) {
    case 0:
      return host.request(
        {
          type: 'create_room',
          payload: { room: NEW_ROOM, visibility: dice.chance(0.5) ? 'private' : 'public' },
        },
        (isDone) => {
          if (!isDone) return
          device.rooms.add(NEW_ROOM)
          host.follow(NEW_ROOM)
        },
      )
    case 1:
      return host.request({ type: 'update_room', payload: { room, topic: `topic ${dice.letters(4)}` } })
    case 2:
      return host.request({
        type: 'update_room',
        payload: { room: NEW_ROOM, visibility: dice.chance(0.5) ? 'private' : 'public' },
      })
    case 3:
      return host.request({ type: 'ban_member', payload: { room, userId } })
    case 4:
      return host.request({ type: 'unban_member', payload: { room, userId } })
    case 5:
      return host.request({
        type: 'mute_member',
        payload: { room, userId, durationMs: 1_000 + dice.below(40_000) },
      })
    case 6:
      return host.request({ type: 'unmute_member', payload: { room, userId } })
    default:
      return host.request({
        type: 'set_role',
        payload: { room, userId, role: dice.pick(['member', 'moderator', 'owner']) },
      })
  }
}

export function letApplicationAct(speaker: Speaker, dice: Dice): void {
  const room = dice.pick([...PUBLIC_ROOMS, PRIVATE_ROOM, DIRECT_ROOM])
  if (dice.chance(0.7)) speaker.say(room, dice.chance(0.5) ? dice.pick(USERS) : undefined)
  else speaker.change(room, dice.pick(USERS))
}

/** Reads and writes where they do not belong, or not yet. */
export function intrude(device: Device, dice: Dice, world: World): void {
  const { host } = device
  const room = dice.pick(['nowhere', PRIVATE_ROOM, 'hall'])
  host.follow(room)
  host.send(room, 'plain')
  host.request({ type: 'get_history', payload: { room, limit: 30 } })
  if (dice.chance(0.5)) host.wire()?.halfOpen()
  if (dice.chance(0.5)) world.after(dice.between(100, 20_000), () => host.isAlive() && enter(device, room))
}

/** Everybody says something once more: who hears it has all that was before. */
export function sayLastWords(devices: readonly Device[]): void {
  for (const device of devices) {
    if (device.isClosed || !device.host.isAlive()) continue
    enter(device, 'den')
    device.host.send('den', 'plain')
    device.host.send(DIRECT_ROOM, 'plain')
  }
}

/** Asks who belongs to the rooms that they follow, and which are their own; the answers are for the history. */
export function askWhoBelongs(devices: readonly Device[], history: History, at: number): void {
  for (const { host, isClosed } of devices) {
    if (isClosed || !host.isAlive()) continue
    const { session, user } = host
    for (const [room, phase] of session.phases) {
      if (phase !== 'live' || room.startsWith('~')) continue
      host.request({ type: 'list_members', payload: { room } }, (isDone, answer) => {
        if (!isDone) return
        const { members } = answer as PayloadOf<'member_list'>
        const roles = new Map(members.map(({ userId, role }) => [userId, role]))
        history.lists.push({ session: session.id, room, at, members: roles })
      })
    }
    host.request({ type: 'list_rooms', payload: { which: 'own' } }, (isDone, answer) => {
      if (!isDone) return
      const { rooms } = answer as PayloadOf<'room_list'>
      const own = new Map(rooms.flatMap(({ room, role }) => (role ? [[room, role] as const] : [])))
      history.ownRooms.push({ session: session.id, user, at, rooms: own })
    })
  }
}
