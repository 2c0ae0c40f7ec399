/**
 * Hands what the server answers to who waits for its ref: an answer, an ack, a refusal. An answer of another kind than was
 * asked for is none: what was asked has failed, and is asked again where that helps. What nobody waits for, or no longer,
 * is nothing.
 */
import { boundedWait, knownCode, type PayloadOf, type ServerMessage } from '@tautline/protocol/wire'
import type { Context, Failure, Pending } from './context.ts'

export function answered(context: Context, message: ServerMessage): void {
  const { payload } = message
  const ref = 'ref' in payload ? payload.ref : undefined
  const room = 'room' in payload ? payload.room : undefined
  const pending = ref === undefined ? undefined : context.pending.get(ref)
  if (!pending || ref === undefined) return
  const type = message.type === 'reset' ? 'page' : message.type
  if ((pending.answer ?? type) !== type) return fail(context, ref, pending, { code: 'UNAVAILABLE' })
  release(context, ref, pending, room)
  pending.answered?.(message)
}

export function acknowledged(context: Context, { acks }: PayloadOf<'ack'>, timestamp: number): void {
  for (const item of acks) {
    for (let i = 0; i < (item.count ?? 1); i++) {
      const ref = item.ref + i
      const pending = context.pending.get(ref)
      if (!pending) continue
      if (!pending.acknowledged) {
        fail(context, ref, pending, { code: 'UNAVAILABLE' })
        continue
      }
      context.pending.delete(ref)
      pending.acknowledged(item.seq + i, item.timestamp ?? timestamp)
    }
  }
}

export function refused(context: Context, payload: PayloadOf<'error'>): void {
  const { ref, room, message, count = 1 } = payload
  const retryAfterMs = payload.retryAfterMs === undefined ? undefined : boundedWait(payload.retryAfterMs)
  const code = knownCode(payload.code, payload.final)
  const applicationCode = code === payload.code ? undefined : payload.code
  const failure: Failure = { code, detail: message, applicationCode, retryAfterMs }
  if (ref === undefined) return context.emit({ type: 'problem', failure })
  // Where nobody waits for it any more, it was taken back, and will be said again; what stands behind it may be awaited.
  const pending = context.pending.get(ref)
  if (pending) fail(context, ref, pending, failure, room)
  // Of commands; those that went back with one before them are awaited no more.
  for (let i = 1; i < count; i++) {
    const next = context.pending.get(ref + i)
    if (next?.acknowledged) fail(context, ref + i, next, failure)
  }
}

function fail(context: Context, ref: number, pending: Pending, failure: Failure, room?: string): void {
  pending.refused?.(failure, room)
  release(context, ref, pending, room)
}

/** One subscribe asks for many rooms: the others are still awaited. */
function release(context: Context, ref: number, { rooms: awaited }: Pending, room: string | undefined): void {
  if (room !== undefined) awaited?.delete(room)
  if (room === undefined || !awaited?.size) context.pending.delete(ref)
}
