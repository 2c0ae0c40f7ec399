/**
 * What a screen reader says by itself: each new message of others, and what of ours failed. A list of which only a part is in
 * the page cannot be a live region, for scrolling adds to it; so this is one of its own, which nobody sees.
 */
import type { Room } from '@tautline/client'
import { useClient } from '@tautline/react'
import { type ReactNode, useEffect, useState } from 'react'
import { failureWords } from './connection-words.ts'

interface Line {
  readonly key: string
  readonly text: string
}

/** Whoever reads it later than that goes to the messages. */
const KEPT_LINES = 5

export function Announcer({ room }: { readonly room: Room }): ReactNode {
  const client = useClient()
  const [lines, setLines] = useState<readonly Line[]>([])

  useEffect(() => {
    const say = (line: Line) => setLines((said) => [...said, line].slice(-KEPT_LINES))
    const stops = [
      // Live ones, and those that were missed while the connection was away; history is no event.
      room.on('message', ({ sender, messageId, content }) => {
        if (sender !== client.userId) say({ key: `${sender} ${messageId}`, text: `${sender}: ${content}` })
      }),
      client.on('failed', ({ room: id, messageId, error }) => {
        if (id === room.id) say({ key: messageId, text: `Not sent: ${failureWords(error?.code)}` })
      }),
    ]
    return () => {
      for (const stop of stops) stop()
    }
  }, [client, room])

  return (
    <div role="log" className="hidden" aria-label="New messages">
      {lines.map(({ key, text }) => (
        <p key={key}>{text}</p>
      ))}
    </div>
  )
}
