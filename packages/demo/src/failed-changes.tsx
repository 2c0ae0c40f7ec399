/** Edits, deletions and reactions that failed: the message shows none of it any more, so it is said here. */
import type { Room, Sent } from '@tautline/client'
import { useClient } from '@tautline/react'
import { type ReactNode, useEffect, useState } from 'react'
import { adviceOf, failureWords } from './connection-words.ts'
import { goToRest } from './resting-place.ts'

const WORDS: { readonly [T in Sent['type']]?: string } = {
  edit_message: 'Your edit was not taken',
  delete_message: 'The message was not deleted',
  add_reaction: 'Your reaction was not taken',
  remove_reaction: 'Your reaction was not taken back',
}

export function FailedChanges({ room }: { readonly room: Room }): ReactNode {
  const { outbox } = useClient()
  return useFailed(room).map(({ messageId, type, content, error }) => (
    <div key={messageId} className="notice bad" role="alert">
      <p>
        {WORDS[type]}: {failureWords(error?.code)}. {adviceOf(error?.code)}
        {content && <q>{content}</q>}
      </p>
      {/* Both go away with what they are pressed for. */}
      <button
        type="button"
        className="quiet"
        onClick={({ currentTarget }) => {
          goToRest(currentTarget)
          void outbox.retry(messageId)
        }}
      >
        Retry
      </button>
      <button
        type="button"
        className="quiet"
        onClick={({ currentTarget }) => {
          goToRest(currentTarget)
          outbox.discard(messageId)
        }}
      >
        Discard
      </button>
    </div>
  ))
}

function useFailed(room: Room): readonly Sent[] {
  const client = useClient()
  const [failed, setFailed] = useState<readonly Sent[]>([])
  useEffect(() => {
    const look = () =>
      setFailed(
        client.outbox
          .list()
          .filter((sent) => sent.room === room.id && sent.status === 'failed' && WORDS[sent.type]),
      )
    look()
    const stops = [client.on('failed', look), client.on('discarded', look), room.on('sending', look)]
    return () => {
      for (const stop of stops) stop()
    }
  }, [client, room])
  return failed
}
