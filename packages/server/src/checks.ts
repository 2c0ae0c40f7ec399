/**
 * Checks of one option: what is wrong is said with its name, what was given and what is allowed. Undefined is "left out"
 * and nothing else is.
 */

export function whole(
  name: string,
  given: number | undefined,
  min: number,
  max: number,
  fallback: number,
): number {
  if (given === undefined) return fallback
  if (Number.isSafeInteger(given) && given >= min && given <= max) return given
  throw fault(name, given, `a whole number from ${min} to ${max}`)
}

export function text(name: string, given: string | undefined, fallback: string): string {
  if (given === undefined) return fallback
  if (typeof given === 'string' && given !== '') return given
  throw fault(name, given, 'a text that is not empty')
}

export function flag(name: string, given: boolean | undefined, fallback: boolean): boolean {
  if (given === undefined) return fallback
  if (typeof given === 'boolean') return given
  throw fault(name, given, 'true or false')
}

export function checkNames(prefix: string, given: object, allowed: readonly string[]): void {
  for (const name of Object.keys(given)) {
    if (!allowed.includes(name))
      throw noOption(prefix + name, `; there are ${allowed.map((each) => prefix + each).join(', ')}.`)
  }
}

export function fault(name: string, given: unknown, allowed: string): OptionError {
  const shown = typeof given === 'string' ? `"${given.slice(0, 100)}"` : String(given)
  return new OptionError(name, `must be ${allowed}; it is ${shown}.`)
}

function noOption(name: string, others: string): OptionError {
  return new OptionError(name, `is no option${others}`, `There is no option ${name}${others}`)
}

/** An option is not what it may be. Whoever took it from elsewhere can say its name there in front of `detail`. */
export class OptionError extends TypeError {
  /** As in `createServer`, with a dot for each level: `limits.maxFrameBytes`. */
  readonly option: string
  /** What it must be and what it is. */
  readonly detail: string

  constructor(option: string, detail: string, message = `The option ${option} ${detail}`) {
    super(message)
    this.option = option
    this.detail = detail
  }
}
