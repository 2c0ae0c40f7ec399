/**
 * Any WebSocket with the interface of the browser's: the native one, `ws`, mock-socket, partysocket's. Events go
 * through `onopen` and its siblings, which all of them have.
 */
import { SUBPROTOCOL } from '@tautline/protocol/wire'
import type { Dial } from '../transport.ts'

/** What is asked of a WebSocket. */
export interface WebSocketLike {
  onopen: ((event: never) => void) | null
  onmessage: ((event: never) => void) | null
  onclose: ((event: never) => void) | null
  onerror: ((event: never) => void) | null
  readonly readyState: number
  send(data: string): void
  close(code?: number, reason?: string): void
}

export type WebSocketConstructor = new (url: string, protocols: string[]) => WebSocketLike

/** How long a closing handshake may take before the socket counts as closed. */
const CLOSE_TIMEOUT_MS = 2_000

export function webSocket(url: string, Constructor: WebSocketConstructor): Dial {
  return (events) => {
    const socket = new Constructor(url, [SUBPROTOCOL])
    let closed = false
    let closeTimer: ReturnType<typeof setTimeout> | undefined
    function closeOnce(code: number, reason: string): void {
      if (closed) return
      closed = true
      clearTimeout(closeTimer)
      socket.onopen = socket.onmessage = socket.onclose = null
      events.onClose(code, reason)
    }
    socket.onopen = () => events.onOpen()
    socket.onmessage = (event: { readonly data: unknown }) => events.onMessage(event.data)
    socket.onclose = (event: { readonly code?: number; readonly reason?: string }) =>
      closeOnce(event.code ?? 1006, event.reason ?? '')
    // A close event follows, and says all that is known. (Without a listener `ws` would throw.)
    socket.onerror = () => {}
    return {
      send: (text) => socket.send(text),
      close(code, reason) {
        // A dead peer answers no closing handshake: browsers wait for it for up to a minute.
        closeTimer ??= setTimeout(() => closeOnce(1006, ''), CLOSE_TIMEOUT_MS)
        socket.close(isSendable(code) ? code : 1000, reason)
      },
    }
  }
}

/** Browsers let an application close with 1000 and 3000–4999 only. */
function isSendable(code: number): boolean {
  return code === 1000 || (code >= 3_000 && code <= 4_999)
}
