/**
 * Signing out. What waits is no secret loss: where something does, it is asked whether it shall go out the next time this
 * user signs in here, or never.
 */
import { useClient, useConnection } from '@tautline/react'
import { type ReactNode, useRef, useState } from 'react'

export function SignOut({ onSignedOut }: { readonly onSignedOut: () => void }): ReactNode {
  const client = useClient()
  const { queued, storage } = useConnection()
  const dialog = useRef<HTMLDialogElement>(null)
  const [isLeaving, setIsLeaving] = useState(false)
  // What a former load left may still be there.
  const isKnown = storage !== 'opening'
  const isKept = storage === 'durable'
  const they = queued === 1 ? 'It' : 'They'

  async function leave(keepOutbox: boolean): Promise<void> {
    setIsLeaving(true)
    // Where the store cannot be emptied there is nothing more that we could do.
    await client.logout({ keepOutbox }).catch(() => {})
    onSignedOut()
  }

  return (
    <>
      <button
        type="button"
        className="quiet"
        onClick={() => (queued > 0 || !isKnown ? dialog.current?.showModal() : void leave(true))}
      >
        Sign out
      </button>
      <dialog ref={dialog} className="dialog" aria-labelledby="sign-out-title">
        <h2 id="sign-out-title">
          {isKnown ? waitingWords(queued) : 'Looking for what has not arrived yet …'}
        </h2>
        {isKnown && queued > 0 && (
          <p>
            {isKept
              ? `${they} can stay in this browser and go out when you sign in here again.`
              : `This browser keeps nothing for us: what has not arrived when you leave is lost.`}
          </p>
        )}
        <div className="dialog-actions">
          <button type="button" className="secondary" onClick={() => dialog.current?.close()}>
            Stay
          </button>
          {isKnown && queued > 0 && (
            <button
              type="button"
              className="secondary"
              disabled={isLeaving}
              onClick={() => void leave(false)}
            >
              Discard and sign out
            </button>
          )}
          {isKnown && (isKept || queued === 0) && (
            <button type="button" className="primary" disabled={isLeaving} onClick={() => void leave(true)}>
              {queued > 0 ? 'Keep and sign out' : 'Sign out'}
            </button>
          )}
        </div>
      </dialog>
    </>
  )
}

function waitingWords(queued: number): string {
  // What waited when it was asked may arrive before there is an answer.
  if (queued === 0) return 'Everything has arrived'
  return `${queued === 1 ? 'One message has' : `${queued} messages have`} not arrived yet`
}
