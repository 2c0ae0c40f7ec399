/** What a command is, and what is wrong when it was called in a way that it does not know. */
export interface Command {
  /** A few words, for the list of the commands. */
  readonly summary: string
  /** All that it takes, with defaults and environment variables. */
  readonly help: string
  /** Resolves to the exit code; rejects with an Error whose message is a sentence for whoever typed it. */
  run(args: readonly string[], env: NodeJS.ProcessEnv): Promise<number>
}

/** It was called in the wrong way: exit code 2, and a hint to the help. */
export class UsageError extends Error {}

/** The one argument that a command takes, or undefined; more are refused. */
export function onlyArgument(positionals: readonly string[]): string | undefined {
  const [argument, tooMuch] = positionals
  if (tooMuch !== undefined) throw new UsageError(`"${tooMuch}" is too much.`)
  return argument
}

export function noArgument(positionals: readonly string[]): void {
  if (positionals[0] !== undefined) throw new UsageError(`"${positionals[0]}" is too much.`)
}

/** A number of seconds as milliseconds. */
export function readSeconds(option: string, text: string): number {
  const seconds = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : Number.NaN
  if (seconds > 0 && seconds <= 86_400) return seconds * 1_000
  throw new UsageError(`--${option} takes a number of seconds, at most a day, not "${text}".`)
}
