// What the server refuses while connections are cut: where its answer was lost, the message failed with VOID (it is nowhere,
// and why nobody knows any more), and its user tries again, as a page would let them.

import { type Sent, TautlineError } from '@tautline/client'
import { expect } from 'vitest'
import type { Device } from './device.ts'
import { within } from './waiting.ts'

/** Resolves with the error, which is so, and is forgotten at the device. */
export async function refused(
  { client, name }: Device,
  sent: Sent,
  isSo: Partial<Pick<TautlineError, 'code' | 'detail'>>,
): Promise<TautlineError> {
  const what = `${name} is refused “${sent.content || sent.type}”`
  for (let again: Sent | undefined = sent; again; again = client.outbox.retry(again.messageId)) {
    const error: TautlineError = await within(failureOf(again), what)
    if (error.code === 'VOID') continue
    expect(error, what).toMatchObject(isSo)
    client.outbox.discard(again.messageId)
    return error
  }
  throw new Error(`${name} has lost “${sent.content}”`)
}

async function failureOf(sent: Sent): Promise<TautlineError> {
  try {
    await sent
  } catch (error) {
    if (error instanceof TautlineError) return error
  }
  throw new Error(`“${sent.content || sent.type}” was taken`)
}
