/** Where we write: with or without a connection, the message is taken at once. */
import type { Room } from '@tautline/client'
import { useConnection } from '@tautline/react'
import { type KeyboardEvent, type ReactNode, type SyntheticEvent, useState } from 'react'

export interface ComposerProps {
  readonly room: Room
  readonly isMember: boolean
}

export function Composer({ room, isMember }: ComposerProps): ReactNode {
  const { status } = useConnection()
  const [text, setText] = useState('')
  const isEmpty = text.trim() === ''

  function change(next: string): void {
    setText(next)
    room.typing(next.trim() !== '')
  }

  function send(event: SyntheticEvent): void {
    event.preventDefault()
    if (isEmpty || !isMember) return
    room.typing(false)
    room.send({ content: text.trim() })
    setText('')
  }

  function onKeyDown(event: KeyboardEvent): void {
    // An Enter that ends a composition (Japanese, Chinese, …) is part of the writing.
    if (event.key === 'Enter' && !event.shiftKey && !event.nativeEvent.isComposing) send(event)
  }

  return (
    <form className="composer" onSubmit={send}>
      <label className="hidden" htmlFor="composer">
        Message to {room.id}
      </label>
      <textarea
        id="composer"
        rows={1}
        value={text}
        onChange={(event) => change(event.target.value)}
        onKeyDown={onKeyDown}
        onBlur={() => room.typing(false)}
        placeholder={placeholderOf(room.id, isMember, status === 'connected')}
        aria-describedby="composer-help"
        disabled={!isMember}
      />
      <button type="submit" className="primary" disabled={isEmpty || !isMember}>
        Send
      </button>
      <small id="composer-help" className="hidden">
        Enter sends, Shift and Enter begin a new line.
      </small>
    </form>
  )
}

function placeholderOf(room: string, isMember: boolean, isConnected: boolean): string {
  if (!isMember) return `Joining ${room} …`
  return isConnected ? `Message to ${room}` : 'Write on: it goes out when the connection is back'
}
