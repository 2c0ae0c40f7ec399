/** What can be done with a message: react, answer, look at its thread; edit and delete one's own. */
import type { MessageName } from '@tautline/client'
import type { TimelineItem } from '@tautline/client/timeline'
import { type ReactNode, useState } from 'react'

/** What the room does for its messages. One object for all of them, the same at each render. */
export interface MessageActions {
  reply(item: TimelineItem): void
  openThread(item: TimelineItem): void
  edit(item: TimelineItem): void
  /** Puts one that failed back to where one writes. */
  writeAnew(item: TimelineItem): void
  remove(item: TimelineItem): void
  react(item: TimelineItem, emoji: string): void
  /** Goes to a message. */
  show(message: MessageName): void
}

const EMOJIS = ['👍', '❤️', '😂', '🎉']

export interface ActionBarProps {
  readonly item: TimelineItem
  readonly isOwn: boolean
  readonly actions: MessageActions
}

export function ActionBar({ item, isOwn, actions }: ActionBarProps): ReactNode {
  const [isSure, setIsSure] = useState(false)
  const canEdit = isOwn && item.kind === 'text'

  return (
    <div className="actions" role="toolbar" aria-label="What to do with this message">
      {EMOJIS.map((emoji) => (
        <button
          key={emoji}
          type="button"
          className="emoji"
          aria-label={`React with ${emoji}`}
          onClick={() => actions.react(item, emoji)}
        >
          {emoji}
        </button>
      ))}
      <button type="button" onClick={() => actions.reply(item)}>
        Reply
      </button>
      <button type="button" onClick={() => actions.openThread(item)}>
        Thread
      </button>
      {canEdit && (
        <button type="button" onClick={() => actions.edit(item)}>
          Edit
        </button>
      )}
      {isOwn && (
        <button
          type="button"
          className="danger"
          onClick={() => (isSure ? actions.remove(item) : setIsSure(true))}
          onBlur={() => setIsSure(false)}
        >
          {isSure ? 'Delete for everybody?' : 'Delete'}
        </button>
      )}
    </div>
  )
}

/** How people reacted; pressing one adds ours, or takes it back. */
export function Reactions({ item, actions }: Omit<ActionBarProps, 'isOwn'>): ReactNode {
  const { reactions = [] } = item.body
  if (reactions.length === 0) return null
  return (
    <ul className="reactions" aria-label="Reactions">
      {reactions.map(({ emoji, count, own }) => (
        <li key={emoji}>
          <button
            type="button"
            aria-pressed={own}
            aria-label={`${emoji}, ${count}`}
            onClick={() => actions.react(item, emoji)}
          >
            {emoji} {count}
          </button>
        </li>
      ))}
    </ul>
  )
}
