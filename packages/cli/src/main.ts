/**
 * Finds the command, lets it run and turns whatever it throws into a sentence and an exit code: 0 done, 1 failed,
 * 2 called in a way it does not know.
 */
import { readFileSync } from 'node:fs'
import { UsageError } from './command.ts'
import { COMMANDS } from './commands.ts'

/** Resolves to the exit code; never rejects. */
export async function main(args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const [first, ...rest] = args
  try {
    if (first === '--help' || first === '-h') return print(helpText())
    if (first === 'help') return print(rest[0] === undefined ? helpText() : commandOf(rest[0]).help)
    if (first === '--version' || first === '-v') return print(`${versionText()}\n`)
    const command = commandOf(first)
    if (rest.includes('--help') || rest.includes('-h')) return print(command.help)
    return await command.run(rest, env)
  } catch (error) {
    return explain(error, first)
  }
}

function commandOf(name: string | undefined) {
  if (name === undefined) throw new UsageError('What shall I do?')
  const command = COMMANDS.get(name)
  if (command) return command
  throw new UsageError(
    name.startsWith('-') ? `The command comes first, before "${name}".` : `There is no command "${name}".`,
  )
}

function helpText(): string {
  const lines = Array.from(COMMANDS, ([name, { summary }]) => `  ${name.padEnd(8)} ${summary}`)
  return `tautline <command>: realtime messaging that keeps its promises

${lines.join('\n')}

  tautline <command> --help   what a command takes
  tautline --version          which version this is

Exit codes: 0 done, 1 failed, 2 called in a way it does not know.
`
}

/** The manifest is one folder up, from the sources as from the build. */
function versionText(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest
    ? String(manifest.version)
    : 'unknown'
}

function print(text: string): number {
  process.stdout.write(text)
  return 0
}

function explain(error: unknown, command: string | undefined): number {
  const isUsage = error instanceof UsageError || isParseArgsError(error)
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  if (!isUsage) return 1
  const isKnown = command !== undefined && COMMANDS.has(command)
  process.stderr.write(`Try: tautline ${isKnown ? `${command} ` : ''}--help\n`)
  return 2
}

function isParseArgsError(error: unknown): boolean {
  return error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')
}
