/** Where the secret of the tokens comes from. It is never printed. */
import { UsageError } from './command.ts'

export const SECRET_NOTE =
  'A secret on the command line can be seen by other users of the machine; TAUTLINE_SECRET cannot.'

export function secretOf(given: string | undefined, env: NodeJS.ProcessEnv): string {
  const secret = given ?? env['TAUTLINE_SECRET']
  if (secret !== undefined && secret !== '') return secret
  throw new UsageError(
    'There is no secret for the tokens: set TAUTLINE_SECRET to a text of 32 bytes or more.',
  )
}
