/** One room: its messages, who types, where we write, and beside it a thread or the people. */
import type { MessageName, RoomDescription, TautlineError } from '@tautline/client'
import { useClient, useConnection, useMessages, useRoom } from '@tautline/react'
import { type ReactNode, useEffect, useMemo, useRef, useState } from 'react'
import { flushSync } from 'react-dom'
import { Announcer } from './announcer.tsx'
import { Composer, type Purpose } from './composer.tsx'
import { FailedChanges } from './failed-changes.tsx'
import { joinOrAccept } from './join-or-accept.ts'
import type { MessageActions } from './message-actions.tsx'
import { MessageLog, type MessageLogHandle } from './message-log.tsx'
import { People } from './people.tsx'
import { goToRest } from './resting-place.ts'
import { RoomHeader } from './room-header.tsx'
import { partnerIn } from './room-names.ts'
import { ThreadView } from './thread-view.tsx'
import { TypingLine } from './typing-line.tsx'
import { useMarkRead } from './use-mark-read.ts'
import { useNotice } from './use-notice.ts'
import { isWide, useIsWide } from './wide.ts'

const PAGE_SIZE = 50

export interface RoomViewProps {
  readonly id: string
  readonly title: string
  readonly about: RoomDescription | undefined
  /** Whether it was chosen. On a wide screen it is shown before. */
  readonly isOpen: boolean
  readonly wanted: MessageName | undefined
  readonly onShow: (room: string, message?: MessageName) => void
  /** To the list of the rooms. */
  readonly onBack: () => void
}

export function RoomView({ id, title, about, isOpen, wanted, onShow, onBack }: RoomViewProps): ReactNode {
  const room = useClient().room(id)
  const { phase, error } = useRoom(id, ({ phase: now, error: why }) => ({ phase: now, error: why }))
  const me = useConnection(({ userId }) => userId)
  const messages = useMessages(room, { pageSize: PAGE_SIZE })
  const [purpose, setPurpose] = useState<Purpose>()
  /** What stands beside the messages; a thread by the key of its first message. */
  const [panel, setPanel] = useState<'people' | { readonly thread: string }>()
  const [broughtTo, setBroughtTo] = useState(wanted)
  if (wanted !== broughtTo) {
    setBroughtTo(wanted)
    // It would come to be seen behind the panel.
    if (wanted && !isWide()) setPanel(undefined)
  }
  const [notice, dismiss] = useNotice(room)
  const section = useRef<HTMLElement>(null)
  const composer = useRef<HTMLTextAreaElement>(null)
  const log = useRef<MessageLogHandle>(null)
  const isMember = phase === 'live' || phase === 'syncing'
  const { items } = messages
  const root = typeof panel === 'object' ? items.find(({ key }) => key === panel.thread) : undefined
  /** A thread whose first message is not there any more, because the room was read anew, is not shown. */
  const isPanelShown = panel === 'people' || root !== undefined
  const isShown = useIsWide() || (isOpen && !isPanelShown)
  useMarkRead(room, isShown ? items.findLast(({ seq }) => seq !== undefined)?.seq : undefined)

  const isEntered = useRef(false)
  useEffect(() => {
    if (!isWide() && !isOpen) isEntered.current = false
    // Nothing can be written yet.
    else if (!isEntered.current && !(isWide() && !isMember)) {
      isEntered.current = true
      goToRest(section.current)
      // What had the keyboard is gone: the button that let us in, or a panel that closed by itself.
    } else if (!isPanelShown && document.activeElement === document.body) goToRest(section.current)
  }, [isMember, isOpen, isPanelShown])

  // A direct room is there before anything was said in it: whoever looks at it follows it.
  const isDirect = partnerIn(id, me) !== undefined
  useEffect(() => (isDirect ? room.hold() : undefined), [room, isDirect])

  const actions = useMemo((): MessageActions => {
    const write = (next: Purpose) => {
      // What is hidden cannot have the keyboard.
      flushSync(() => {
        setPurpose(next)
        if (!isWide()) setPanel(undefined)
      })
      composer.current?.focus()
    }
    return {
      reply: (item) => write({ kind: 'reply', item }),
      edit: (item) => write({ kind: 'edit', item }),
      writeAnew: (item) => write({ kind: 'anew', item }),
      remove: (item) => void room.delete(item),
      react(item, emoji) {
        const isOurs = item.body.reactions?.some((reaction) => reaction.emoji === emoji && reaction.own)
        if (isOurs) room.unreact(item, emoji)
        else room.react(item, emoji)
      },
      openThread: (item) => setPanel({ thread: item.key }),
      show: (message) => onShow(room.id, message),
    }
  }, [room, onShow])

  function closePanel(): void {
    flushSync(() => setPanel(undefined))
    goToRest(section.current)
  }

  return (
    <div className="room-area" data-panel={isPanelShown}>
      <section className="room" ref={section} aria-label={title}>
        <RoomHeader
          room={room}
          title={title}
          about={about}
          isPeopleShown={panel === 'people'}
          onPeople={() => setPanel(panel === 'people' ? undefined : 'people')}
          onBack={onBack}
        />
        {!isMember && (
          <Door phase={phase} error={error} onJoin={() => void joinOrAccept(room).catch(() => {})} />
        )}
        {notice !== undefined && (
          <div className="notice" role="alert">
            <p>{notice}</p>
            <button
              type="button"
              className="quiet"
              onClick={({ currentTarget }) => {
                goToRest(currentTarget)
                dismiss()
              }}
            >
              Good
            </button>
          </div>
        )}
        <FailedChanges room={room} />
        <MessageLog
          ref={log}
          room={room}
          messages={messages}
          label={`Messages in ${title}`}
          me={me}
          isMember={isMember}
          wanted={wanted}
          actions={actions}
          onEscape={() => composer.current?.focus()}
        />
        <Announcer room={room} />
        <TypingLine room={room} />
        <Composer
          ref={composer}
          room={room}
          place={id}
          title={`Message to ${title}`}
          isMember={isMember}
          purpose={purpose}
          onDone={() => setPurpose(undefined)}
          onUp={() => log.current?.focusNewest()}
        />
      </section>
      {panel === 'people' && <People room={room} onShow={onShow} onLeft={onBack} onClose={closePanel} />}
      {root && (
        <ThreadView
          key={root.key}
          room={room}
          root={root}
          items={items}
          me={me}
          isMember={isMember}
          actions={actions}
          onClose={closePanel}
        />
      )}
    </div>
  )
}

/** For who is not in the room, or not any more. */
function Door({
  phase,
  error,
  onJoin,
}: {
  readonly phase: string
  readonly error: TautlineError | undefined
  readonly onJoin: () => void
}): ReactNode {
  if (phase !== 'refused' && phase !== 'idle') return null
  return (
    <div className="notice" role="status">
      <p>You are not in this room{error && `: ${error.message}`}.</p>
      <button type="button" className="quiet" onClick={onJoin}>
        Join
      </button>
    </div>
  )
}
