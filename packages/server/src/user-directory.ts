/**
 * What users are called, as the application's `describeUsers` says it: asked for many at once, believed for a while, and
 * waited for by nobody but who asks for names. Where it fails, names are absent, and it is asked again next time.
 */
import { SERVER_MESSAGES } from '@tautline/protocol'
import { isWellFormed, MAX_DESCRIBED_USERS, type UserDescription } from '@tautline/protocol/wire'
import { LRUCache } from 'lru-cache'
import type { DescribeUsers } from './hooks.ts'
import { describeError, type Logger } from './log.ts'

/** Users of whom it is known what is said of them, or that nothing is. */
const MAX_KNOWN_USERS = 10_000

export interface UserDirectory {
  /** Those of them of whom there is something to say, in this order. Never rejects. */
  describe(userIds: readonly string[]): Promise<readonly UserDescription[]>
  /** Ask again about these. */
  forget(userIds: readonly string[]): void
}

export interface UserDirectoryOptions {
  readonly describeUsers: DescribeUsers
  /** How long an answer is believed; 0: not beyond those who asked together. */
  readonly cacheMs: number
  readonly timeoutMs: number
  readonly logger: Logger
  /** Monotonic milliseconds. Default: those of the process. */
  readonly now?: (() => number) | undefined
}

/** Null: nothing is said of them. */
type Known = UserDescription | null

/** Users of whom one call asks, and what each of them was told to wait for. */
interface Batch {
  readonly users: string[]
  readonly wanted: Map<string, Promise<Known>>
  readonly answer: Promise<ReadonlyMap<string, UserDescription>>
}

export function createUserDirectory(options: UserDirectoryOptions): UserDirectory {
  const { cacheMs, now = () => performance.now() } = options
  const known = new LRUCache<string, { readonly is: Known }>({
    max: MAX_KNOWN_USERS,
    ttl: Math.max(cacheMs, 1),
    ttlResolution: 0,
    perf: { now },
  })
  /** Of whom it is being asked. */
  const asked = new Map<string, Promise<Known>>()
  /** Those whom the next call takes. */
  let batch: Batch | undefined

  function ask(userId: string): Promise<Known> {
    const open = asked.get(userId)
    if (open) return open
    if (batch?.users.length === MAX_DESCRIBED_USERS) batch = undefined
    batch ??= nextBatch()
    const { users, wanted, answer } = batch
    users.push(userId)
    const is = answer.then((found) => found.get(userId) ?? null)
    wanted.set(userId, is)
    asked.set(userId, is)
    return is
  }

  /** All who ask in one turn ask together. */
  function nextBatch(): Batch {
    const users: string[] = []
    const wanted = new Map<string, Promise<Known>>()
    const answer = Promise.resolve().then(async () => {
      if (batch?.users === users) batch = undefined
      const found = await call(options, users)
      for (const userId of users) {
        // Else it was to be forgotten meanwhile; perhaps somebody asked anew, and that answer counts.
        if (asked.get(userId) !== wanted.get(userId)) continue
        asked.delete(userId)
        if (found && cacheMs > 0) known.set(userId, { is: found.get(userId) ?? null })
      }
      return found ?? new Map<string, UserDescription>()
    })
    return { users, wanted, answer }
  }

  return {
    async describe(userIds) {
      const all = [...new Set(userIds)].map(async (userId) => {
        const believed = known.get(userId)
        return believed ? believed.is : ask(userId)
      })
      return (await Promise.all(all)).filter((is) => is !== null)
    },
    forget(userIds) {
      for (const userId of userIds) {
        known.delete(userId)
        // What is being said of them may be of before.
        asked.delete(userId)
      }
    },
  }
}

/** Undefined: it failed. What is no description is left out, as if nothing was said. */
async function call(
  { describeUsers, timeoutMs, logger }: UserDirectoryOptions,
  users: readonly string[],
): Promise<ReadonlyMap<string, UserDescription> | undefined> {
  try {
    const answer: unknown = await within(timeoutMs, describeUsers([...users]))
    const found = new Map<string, UserDescription>()
    for (const userId of users) {
      const is = descriptionOf(userId, fieldOf(answer, userId))
      if (is) found.set(userId, is)
    }
    return found
  } catch (error) {
    logger.error({ hook: 'describeUsers', users: users.length, ...describeError(error) }, 'a hook failed')
    return undefined
  }
}

function fieldOf(answer: unknown, key: string): unknown {
  if (answer instanceof Map) return (answer as ReadonlyMap<unknown, unknown>).get(key)
  if (typeof answer !== 'object' || answer === null) throw new TypeError('describeUsers returned no object')
  return Object.hasOwn(answer, key) ? (answer as Readonly<Record<string, unknown>>)[key] : undefined
}

/** Each field by itself: a picture of a strange address takes nobody's name. */
function descriptionOf(userId: string, said: unknown): UserDescription | undefined {
  if (typeof said !== 'object' || said === null) return undefined
  const is: UserDescription = { userId }
  for (const field of ['name', 'avatarUrl'] as const) {
    const value: unknown = Object.hasOwn(said, field) ? Reflect.get(said, field) : undefined
    const users = [{ userId, [field]: value }]
    const isGood = typeof value === 'string' && isWellFormed(value)
    if (isGood && SERVER_MESSAGES.user_list.safeParse({ ref: 1, users }).success) is[field] = value
  }
  return is.name === undefined && is.avatarUrl === undefined ? undefined : is
}

function within<T>(timeoutMs: number, answer: T | Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs)
    timer.unref()
    Promise.resolve(answer)
      .then(resolve, reject)
      .finally(() => clearTimeout(timer))
  })
}
