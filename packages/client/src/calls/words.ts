/**
 * The words of calls without their validators, so that no schema library is in a page for them: what we say was made here,
 * what arrives was checked by the server. Only the form of what the calls lean on is looked at.
 */
import type { callProtocol } from '@tautline/protocol/calls'
import { defineProtocol, type PayloadSchema } from '@tautline/protocol/extension'

type CallProtocol = typeof callProtocol

const anything = schemaOf(() => true)
const picture = schemaOf(({ call }) => isPicture(call))
const pictures = schemaOf(({ calls }) => Array.isArray(calls) && calls.every(isPicture))
const signalled = schemaOf(({ signal }) => isObject(signal))

/** The same names, kinds and types as callProtocol; a test holds them to it. */
export const callWords = defineProtocol({
  name: 'calls',
  messages: {
    start_call: { kind: 'request', payload: anything, response: picture },
    answer_call: { kind: 'request', payload: anything, response: picture },
    reject_call: { kind: 'request', payload: anything, response: anything },
    end_call: { kind: 'request', payload: anything, response: anything },
    resume_call: { kind: 'request', payload: anything, response: picture },
    get_calls: { kind: 'request', payload: anything, response: pictures },
    signal_peer: { kind: 'request', payload: anything, response: anything },
    peer_signal: { kind: 'event', payload: signalled },
    call_changed: { kind: 'event', payload: picture },
    call_started: { kind: 'durable', payload: anything },
    call_ended: { kind: 'durable', payload: anything },
  },
}) as unknown as CallProtocol

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

function isPicture(value: unknown): boolean {
  return isObject(value) && Array.isArray(value['participants']) && value['participants'].every(isObject)
}

function schemaOf(isRight: (value: Readonly<Record<string, unknown>>) => boolean): PayloadSchema {
  return {
    '~standard': {
      version: 1,
      vendor: 'tautline',
      validate: (value) =>
        isObject(value) && isRight(value) ? { value } : { issues: [{ message: 'not of its form' }] },
    },
  }
}
