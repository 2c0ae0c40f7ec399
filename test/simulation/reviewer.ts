// The application's hooks, as the servers ask them: what they think of a message stands in its first word, what they do
// besides is left to chance. They are slow for a while, or fail.

import type { Question, Verdict } from '../../packages/server/src/core/contract.ts'
import type { ReadPolicy } from '../../packages/server/src/queries.ts'
import type { Dice } from './dice.ts'
import type { History } from './history.ts'
import type { World } from './world.ts'

/** First words. */
export const FORBIDDEN_WORD = 'forbidden'
export const CENSORED_WORD = 'censored'
export const DELAYED_WORD = 'delayed'
/** What is said instead of what is censored. */
const INSTEAD = 'something else'

export interface Reviewer extends ReadPolicy {
  review(question: Question, done: (verdict: Verdict) => void): void
  /** Answers take longer than anybody waits, or are errors, now and then for so long. */
  disturb(how: 'slow' | 'failing', ms: number): void
  calm(): void
}

export function createReviewer(
  world: World,
  history: History,
  dice: Dice,
  count: (what: string) => void,
): Reviewer {
  let slowUntil = 0
  let failsUntil = 0
  /** Times that something was put off. */
  const delays = new Map<string, number>()

  function verdictOn({ action, command }: Question): Verdict {
    if (world.now < failsUntil && dice.chance(0.5)) return { ok: false, code: 'UNAVAILABLE' }
    if (!command) {
      const isAllowed = action === 'write' || action === 'join' || dice.chance(0.9)
      return isAllowed ? { ok: true } : { ok: false, code: 'FORBIDDEN' }
    }
    const { messageId, payload } = command
    const content = String(payload['content'])
    if (content.startsWith(FORBIDDEN_WORD)) return { ok: false, code: 'FORBIDDEN', detail: 'not here' }
    if (content.startsWith(CENSORED_WORD)) return { ok: true, payload: { ...payload, content: INSTEAD } }
    const delayed = delays.get(messageId) ?? 0
    if (!content.startsWith(DELAYED_WORD) || delayed >= 2) return { ok: true }
    delays.set(messageId, delayed + 1)
    return { ok: false, code: 'RATE_LIMIT', retryAfterMs: 300 }
  }

  return {
    review(question, done) {
      const isSlow = world.now < slowUntil && dice.chance(0.5)
      world.after(isSlow ? dice.between(3_000, 9_000) : dice.between(0.1, 20), () => {
        const verdict = verdictOn(question)
        const { command } = question
        count(verdict.ok ? (verdict.payload ? 'hook_changed' : 'hook_agreed') : `hook_${verdict.code}`)
        if (command && verdict.ok) history.reviewed.add(command.messageId)
        world.note(
          () => `the hook: ${question.action} ${command?.messageId ?? ''} ${JSON.stringify(verdict)}`,
        )
        done(verdict)
      })
    },
    objectionToRead: () =>
      Promise.resolve(world.now < failsUntil && dice.chance(0.3) ? 'UNAVAILABLE' : undefined),
    visibleTo: undefined,
    disturb(how, ms) {
      if (how === 'slow') slowUntil = world.now + ms
      else failsUntil = world.now + ms
    },
    calm() {
      slowUntil = failsUntil = 0
    },
  }
}
