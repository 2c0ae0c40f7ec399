/**
 * A door that checks every frame by the schemas of the protocol, down to the last field. It is an entry of its own,
 * `@tautline/client/validate`, because it brings the schema library into the bundle:
 *
 *     createClient({ …, door: validatingDoor })
 *
 * For development, for tests of a server, and where the server is not trusted. What it refuses is a broken connection:
 * PARSE_ERROR, and another attempt after the longest wait.
 */
import { findFault, SERVER_MESSAGES, type ServerMessage } from '@tautline/protocol'
import { type Door, openDoor } from './door.ts'

/** The default door goes first: it knows the envelope, and what the schemas do not say, that a run of entries has no hole. */
export const validatingDoor: Door = (data, learned) => {
  const messages: ServerMessage[] = []
  for (const message of openDoor(data, learned) ?? [undefined]) {
    const parsed = message && SERVER_MESSAGES[message.type].safeParse(message.payload)
    if (!parsed?.success || findFault(message)) return undefined
    messages.push({ ...message, payload: parsed.data } as ServerMessage)
  }
  return messages
}
