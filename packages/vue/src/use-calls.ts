import { onceWatched } from '@tautline/client'
import { type Calls, type CallsSnapshot, calls } from '@tautline/client/calls'
import { type Fields, readableRefs } from './readable-refs.ts'
import { useClient } from './use-client.ts'

export type CallsView = Fields<CallsSnapshot> & Pick<Calls, 'start'>

const NO_CALLS: CallsSnapshot = { calls: [] }

/**
 * The calls that are on or ring here, and how to start one. Options (ICE servers) are given once, before anything is
 * rendered: `calls(client, { rtc })`. They go on when the component is gone.
 */
export function useCalls(): CallsView {
  const client = useClient()
  const watched = onceWatched(client, calls, NO_CALLS)
  return { ...readableRefs(() => watched), start: (options) => calls(client).start(options) }
}
