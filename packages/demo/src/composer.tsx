/** Where we write: with or without a connection, what is written is taken at once. */
import type { Room } from '@tautline/client'
import type { TimelineItem } from '@tautline/client/timeline'
import { useClient, useConnection, useTyping } from '@tautline/react'
import { type KeyboardEvent, type ReactNode, type RefObject, type SyntheticEvent, useState } from 'react'
import { mentionsIn } from './message-text.tsx'
import { rememberDraft, rememberedDraft } from './remembered.ts'

/** What is written for: an answer to a message, what one of ours shall say instead, or one that failed, said anew. */
export interface Purpose {
  readonly kind: 'reply' | 'edit' | 'anew'
  readonly item: TimelineItem
}

export interface ComposerProps {
  readonly room: Room
  /** Names it among the composers of a page, for its draft too. */
  readonly place: string
  readonly title: string
  readonly isMember: boolean
  readonly purpose?: Purpose | undefined
  /** All that is written here answers this message, without a word about it. */
  readonly replyTo?: TimelineItem | undefined
  /** The purpose is served, or given up. */
  readonly onDone: () => void
  /** The keyboard goes up to the messages. */
  readonly onUp?: (() => void) | undefined
  readonly ref: RefObject<HTMLTextAreaElement | null>
}

export function Composer(props: ComposerProps): ReactNode {
  const { room, place, title, isMember, purpose, replyTo, onDone, onUp, ref } = props
  const { userId = '', status } = useConnection(({ userId: me, status: now }) => ({
    userId: me,
    status: now,
  }))
  const { outbox } = useClient()
  const { startTyping, stopTyping } = useTyping(room)
  const [draft, setDraft] = useState(() => rememberedDraft(userId, place))
  /** Edits that were begun, by the key of their message: who answers another one in between goes on with them. */
  const [edits, setEdits] = useState<ReadonlyMap<string, string>>(new Map())
  const isEdit = purpose !== undefined && purpose.kind !== 'reply'
  const text = isEdit ? (edits.get(purpose.item.key) ?? purpose.item.content) : draft
  const isEmpty = text.trim() === ''

  function change(next: string): void {
    if (isEdit) return setEdits((begun) => new Map(begun).set(purpose.item.key, next))
    setDraft(next)
    rememberDraft(userId, place, next)
    if (next.trim() === '') stopTyping()
    else startTyping()
  }

  function finish(): void {
    if (isEdit) setEdits((begun) => new Map([...begun].filter(([key]) => key !== purpose.item.key)))
    onDone()
  }

  function submit(event: SyntheticEvent): void {
    event.preventDefault()
    if (isEmpty || !isMember) return
    const content = text.trim()
    const mentions = mentionsIn(content)
    const said = { content, mentions: mentions.length > 0 ? mentions : undefined }
    if (!isEdit) {
      stopTyping()
      room.send({ ...said, replyTo: replyTo ?? purpose?.item })
      change('')
    } else if (purpose.kind === 'anew') {
      room.send({ ...said, replyTo: purpose.item.body.replyTo })
      outbox.discard(purpose.item.messageId)
    } else if (content !== purpose.item.content) room.edit(purpose.item, said)
    finish()
    ref.current?.focus()
  }

  function onKeyDown(event: KeyboardEvent): void {
    if (event.key === 'Enter' && !event.shiftKey && !isComposing(event)) submit(event)
    else if (event.key === 'Escape' && purpose) {
      event.stopPropagation()
      finish()
    } else if (event.key === 'ArrowUp' && text === '' && onUp) {
      event.preventDefault()
      onUp()
    }
  }

  return (
    <form className="composer" onSubmit={submit}>
      {purpose && (
        <div className="purpose">
          <p>
            <strong>{purposeWords(purpose)}</strong>
            <span dir="auto">{purpose.item.content}</span>
          </p>
          <button type="button" className="quiet" onClick={finish}>
            Cancel<span className="hidden"> {isEdit ? 'the edit' : 'the answer'}</span>
          </button>
        </div>
      )}
      <label className="hidden" htmlFor={`composer-${place}`}>
        {title}
      </label>
      <textarea
        id={`composer-${place}`}
        ref={ref}
        dir="auto"
        rows={1}
        value={text}
        onChange={(event) => change(event.target.value)}
        onKeyDown={onKeyDown}
        onBlur={stopTyping}
        placeholder={placeholderOf(title, isMember, status === 'connected')}
        aria-describedby={`composer-help-${place}`}
        disabled={!isMember}
      />
      <button type="submit" className="primary" disabled={isEmpty || !isMember}>
        {purpose?.kind === 'edit' ? 'Save' : 'Send'}
      </button>
      <small id={`composer-help-${place}`} className="hidden">
        Enter sends, Shift and Enter begin a new line{onUp && ', the up arrow goes to the messages'}.
      </small>
    </form>
  )
}

/**
 * An Enter that ends a composition (Japanese, Chinese, …) is part of the writing. Safari ends it before that key is told,
 * which has this code then (https://bugs.webkit.org/show_bug.cgi?id=165004): deprecated, but nothing else says it.
 */
function isComposing({ nativeEvent }: KeyboardEvent): boolean {
  return nativeEvent.isComposing || Reflect.get(nativeEvent, 'keyCode') === 229
}

function placeholderOf(title: string, isMember: boolean, isConnected: boolean): string {
  if (!isMember) return 'You are not in this room'
  return isConnected ? title : 'Write on: it is kept'
}

function purposeWords({ kind, item }: Purpose): string {
  if (kind === 'reply') return `Answering ${item.sender}`
  return kind === 'edit' ? 'Editing your message' : 'Editing what was not sent'
}
