// The dice of the simulation: everything that is left to chance in a run comes from its seed. Each part of the world has
// a stream of its own, so that a change in one of them does not shift what happens in all others. (sfc32, public domain)

export interface Dice {
  /** From 0 up to but not including 1. */
  next(): number
  chance(probability: number): boolean
  between(low: number, high: number): number
  /** 0, 1, 2 … below `count`. */
  below(count: number): number
  pick<T>(list: readonly T[]): T
  letters(count: number): string
  /** A stream of its own, decided by this one. */
  fork(): Dice
}

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

export function createDice(seed: number): Dice {
  let a = seed >>> 0
  let b = Math.floor(seed / 4_294_967_296) >>> 0
  let c = 0x9e3779b9
  let counter = 1
  function word(): number {
    const sum = (a + b + counter++) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return sum >>> 0
  }
  for (let i = 0; i < 15; i++) word()
  const dice: Dice = {
    next: () => word() / 4_294_967_296,
    chance: (probability) => dice.next() < probability,
    between: (low, high) => low + (high - low) * dice.next(),
    below: (count) => Math.floor(dice.next() * count),
    pick(list) {
      if (list.length === 0) throw new Error('there is nothing to pick from')
      return list[dice.below(list.length)]!
    },
    letters(count) {
      let text = ''
      for (let i = 0; i < count; i++) text += ALPHABET[dice.below(ALPHABET.length)]
      return text
    },
    fork: () => createDice(word() * 1_048_576 + (word() >>> 12)),
  }
  return dice
}
