// Frames as text, and what came of each of their messages.

import type { Decoded } from '@tautline/protocol'

/** A frame from the client with this payload, as JSON text; the payload may be text that no object could become. */
export const frame = (type: string, payload: unknown) => JSON.stringify({ type, payload })
export const nest = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
export const codesOf = (decoded: Decoded<unknown>[]) => decoded.map((each) => (each.ok ? 'ok' : each.code))
