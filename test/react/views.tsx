// The views of test/contracts/binding.ts as React has them, and how they are mounted. `act` is left out: a page has none.

import {
  TautlineProvider,
  useCall,
  useCalls,
  useConnection,
  useExtension,
  useMessages,
  useNotifications,
  usePresence,
  useRoom,
  useTyping,
  useUnread,
  useUnreadRooms,
  useWebSocket,
} from '@tautline/react'
import { type ComponentType, type ReactNode, StrictMode, useEffect, useState } from 'react'
import { createRoot } from 'react-dom/client'
import { renderToString } from 'react-dom/server'
import type { Binding, ViewName, ViewProps } from '../contracts/binding.ts'
import { jobs } from '../support/jobs.ts'

function Button({ label, press }: { label: string; press: () => unknown }): ReactNode {
  return (
    <button type="button" onClick={() => void press()}>
      {label}
    </button>
  )
}

function Chat({ id = 'general', pageSize, onRender }: ViewProps): ReactNode {
  onRender?.()
  const { status, queued } = useConnection()
  const { room, phase, users } = useRoom(id)
  const { items, hasOlder, loadOlder } = useMessages(room, { pageSize })
  return (
    <>
      <p>
        {status}, {queued} queued
      </p>
      <p>
        {room.id}: {phase}; here: {[...users.keys()].join(' ')}
      </p>
      <ol>
        {items.map(({ key, sender, content, status: state, seq }) => (
          <li key={key}>
            {sender}: {content} ({state}
            {seq === undefined ? '' : ' with a place'})
          </li>
        ))}
      </ol>
      {hasOlder && <Button label="older" press={loadOlder} />}
    </>
  )
}

function Status({ onRender }: ViewProps): ReactNode {
  onRender?.()
  const { status } = useConnection(({ status: now }) => ({ status: now }))
  return <p>{status}</p>
}

function Count({ id = 'general', onRender }: ViewProps): ReactNode {
  onRender?.()
  return <p>{useRoom(id, ({ userCount }) => userCount)} are here</p>
}

function Typing({ id = 'general', onRender }: ViewProps): ReactNode {
  onRender?.()
  const { typing, startTyping, stopTyping } = useTyping(id)
  return (
    <p>
      typing: {typing.join(' ')} <Button label="start" press={startTyping} />
      <Button label="stop" press={stopTyping} />
    </p>
  )
}

function Unread({ id = 'general', onRender }: ViewProps): ReactNode {
  onRender?.()
  return <p>{useUnread(id)} unread</p>
}

function UnreadRooms(): ReactNode {
  const { total, rooms } = useUnreadRooms()
  return (
    <p>
      {total} in all: {Array.from(rooms, ([room, count]) => `${room} ${count}`).join()}
    </p>
  )
}

function People({ users = [] }: ViewProps): ReactNode {
  const known = usePresence([...users])
  return <p>{Array.from(known, ([userId, { status }]) => `${userId} is ${status}`).join()}</p>
}

function Bell({ onMessage }: ViewProps): ReactNode {
  const { items, unread, isLoaded, readAll, clearAll } = useNotifications()
  const text = `${unread} unread${isLoaded ? ', loaded' : ''}`
  onMessage?.(text)
  return (
    <>
      <p>{text}</p>
      <ul>
        {items.map(({ seq, type, sender }) => (
          <li key={seq}>{`${type} by ${sender}`}</li>
        ))}
      </ul>
      <Button label="read all" press={readAll} />
      <Button label="clear all" press={clearAll} />
    </>
  )
}

function Phone(): ReactNode {
  const { calls } = useCalls()
  const call = useCall(calls[0])
  if (!call) return <p>no call</p>
  return (
    <p>
      {call.status}, by {call.startedBy}
      <Button label="reject" press={() => calls[0]?.reject()} />
    </p>
  )
}

function Offers(): ReactNode {
  const app = useExtension(jobs)
  const [offers, setOffers] = useState<readonly string[]>([])
  useEffect(
    () => app.room('general').on('job_offer', ({ payload }) => setOffers((all) => [...all, payload.jobId])),
    [app],
  )
  return <p>offers: {offers.join(' ')}</p>
}

function Socket({ options, id = 'general', onMessage }: ViewProps): ReactNode {
  const socket = useWebSocket(options ?? { token: undefined, userId: undefined })
  const { on, joinRoom, leaveRoom, sendMessage, startTyping, stopTyping } = socket
  useEffect(
    () => on('message', ({ sender, content }, room) => onMessage?.(`${room} ${sender}: ${content}`)),
    [on, onMessage],
  )
  const why = socket.error ? ` because of ${socket.error.code}` : ''
  return (
    <p>
      {socket.isConnected ? `connected as ${socket.client?.userId}` : `not connected${why}`}
      {socket.isReconnecting ? ', reconnecting' : ''} for {id}
      <Button label="connect" press={socket.connect} />
      <Button label="join" press={() => joinRoom(id)} />
      <Button label="leave" press={() => leaveRoom(id)} />
      <Button label="send" press={() => sendMessage(id, 'hello')} />
      <Button label="type" press={() => startTyping(id)} />
      <Button label="stop" press={() => stopTyping(id)} />
    </p>
  )
}

const views: Record<ViewName, ComponentType<ViewProps>> = {
  Chat,
  Status,
  Count,
  Typing,
  Unread,
  UnreadRooms,
  People,
  Bell,
  Phone,
  Offers,
  Socket,
}

/** Plain, or each component twice as Strict Mode has it. */
export function reactBinding(isStrict: boolean): Binding {
  const nodeOf: (...args: Parameters<Binding['mount']>) => ReactNode = (view, client, props) => {
    const View = views[view]
    const shown = <View {...props} />
    const provided = client ? <TautlineProvider client={client}>{shown}</TautlineProvider> : shown
    return isStrict ? <StrictMode>{provided}</StrictMode> : provided
  }
  return {
    mount(view, client, props = {}) {
      const element = document.createElement('div')
      document.body.append(element)
      const root = createRoot(element)
      let all = props
      let isThere = true
      root.render(nodeOf(view, client, all))
      return {
        element,
        update(more) {
          all = { ...all, ...more }
          root.render(nodeOf(view, client, all))
        },
        unmount() {
          if (isThere) root.unmount()
          isThere = false
          element.remove()
        },
      }
    },
    renderToString: async (view, client, props) => renderToString(nodeOf(view, client, props)),
  }
}
