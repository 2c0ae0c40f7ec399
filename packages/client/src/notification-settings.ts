/**
 * Of what in one room the user wants to hear: as the server has it, the same on all devices. It is asked for when
 * somebody looks at it, and after each connect while somebody does.
 */
import { defaultLevel, type NotificationLevel, type PayloadOf } from '@tautline/protocol/wire'
import type { ClientPort } from './port.ts'
import { createStore, type Readable } from './store.ts'

export interface NotificationSettingsSnapshot {
  /** `all`: every message, by push, while one is away; `mentions`: what names or answers us; `none`. Default: mentions, in direct rooms all. */
  readonly level: NotificationLevel
  /** As `none` until then, in Unix milliseconds; undefined: not. It may have passed. */
  readonly silencedUntil: number | undefined
  /** Whether the server was asked; until then it is the default. */
  readonly isLoaded: boolean
}

export interface NotificationSettings extends Readable<NotificationSettingsSnapshot> {
  /**
   * For good, on all devices. Resolves when the server has it. Rejects with FORBIDDEN where we are no member of the room,
   * or nothing was said in a direct one yet; TIMEOUT, DISCONNECTED, UNAVAILABLE: try again.
   */
  set(level: NotificationLevel): Promise<void>
  /** As `none` for so long, at most 30 days; 0: no longer. Rejects as `set` does. */
  silence(ms: number): Promise<void>
}

export function createNotificationSettings(port: ClientPort, room: string) {
  const store = createStore<NotificationSettingsSnapshot>({
    level: defaultLevel(room),
    silencedUntil: undefined,
    isLoaded: false,
  })
  let watchers = 0
  /** How often it was told: an answer that was on its way meanwhile may be older. */
  let told = 0

  function heard({
    level,
    silencedUntil,
  }: Pick<PayloadOf<'notifications_set'>, 'level' | 'silencedUntil'>): void {
    told++
    store.update({ level, silencedUntil, isLoaded: true })
  }

  /** What fails is asked again on the next connection. */
  async function load(): Promise<void> {
    const before = told
    const info = await port.request({ type: 'get_room', payload: { room } })
    const { notifications = { level: defaultLevel(room) } } = info as PayloadOf<'room_info'>
    if (told === before) heard(notifications)
  }

  function refresh(): void {
    if (watchers > 0) load().catch(() => {})
  }

  async function ask(change: {
    readonly level?: NotificationLevel
    readonly silenceMs?: number
  }): Promise<void> {
    // Its answer is heard like what other devices set.
    await port.request({ type: 'set_notifications', payload: { room, ...change } })
  }

  const settings: NotificationSettings = {
    getSnapshot: store.getSnapshot,
    subscribe(listener) {
      const stop = store.subscribe(listener)
      watchers++
      if (watchers === 1) refresh()
      let isStopped = false
      return () => {
        stop()
        if (!isStopped) watchers--
        isStopped = true
      }
    },
    set: (level) => ask({ level }),
    silence: (silenceMs) => ask({ silenceMs }),
  }
  return { settings, heard, refresh }
}
