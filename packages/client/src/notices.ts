/**
 * What the user's own log says: invited, admitted, appointed, removed, mentioned, answered. The client follows that log by itself from the
 * first connection on, so these events reach every device that is there, and one that was away when it comes back.
 */
import type { Entry, EntryPayload, Role } from '@tautline/protocol/wire'
import type { Emitter } from './emitter.ts'

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

/** What the client tells of them. */
export interface NoticeEvents {
  /** Somebody lets us into a room: `client.room(room).accept()`. */
  invited: [invited: Invited]
  /** We are a member of a room: by our own act on any device, or because somebody wrote to us first. */
  admitted: [admitted: Admitted]
  /** We are a member of a room no longer, or not invited any more. */
  removed: [removed: Removed]
  /** We have another role in a room. */
  appointed: [appointed: Appointed]
  /** A message names us, in whatever room of ours. */
  mentioned: [mentioned: Mentioned]
  /** Somebody answered a message of ours, or in a thread that we follow, and did not name us. */
  answered: [answered: Mentioned]
}

/** Nothing is told of an entry that says nothing of rooms, or that this version does not know. */
export function tellNotice(
  { type, payload, sender: by, timestamp }: Entry,
  emit: Emitter<NoticeEvents>['emit'],
): void {
  switch (type) {
    case 'invitation':
    case 'admission':
    case 'appointment': {
      const { room, role } = payload as EntryPayload<'invitation'>
      const event = type === 'invitation' ? 'invited' : type === 'admission' ? 'admitted' : 'appointed'
      return emit(event, { room, role, by, timestamp })
    }
    case 'removal': {
      const { room, reason } = payload as EntryPayload<'removal'>
      return emit('removed', { room, reason, by, timestamp })
    }
    case 'mention':
    case 'reply': {
      const { room, message, thread } = payload as EntryPayload<'reply'>
      const event = type === 'mention' ? 'mentioned' : 'answered'
      return emit(event, { room, message, by, timestamp, thread })
    }
  }
}
