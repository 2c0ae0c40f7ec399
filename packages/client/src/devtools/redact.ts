/**
 * Keeps secrets out of what is recorded: whatever stands under a name like `token` in a frame, in the query of an
 * address, and each token that the client was given, wherever it turns up. It is done before anything is kept.
 */

const REDACTED = '[redacted]'
const SECRET_NAME = /token|ticket|secret|passw|authorization|credential|api_?key|cookie/i
/** For what is no JSON: a name and the beginning of the string behind it, … */
const NAMED = /"([^"\\]*)"\s*:\s*"/g
/** … and the rest of that string, even where it has no end. */
const REST = /[^"\\]*(?:\\.[^"\\]*)*/sy
/** Shorter ones are words that may well be said of something else: a test may take the name of a user for a token. */
const SHORTEST_SECRET = 12
const MAX_SECRETS = 8
/** Deeper than any frame of the protocol. */
const MAX_DEPTH = 24

export interface Redactor {
  /** This is never to be seen from now on. */
  learn(secret: unknown): void
  text(text: string): string
  /** What was parsed of a frame, without its secrets. */
  value(value: unknown): unknown
  /** An address without what stands behind the names of its query, and without a user. */
  address(url: string): string
}

export function createRedactor(): Redactor {
  const secrets = new Set<string>()

  function withoutKnown(text: string): string {
    let left = text
    for (const secret of secrets) left = left.replaceAll(secret, REDACTED)
    return left
  }

  function clean(value: unknown, depth: number): unknown {
    if (typeof value === 'string') return withoutKnown(value)
    if (typeof value !== 'object' || value === null) return value
    if (depth > MAX_DEPTH) return '…'
    if (Array.isArray(value)) return value.map((item) => clean(item, depth + 1))
    const fields = Object.entries(value).map(([name, field]: [string, unknown]) => {
      const isSecret = SECRET_NAME.test(name) && (typeof field === 'string' || typeof field === 'object')
      return [name, isSecret && field !== null ? REDACTED : clean(field, depth + 1)] as const
    })
    return Object.fromEntries(fields)
  }

  return {
    learn(secret) {
      if (typeof secret !== 'string' || secret.length < SHORTEST_SECRET) return
      secrets.delete(secret)
      secrets.add(secret)
      const [oldest] = secrets
      if (secrets.size > MAX_SECRETS && oldest !== undefined) secrets.delete(oldest)
    },
    text: (text) => withoutFields(withoutKnown(text)),
    value: (value) => clean(value, 0),
    address(url) {
      const [place = '', query] = url.split('#', 1)[0]?.split('?') ?? []
      const shown = withoutKnown(place.replace(/\/\/[^/@]*@/, '//'))
      if (query === undefined) return shown
      const names = query.split('&').map((pair) => `${pair.split('=', 1)[0]}=${REDACTED}`)
      return `${shown}?${withoutKnown(names.join('&'))}`
    },
  }
}

/** Looks at each character a few times at most, whatever it is given. */
function withoutFields(text: string): string {
  let clean = ''
  let done = 0
  NAMED.lastIndex = 0
  for (let found = NAMED.exec(text); found; found = NAMED.exec(text)) {
    const [{ length }, name = ''] = found
    const end = found.index + length
    if (SECRET_NAME.test(name)) {
      REST.lastIndex = end
      REST.exec(text)
      clean += text.slice(done, end) + REDACTED
      done = REST.lastIndex
      NAMED.lastIndex = done
    } else NAMED.lastIndex = found.index + name.length + 1 // its last quote may be the first of another
  }
  return clean + text.slice(done)
}
