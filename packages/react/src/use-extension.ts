import { type Extension, extend, type Protocol } from '@tautline/client/extension'
import { useClient } from './use-client.ts'

/**
 * Messages of the application's own (see defineProtocol) on the client of the nearest provider: the same object in every
 * component and every render, so an effect may depend on it.
 *
 *     const app = useExtension(jobs)
 *     useEffect(() => app.room(id).on('job_offer', ({ payload }) => …), [app, id])
 */
export function useExtension<P extends Protocol>(protocol: P): Extension<P> {
  return extend(useClient(), protocol)
}
