// The application as it gives tokens to its pages: mostly good ones, soon; now and then one that is none, is over, is
// another's, or comes late.

import type { Dice } from './dice.ts'
import { UNIX_START } from './time.ts'
import type { Token } from './tokens.ts'
import type { World } from './world.ts'

export type BadGift = 'bad' | 'undecided' | 'failed' | 'late' | 'expired' | 'other'

export interface TokenGiver {
  /** `isRefused`: the one before was. Undefined for a token: it fails. `inMs`: how long that takes. */
  give(
    place: { readonly name: string; readonly user: string },
    isRefused: boolean,
  ): { readonly token: Token | undefined; readonly inMs: number }
  /** Whoever asks next gets such a one. */
  spoil(how: BadGift): void
  /** Tokens live for seconds, for so long. */
  shorten(ms: number): void
  /** From now on all are good. */
  calm(): void
}

const LIFE_MS = 900_000

export function createTokenGiver(world: World, dice: Dice, count: (what: string) => void): TokenGiver {
  let isQuiet = false
  let shortUntil = 0
  const spoilt: BadGift[] = []
  /** By place: the last good one that was given there. */
  const last = new Map<string, Token>()

  return {
    give({ name, user }, isRefused) {
      const how = isQuiet ? undefined : spoilt.shift()
      if (how) count(`gave_${how}`)
      const lifeMs = world.now < shortUntil && !isQuiet ? dice.between(500, 20_000) : LIFE_MS
      const good: Token = {
        user,
        expiresAt: UNIX_START + world.now + lifeMs,
        id: `token-${dice.letters(6)}`,
        kind: 'good',
      }
      const inMs = dice.between(0.1, 40)
      const kept = last.get(name)
      // Many applications keep a token while it is good, and ask for another where it was refused.
      if (
        how === undefined &&
        !isRefused &&
        kept &&
        kept.expiresAt > UNIX_START + world.now &&
        dice.chance(0.3)
      )
        return { token: kept, inMs }
      if (how === undefined) last.set(name, good)
      switch (how) {
        case undefined:
          return { token: good, inMs }
        case 'failed':
          return { token: undefined, inMs }
        case 'late':
          return { token: good, inMs: dice.between(3_000, 20_000) }
        case 'expired':
          return { token: { ...good, expiresAt: UNIX_START + world.now - 1_000 }, inMs }
        case 'other':
          return { token: { ...good, user: user === 'ada' ? 'bob' : 'ada' }, inMs }
        case 'bad':
        case 'undecided':
          return { token: { ...good, kind: how }, inMs }
        default:
          return how satisfies never
      }
    },
    spoil(how) {
      spoilt.push(how)
    },
    shorten(ms) {
      shortUntil = world.now + ms
    },
    calm() {
      isQuiet = true
    },
  }
}
