/**
 * What a followed room says beyond its log: who is there and who types. Ephemeral: emptied when the connection goes,
 * told anew by the server after each subscription. What we type is throttled here, what others type expires here.
 */
import {
  type Entry,
  type EntryPayload,
  type PayloadOf,
  type PresenceStatus,
  TYPING_INTERVAL_MS,
  TYPING_TIMEOUT_MS,
} from '@tautline/protocol/wire'
import { NEVER } from './alarms.ts'
import type { Context } from './context.ts'

/** How somebody is. The same object while nothing of it changes. */
export interface UserPresence {
  readonly status: PresenceStatus
  /** What they say of themselves. */
  readonly text: string | undefined
}

interface Scene {
  users: ReadonlyMap<string, UserPresence>
  /** Who types, and what forgets it. */
  readonly typing: Map<string, () => void>
  /** When we told last that we type. */
  toldAt: number
  /** Whether the others think that we type. */
  isTyping: boolean
}

export interface Presence {
  /** Who is there. */
  arrived(list: PayloadOf<'room_presence'>): void
  changed(change: PayloadOf<'presence_changed'>): void
  typing(room: string, userId: string, active: boolean): void
  /** Who has said it, or has left, types no longer. */
  heard(room: string, entries: readonly Entry[], ownId: string | undefined): void
  /** We type, or stopped. Never queued: without a connection it is nothing. */
  type(room: string, active: boolean): void
  leave(room: string): void
  stop(): void
}

export function createPresence(context: Context): Presence {
  const scenes = new Map<string, Scene>()

  function sceneOf(room: string): Scene {
    const found = scenes.get(room)
    if (found) return found
    const scene: Scene = {
      users: new Map(),
      typing: new Map(),
      toldAt: Number.NEGATIVE_INFINITY,
      isTyping: false,
    }
    scenes.set(room, scene)
    return scene
  }

  function tellUsers(
    { room, users: items, count }: PayloadOf<'presence_changed'>,
    before: ReadonlyMap<string, UserPresence>,
  ): void {
    const users = new Map(before)
    for (const { userId, status, statusText: text } of items) {
      if (status === 'offline') users.delete(userId)
      else users.set(userId, { status, text })
    }
    sceneOf(room).users = users
    context.emit({ type: 'presence', room, users, count: count ?? users.size })
  }

  function tellTyping(room: string, scene: Scene): void {
    context.emit({ type: 'typing', room, users: [...scene.typing.keys()] })
  }

  function stopped(room: string, userId: string): void {
    const scene = scenes.get(room)
    const forget = scene?.typing.get(userId)
    if (!scene || !forget) return
    context.alarm(forget, NEVER)
    scene.typing.delete(userId)
    tellTyping(room, scene)
  }

  function clear(room: string, scene: Scene): void {
    if (scene.typing.size > 0) {
      for (const forget of scene.typing.values()) context.alarm(forget, NEVER)
      scene.typing.clear()
      tellTyping(room, scene)
    }
    if (scene.users.size > 0) tellUsers({ room, users: [] }, new Map())
  }

  return {
    arrived: (list) => tellUsers(list, new Map()),
    changed: (change) => tellUsers(change, sceneOf(change.room).users),

    typing(room, userId, active) {
      if (!active) return stopped(room, userId)
      const scene = sceneOf(room)
      const known = scene.typing.get(userId)
      const forget = known ?? (() => stopped(room, userId))
      context.alarm(forget, context.now + TYPING_TIMEOUT_MS)
      if (known) return
      scene.typing.set(userId, forget)
      tellTyping(room, scene)
    },

    heard(room, entries, ownId) {
      const scene = scenes.get(room)
      if (!scene) return
      for (const { type, sender, payload } of entries) {
        const ended = type === 'member_left' ? (payload as EntryPayload<'member_left'>).userId : sender
        if (type !== 'new_message' && type !== 'member_left') continue
        if (ended === ownId) scene.isTyping = false
        stopped(room, ended)
      }
    },

    type(room, active) {
      const scene = sceneOf(room)
      if (!context.ready) return
      if (!active) {
        if (!scene.isTyping) return
        scene.isTyping = false
        context.send({ type: 'stop_typing', payload: { room } })
        return
      }
      // Who stopped may begin again sooner; servers relay nothing that comes faster than that.
      const intervalMs = scene.isTyping ? TYPING_INTERVAL_MS : TYPING_INTERVAL_MS / 2
      if (context.now < scene.toldAt + intervalMs) return
      scene.toldAt = context.now
      scene.isTyping = true
      context.send({ type: 'start_typing', payload: { room } })
    },

    leave(room) {
      const scene = scenes.get(room)
      if (!scene) return
      clear(room, scene)
      scenes.delete(room)
    },

    stop() {
      for (const [room, scene] of scenes) {
        scene.toldAt = Number.NEGATIVE_INFINITY
        scene.isTyping = false
        clear(room, scene)
      }
    },
  }
}
