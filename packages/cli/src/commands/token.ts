/** `tautline token`: a token for a user, for trying things out and for scripts. */
import { parseArgs } from 'node:util'
import { type Command, UsageError } from '../command.ts'
import { SECRET_NOTE, secretOf } from '../secret.ts'

const HELP = `tautline token --user <id>: print a token for that user, good for an hour

  --user <id>         who it is for
  --secret <text>     the secret of the server, 32 bytes or more       [TAUTLINE_SECRET]

${SECRET_NOTE}
`

export const token: Command = {
  summary: 'print a token for a user',
  help: HELP,
  async run(args, env) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { user: { type: 'string' }, secret: { type: 'string' } },
    })
    if (positionals[0] !== undefined)
      throw new UsageError(`"${positionals[0]}" is too much. Name the user: --user alice`)
    if (values.user === undefined) throw new UsageError('Whose token? Name the user: --user alice')
    const secret = secretOf(values.secret, env)
    const { createToken } = await import('@tautline/server')
    process.stdout.write(`${await createToken({ userId: values.user, secret })}\n`)
    return 0
  },
}
