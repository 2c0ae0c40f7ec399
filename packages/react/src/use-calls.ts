import { onceWatched } from '@tautline/client'
import { type Calls, type CallsSnapshot, calls } from '@tautline/client/calls'
import { useMemo } from 'react'
import { useClient } from './use-client.ts'
import { useReadable } from './use-readable.ts'

export type CallsView = CallsSnapshot & Pick<Calls, 'start'>

const NO_CALLS: CallsSnapshot = { calls: [] }

/**
 * The calls that are on or ring here, and how to start one. Options (ICE servers) are given once, before anything is
 * rendered: `calls(client, { rtc })`. They go on when the component is gone.
 */
export function useCalls(): CallsView {
  const client = useClient()
  const watched = useMemo(() => onceWatched(client, calls, NO_CALLS), [client])
  const pick = useMemo(() => {
    const start: Calls['start'] = (options) => calls(client).start(options)
    return (shown: CallsSnapshot): CallsView => ({ ...shown, start })
  }, [client])
  return useReadable(watched, NO_CALLS, pick)
}
