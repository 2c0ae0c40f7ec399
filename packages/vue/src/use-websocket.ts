/**
 * One composable that does it all, for who wants neither a provider nor a client object: it makes the client, connects
 * it, and closes it with the scope. Use it once for a page, high up; the other composables go below with its `client`.
 */
import {
  createSession,
  type Session,
  type SessionOptions,
  type SessionSnapshot,
} from '@tautline/client/session'
import { getCurrentInstance, type MaybeRefOrGetter, onBeforeMount, onScopeDispose, toValue, watch } from 'vue'
import { type Fields, readableRefs } from './readable-refs.ts'

export type UseWebSocketOptions = SessionOptions

export type WebSocketView = Fields<SessionSnapshot> &
  Omit<Session, 'open' | 'close' | 'getSnapshot' | 'subscribe'>

/**
 * Connects `userId` with `token` to `url` and keeps it so; what is joined is yours to say. Give a ref or a getter where
 * token or user may change:
 *
 *     const { isConnected, joinRoom, on } = useWebSocket(() => ({ url, token: token.value, userId: userId.value }))
 *     watch(isConnected, (is) => is && joinRoom('general'))
 *     on('message', (message) => …)
 */
export function useWebSocket(options: MaybeRefOrGetter<UseWebSocketOptions>): WebSocketView {
  const { open, close, getSnapshot, subscribe, ...actions } = createSession(() => toValue(options))
  const refs = readableRefs(() => ({ getSnapshot, subscribe }))
  const start = () => watch(() => toValue(options), open, { immediate: true, flush: 'sync' })
  onScopeDispose(close)
  if (getCurrentInstance()) onBeforeMount(start)
  else start()
  return { ...refs, ...actions }
}
