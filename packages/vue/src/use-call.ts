import type { Call, CallSnapshot } from '@tautline/client/calls'
import { type ComputedRef, type MaybeRefOrGetter, toValue } from 'vue'
import { readableRefs } from './readable-refs.ts'

/**
 * How a call of `useCalls` is: status, participants and their streams, why it ended. Undefined where there is no call. What
 * is done with it are its own methods: `call.answer(stream)`, `reject`, `hangUp`, `setStream`.
 */
export function useCall(call: MaybeRefOrGetter<Call | undefined>): ComputedRef<CallSnapshot | undefined> {
  return readableRefs(() => {
    const shown = toValue(call)
    return {
      getSnapshot: () => ({ call: shown?.getSnapshot() }),
      subscribe: (listener: () => void) => shown?.subscribe(listener) ?? (() => {}),
    }
  }).call
}
