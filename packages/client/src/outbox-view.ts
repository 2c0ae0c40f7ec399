/**
 * The outbox as the application sees it: every message that is undecided, and the failed ones until the application
 * has looked at them.
 */
import { createListeners } from './listeners.ts'
import type { Sending, Sent } from './sent.ts'

export interface OutboxView {
  /** Undecided and failed messages, in the order of sending. */
  list(): readonly Sent[]
  /**
   * Give a message up, unless the server has it already: its outcome tells which (CANCELLED, or acknowledged). Only the
   * server knows, so that it stays undecided until we are connected.
   */
  cancel(messageId: string): void
  /** Send a failed message once more, as a new message. Undefined where there is no such failed message. */
  retry(messageId: string): Sent | undefined
  /** Forget a failed message. */
  discard(messageId: string): void
}

/** Failed messages kept for the application; the oldest go first. */
const MAX_FAILED = 100

export interface OutboxLedger {
  add(sending: Sending): void
  get(messageId: string): Sending | undefined
  /** Undecided and failed. */
  list(): readonly Sent[]
  /** It was decided: an acknowledged message is forgotten, a failed one kept. */
  settled(sending: Sending): void
  failed(messageId: string): Sending | undefined
  /** Forgets a failed message. */
  remove(messageId: string): void
  onRemove(listener: (sent: Sent) => void): () => void
}

export function createLedger(): OutboxLedger {
  const sendings = new Map<string, Sending>()
  const failed = new Set<string>()
  const listeners = createListeners<[Sent]>()

  function remove(messageId: string): void {
    const sending = sendings.get(messageId)
    if (!sending || !failed.delete(messageId)) return
    sendings.delete(messageId)
    listeners.tell(sending.sent)
  }

  return {
    add(sending) {
      sendings.set(sending.sent.messageId, sending)
    },
    get: (messageId) => sendings.get(messageId),
    list: () =>
      // What a former load left comes to light after what this one has said.
      Array.from(sendings.values(), ({ sent }) => sent).sort((a, b) => a.createdAt - b.createdAt),
    settled({ sent }) {
      if (sent.status === 'acknowledged') {
        sendings.delete(sent.messageId)
        return
      }
      failed.add(sent.messageId)
      const [oldest] = failed
      if (failed.size > MAX_FAILED && oldest !== undefined) remove(oldest)
    },
    failed: (messageId) => (failed.has(messageId) ? sendings.get(messageId) : undefined),
    remove,
    onRemove: (listener) => listeners.add(listener),
  }
}
