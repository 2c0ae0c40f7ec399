/**
 * What the application's own code says and does goes the way of everybody's: the same commands, lanes, rights and
 * commits, from a connection that is no socket. It speaks for whoever it names, and no rate binds it. What it is told
 * (acks, errors, answers) the shell makes into promises.
 */
import type { Commands } from './commands.ts'
import { APPLICATION, createConnection } from './connection.ts'
import type { Context } from './context.ts'
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
    if (message.type === 'commands') commands.take(connection, message.payload)
    else commands.change(connection, message)
  }
}
