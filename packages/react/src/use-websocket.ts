/**
 * One hook that does it all, for who wants neither a provider nor a client object: it makes the client, connects it, and
 * closes it with the component. Use it once for a page, high up; the other hooks go below a provider with its `client`.
 */
import {
  createSession,
  type Session,
  type SessionOptions,
  type SessionSnapshot,
} from '@tautline/client/session'
import { useEffect, useInsertionEffect, useMemo, useRef } from 'react'
import { useReadable } from './use-readable.ts'

export type UseWebSocketOptions = SessionOptions

export type WebSocketView = SessionSnapshot & Omit<Session, 'open' | 'close' | 'getSnapshot' | 'subscribe'>

const NOT_CONNECTED: SessionSnapshot = {
  isConnected: false,
  isReconnecting: false,
  error: undefined,
  client: undefined,
}

/**
 * Connects `userId` with `token` to `url` and keeps it so. Functions keep their identity; what is joined is yours to say:
 *
 *     const { isConnected, joinRoom, on } = useWebSocket({ url, token, userId, onError })
 *     useEffect(() => {
 *       if (isConnected) void joinRoom('general')
 *     }, [isConnected, joinRoom])
 *     useEffect(() => on('message', (message) => …), [on])
 */
export function useWebSocket(options: UseWebSocketOptions): WebSocketView {
  const latest = useRef(options)
  useInsertionEffect(() => {
    latest.current = options
  })
  const { session, pick } = useMemo(() => {
    const { open, close, getSnapshot, subscribe, ...actions } = createSession(() => latest.current)
    return {
      session: { open, close, getSnapshot, subscribe },
      pick: (shown: SessionSnapshot): WebSocketView => ({ ...shown, ...actions }),
    }
  }, [])
  useEffect(() => () => session.close(), [session])
  // After each render: what changed in the options may be a reason to connect, or another user.
  useEffect(() => session.open())
  return useReadable(session, NOT_CONNECTED, pick)
}
