// With what options the servers of a run work: generous ones, small ones that are met at every turn, or ones under which
// messages pass so quickly that who is behind is far behind.

import { DEFAULT_LIMITS } from '@tautline/protocol/wire'
import type { NodeOptions } from '../../packages/server/src/core/options.ts'
import type { Dice } from './dice.ts'
import type { Profile } from './faults.ts'

/** What the strictest server takes. */
export const SHORTEST_LIMIT_CHARS = 3_000

/** What differs from the defaults. */
export function chooseNodeOptions(profile: Profile, dice: Dice): Partial<NodeOptions> {
  return {
    ...(profile.tightLimits ? tightOptions(dice) : looseOptions(dice)),
    ...(profile.fastLimits ? FAST_OPTIONS : {}),
    ...(profile.rivals ? { connections: 'replace', maxConnectionsPerUser: 1 } : {}),
  }
}

const FAST_OPTIONS: Partial<NodeOptions> = {
  limits: {
    ...DEFAULT_LIMITS,
    windowPerRoom: 64,
    windowPerConnection: 64,
    messagesPerSecond: 500,
    messageBurst: 500,
  },
  maxReplayEntries: 20,
}

function looseOptions(dice: Dice): Partial<NodeOptions> {
  return dice.chance(0.3) ? { maxReplayEntries: 3 + dice.below(12) } : {}
}

function tightOptions(dice: Dice): Partial<NodeOptions> {
  return {
    limits: {
      ...DEFAULT_LIMITS,
      windowPerRoom: 1 + dice.below(4),
      windowPerConnection: 2 + dice.below(6),
      messagesPerSecond: 2 + dice.below(4),
      messageBurst: 3 + dice.below(6),
      maxMessageChars: SHORTEST_LIMIT_CHARS,
    },
    maxReplayEntries: 2 + dice.below(8),
    relievedBytes: 1_200,
    congestedBytes: 3_000,
    overflowBytes: 12_000,
    congestedTimeoutMs: 10_000,
  }
}
