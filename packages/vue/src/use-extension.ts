import { type Extension, extend, type Protocol } from '@tautline/client/extension'
import { useClient } from './use-client.ts'

/**
 * Messages of the application's own (see defineProtocol) on the client that was provided: the same object in every
 * component.
 *
 *     const app = useExtension(jobs)
 *     onScopeDispose(app.room(id).on('job_offer', ({ payload }) => …))
 */
export function useExtension<P extends Protocol>(protocol: P): Extension<P> {
  return extend(useClient(), protocol)
}
