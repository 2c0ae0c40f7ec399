/**
 * What the user's own log says: invited, admitted, appointed, removed, mentioned, answered. The client follows that log by itself from the
 * first connection on, so these events reach every device that is there, and one that was away when it comes back.
 */
import type { Entry, EntryPayload, Role } from '@tautline/protocol/wire'

export interface Invited {
  readonly room: string
  /** What one would be there. */
  readonly role: Role
  /** Who invited. */
  readonly by: string
  /** Unix milliseconds. */
  readonly timestamp: number
}

export interface Admitted {
  readonly room: string
  readonly role: Role
  /** Oneself, on any device; or who wrote the first message of a direct room. */
  readonly by: string
  readonly timestamp: number
}

export interface Removed {
  readonly room: string
  /** `removed`: put out, or not invited any more. `left`: one left by oneself, on any device. */
  readonly reason: 'left' | 'removed' | 'banned' | 'deleted'
  readonly by: string
  readonly timestamp: number
}

export interface Appointed {
  readonly room: string
  /** What one is there from now on. */
  readonly role: Role
  /** Who gave the role, or went and left us the room. */
  readonly by: string
  readonly timestamp: number
}

/** A message names us, or answers one of ours. */
export interface Mentioned {
  readonly room: string
  readonly message: { readonly seq: number; readonly sender: string; readonly messageId: string }
  readonly by: string
  readonly timestamp: number
  /** Of an answer: the message at which its thread begins, ours or one whose thread we follow. */
  readonly thread?: { readonly seq: number; readonly sender: string; readonly messageId: string } | undefined
}

export type Notice =
  | { readonly event: 'invited'; readonly notice: Invited }
  | { readonly event: 'admitted'; readonly notice: Admitted }
  | { readonly event: 'removed'; readonly notice: Removed }
  | { readonly event: 'appointed'; readonly notice: Appointed }
  | { readonly event: 'mentioned' | 'answered'; readonly notice: Mentioned }

/** Undefined: an entry that says nothing of rooms, or that this version does not know. */
export function noticeOf({ type, payload, sender: by, timestamp }: Entry): Notice | undefined {
  switch (type) {
    case 'invitation': {
      const { room, role } = payload as EntryPayload<'invitation'>
      return { event: 'invited', notice: { room, role, by, timestamp } }
    }
    case 'admission': {
      const { room, role } = payload as EntryPayload<'admission'>
      return { event: 'admitted', notice: { room, role, by, timestamp } }
    }
    case 'removal': {
      const { room, reason } = payload as EntryPayload<'removal'>
      return { event: 'removed', notice: { room, reason, by, timestamp } }
    }
    case 'appointment': {
      const { room, role } = payload as EntryPayload<'appointment'>
      return { event: 'appointed', notice: { room, role, by, timestamp } }
    }
    case 'mention':
    case 'reply': {
      const { room, message, thread } = payload as EntryPayload<'reply'>
      const event = type === 'mention' ? 'mentioned' : 'answered'
      return { event, notice: { room, message, by, timestamp, thread } }
    }
    default:
      return undefined
  }
}
