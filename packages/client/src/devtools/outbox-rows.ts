/** The outbox row by row: what the client says of it, and what the wire has seen of each. */
import type { Client } from '../client.ts'
import type { SentStatus } from '../sent.ts'
import type { Recorder } from './recorder.ts'

export interface OutboxRow {
  readonly room: string
  readonly messageId: string
  /** `send_message`, `edit_message` … */
  readonly type: string
  readonly status: SentStatus
  /** Unix milliseconds. */
  readonly createdAt: number
  /** How often it was sent since the devtools were made, by this client: another tab may have sent it too. */
  readonly attempts: number
  /** Lane and place; undefined before the first attempt. */
  readonly sid: string | undefined
  readonly n: number | undefined
  /** Why it failed. */
  readonly reason: string | undefined
  readonly detail: string | undefined
}

export function outboxRows(client: Client, { attempts, redactor }: Recorder): readonly OutboxRow[] {
  return client.outbox.list().map(({ room, messageId, type, status, createdAt, error }) => {
    const seen = attempts(messageId)
    return {
      room,
      messageId,
      type,
      status,
      createdAt,
      attempts: seen?.count ?? 0,
      sid: seen?.sid,
      n: seen?.n,
      reason: error?.applicationCode ?? error?.code,
      detail: error && error.message !== error.code ? redactor.text(error.message) : undefined,
    }
  })
}
