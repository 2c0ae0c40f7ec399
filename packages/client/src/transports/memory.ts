/**
 * A pair of connected ends in memory: the client's is a `Dial`, the server's is handed to whoever accepts. For tests
 * and for a client and a server in one process. Frames arrive in a later microtask, in order, never in the same turn.
 */
import type { Dial } from '../transport.ts'

/** The server's end of a pair. */
export interface MemoryPeer {
  send(text: string): void
  close(code: number, reason: string): void
  onMessage: (text: string) => void
  onClose: (code: number, reason: string) => void
}

/** A dial whose every connection is handed to `accept`; throw there to refuse. */
export function memoryTransport(accept: (peer: MemoryPeer) => void): Dial {
  return (events) => {
    let open = true
    /** Everything passes through one queue, so that a close never overtakes what was sent before it. */
    const later = (task: () => void): void => {
      queueMicrotask(() => {
        if (open) task()
      })
    }
    const end = (tell: () => void): void =>
      later(() => {
        open = false
        tell()
      })
    const peer: MemoryPeer = {
      send: (text) => later(() => events.onMessage(text)),
      close: (code, reason) =>
        end(() => {
          events.onClose(code, reason)
          peer.onClose(code, reason)
        }),
      onMessage: () => {},
      onClose: () => {},
    }
    later(() => events.onOpen())
    try {
      accept(peer)
    } catch (error) {
      open = false
      throw error
    }
    return {
      send: (text) => later(() => peer.onMessage(text)),
      close: (code, reason) =>
        end(() => {
          peer.onClose(code, reason)
          events.onClose(code, reason)
        }),
    }
  }
}
