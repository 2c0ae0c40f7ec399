// What is said on one link, in its order, and what answers what.

import { type Code, isCode, MAX_BATCH } from '@tautline/protocol/wire'
import type { Link } from '../history.ts'

interface Command {
  readonly ref: number
  readonly messageId: string
  /** What is the same when it is said again. */
  readonly identity: string
  readonly lane: string
  readonly isSkip: boolean
}

export function commandsIn(message: Link['up'][number]['message']): Command[] {
  if (message.type !== 'commands') return []
  const { ref, sid, n, commands } = message.payload
  return commands.map((command, i) => {
    const { messageId, type } = command as { readonly messageId: string; readonly type: string }
    return {
      ref: ref + i,
      messageId,
      identity: `${sid} ${n + i} ${type} ${messageId}`,
      lane: sid,
      isSkip: type === 'skip',
    }
  })
}

/** The refs that a message answers, with the code of a refusal. */
export function answersIn(
  message: Link['down'][number]['message'],
): { readonly ref: number; readonly code?: Code; readonly waitMs?: number | undefined }[] {
  if (message.type === 'error' && message.payload.ref !== undefined) {
    const { ref, code, retryAfterMs, count = 1 } = message.payload
    const known: Code = isCode(code) ? code : 'UNAVAILABLE'
    return Array.from({ length: Math.min(count, MAX_BATCH) }, (_, i) => ({
      ref: ref + i,
      code: known,
      waitMs: retryAfterMs,
    }))
  }
  if (message.type !== 'ack') return []
  return message.payload.acks.flatMap(({ ref, count = 1 }) =>
    Array.from({ length: Math.min(count, MAX_BATCH) }, (_, i) => ({ ref: ref + i })),
  )
}

type Talk =
  | { readonly at: number; readonly said: Link['up'][number]['message'] }
  | { readonly at: number; readonly heard: Link['down'][number]['message'] }

/** Everything of a link, in its order. */
export function* talkOf({ up, down }: Link): Generator<Talk> {
  let i = 0
  for (const { at, order, message } of down) {
    for (let next = up[i]; next && next.order < order; next = up[++i])
      yield { at: next.at, said: next.message }
    yield { at, heard: message }
  }
  for (let next = up[i]; next; next = up[++i]) yield { at: next.at, said: next.message }
}

/** Clocks differ: what the client measures as long enough may be a little less. */
export const CLOCK_TOLERANCE = 0.985
