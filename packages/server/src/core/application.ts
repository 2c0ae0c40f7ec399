/**
 * What the application's own code says and does goes the way of everybody's: the same commands, lanes, rights and
 * commits, from a connection that is no socket. It speaks for whoever it names, and no rate binds it. What it is told
 * (acks, errors, answers) the shell makes into promises.
 */
import type { Commands } from './commands.ts'
import { APPLICATION, createConnection } from './connection.ts'
import { type Context, unreachable } from './context.ts'
import type { ApplicationMessage } from './contract.ts'
import type { Drain } from './drain.ts'

/** What to do with each thing that the application asks. */
export function createApplication(
  context: Context,
  commands: Commands,
  drain: Drain,
): (user: string, message: ApplicationMessage) => void {
  const connection = createConnection(APPLICATION, undefined, context.options, 0)
  connection.phase = 'ready'

  return (user, message) => {
    connection.userId = user
    if (drain.hasBegun()) {
      drain.refuseChange(connection, message)
      return
    }
    switch (message.type) {
      case 'commands':
        commands.take(connection, message.payload)
        break
      case 'create_room':
        commands.create(connection, message.payload)
        break
      case 'invite_member':
        commands.admit(connection, message.payload)
        break
      case 'remove_member':
        commands.remove(connection, message.payload)
        break
      case 'update_room':
        commands.update(connection, message.payload)
        break
      case 'delete_room':
        commands.delete(connection, message.payload)
        break
      case 'set_role':
        commands.setRole(connection, message.payload)
        break
      case 'ban_member':
        commands.ban(connection, message.payload, false)
        break
      case 'unban_member':
        commands.ban(connection, message.payload, true)
        break
      case 'mute_member':
        commands.mute(connection, message.payload, message.payload.durationMs)
        break
      case 'unmute_member':
        commands.mute(connection, message.payload, 0)
        break
      default:
        unreachable(message)
    }
  }
}
