// Every property of the protocol runs with the same seed, so that a run can be repeated; fast-check prints it, and the
// path to the smallest counterexample, when one fails.

import * as fc from 'fast-check'

const seed = 20_260_714

export function holds<Ts>(property: fc.IRawProperty<Ts, false>, numRuns = 300): void {
  fc.assert(property, { seed, numRuns })
}

const codePoint = fc.oneof(
  fc.integer({ min: 0, max: 0x7f }),
  fc.integer({ min: 0x80, max: 0xd7ff }),
  fc.integer({ min: 0xe000, max: 0xffff }),
  fc.integer({ min: 0x1_0000, max: 0x10_ffff }),
)

const surrogate = fc.integer({ min: 0xd800, max: 0xdfff })
const textOf = (codes: readonly number[]) => String.fromCodePoint(...codes)

// fast-check's own characters (of the unit `binary`) take half a second to set up, and have no lone surrogates.

/** One character, now and then half of one. */
export const character = fc.oneof(codePoint, codePoint, surrogate).map((code) => textOf([code]))

/** Any text without a lone surrogate. */
export const wellFormed = fc.array(codePoint, { maxLength: 30 }).map(textOf)

/** Any text whatever, rich in surrogates, alone and in pairs. */
export const anyText = fc.array(fc.oneof(codePoint, surrogate, surrogate), { maxLength: 30 }).map(textOf)
