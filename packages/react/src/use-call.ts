import type { Readable } from '@tautline/client'
import type { Call, CallSnapshot } from '@tautline/client/calls'
import { useReadable, whole } from './use-readable.ts'

const NO_CALL: Readable<CallSnapshot | undefined> = {
  getSnapshot: () => undefined,
  subscribe: () => () => {},
}

/**
 * How a call of `useCalls` is: status, participants and their streams, why it ended. Undefined where there is no call. What
 * is done with it are its own methods: `call.answer(stream)`, `reject`, `hangUp`, `setStream`. With `select` just what it picks.
 */
export function useCall(call: Call | undefined): CallSnapshot | undefined
export function useCall<S>(call: Call | undefined, select: (call: CallSnapshot | undefined) => S): S
export function useCall<S>(
  call: Call | undefined,
  select?: (call: CallSnapshot | undefined) => S,
): CallSnapshot | S | undefined {
  return useReadable<CallSnapshot | undefined, CallSnapshot | S | undefined>(
    call ?? NO_CALL,
    undefined,
    select ?? whole,
  )
}
