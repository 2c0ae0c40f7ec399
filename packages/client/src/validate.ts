/**
 * A door that checks every frame by the schemas of the protocol, down to the last field. It is an entry of its own,
 * `@tautline/client/validate`, because it brings the schema library into the bundle:
 *
 *     createClient({ …, door: validatingDoor })
 *
 * For development, for tests of a server, and where the server is not trusted. What it refuses is a broken connection:
 * PARSE_ERROR, and another attempt after the longest wait.
 */
import { decodeServerFrame, type ServerMessage } from '@tautline/protocol'
import { type Door, openDoor } from './door.ts'

export const validatingDoor: Door = (data) => {
  // What the schemas do not say: that a run of entries has no hole.
  if (typeof data !== 'string' || !openDoor(data)) return undefined
  const messages: ServerMessage[] = []
  for (const result of decodeServerFrame(data)) {
    if (result.ok) messages.push(result.message)
    // A newer server may say more than we know.
    else if (result.code !== 'UNKNOWN_TYPE') return undefined
  }
  return messages
}
