/**
 * What a followed room says beyond its log: who is there and who types. Ephemeral: emptied when the connection goes,
 * told anew by the server after each subscription. What we type is throttled here, what others type expires here.
 */
import {
  type Entry,
  type EntryPayload,
  type PresenceStatus,
  TYPING_INTERVAL_MS,
  TYPING_TIMEOUT_MS,
} from '@tautline/protocol/wire'
import type { Context } from './context.ts'

interface Scene {
  users: ReadonlyMap<string, PresenceStatus>
  /** Who types, and when that is forgotten. */
  readonly typing: Map<string, number>
  /** When we told last that we type. */
  toldAt: number
  /** Whether the others think that we type. */
  isTyping: boolean
}

export interface Presence {
  /** Everybody who is there. */
  arrived(room: string, users: readonly { readonly userId: string; readonly status: PresenceStatus }[]): void
  changed(room: string, userId: string, status: PresenceStatus): void
  typing(room: string, userId: string, active: boolean): void
  /** Who has said it, or has left, types no longer. */
  heard(room: string, entries: readonly Entry[], ownId: string | undefined): void
  /** We type, or stopped. Never queued: without a connection it is nothing. */
  type(room: string, active: boolean): void
  leave(room: string): void
  stop(): void
  tick(): void
  deadline(): number
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

  function tellUsers(room: string, scene: Scene, users: ReadonlyMap<string, PresenceStatus>): void {
    scene.users = users
    context.emit({ type: 'presence', room, users })
  }

  function tellTyping(room: string, scene: Scene): void {
    context.emit({ type: 'typing', room, users: [...scene.typing.keys()] })
  }

  function clear(room: string, scene: Scene): void {
    if (scene.typing.size > 0) {
      scene.typing.clear()
      tellTyping(room, scene)
    }
    if (scene.users.size > 0) tellUsers(room, scene, new Map())
  }

  return {
    arrived(room, users) {
      tellUsers(room, sceneOf(room), new Map(users.map(({ userId, status }) => [userId, status])))
    },

    changed(room, userId, status) {
      const scene = sceneOf(room)
      const users = new Map(scene.users)
      if (status === 'offline') users.delete(userId)
      else users.set(userId, status)
      tellUsers(room, scene, users)
    },

    typing(room, userId, active) {
      const scene = sceneOf(room)
      const before = scene.typing.has(userId)
      // Set anew, so that the map stays in the order of the deadlines.
      scene.typing.delete(userId)
      if (active) scene.typing.set(userId, context.now + TYPING_TIMEOUT_MS)
      if (before !== active) tellTyping(room, scene)
    },

    heard(room, entries, ownId) {
      const scene = scenes.get(room)
      if (!scene) return
      for (const { type, sender, payload } of entries) {
        const ended = type === 'member_left' ? (payload as EntryPayload<'member_left'>).userId : sender
        if (type !== 'new_message' && type !== 'member_left') continue
        if (ended === ownId) scene.isTyping = false
        if (scene.typing.delete(ended)) tellTyping(room, scene)
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

    tick() {
      for (const [room, scene] of scenes) {
        let changed = false
        for (const [userId, forgottenAt] of scene.typing) {
          if (forgottenAt > context.now) break
          scene.typing.delete(userId)
          changed = true
        }
        if (changed) tellTyping(room, scene)
      }
    },

    deadline() {
      let earliest = Number.POSITIVE_INFINITY
      for (const { typing } of scenes.values()) {
        for (const forgottenAt of typing.values()) {
          if (forgottenAt < earliest) earliest = forgottenAt
          break
        }
      }
      return earliest
    },
  }
}
