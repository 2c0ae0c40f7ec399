/**
 * What a message can hold, by kind. Every kind has `content`, a text: what is said, the caption of a file, the name of a
 * place, a ciphertext. So a reader that does not know a kind still has something to show, and one limit of length binds
 * them all. Bytes never travel here: a file is named by its address.
 */
import * as z from 'zod/mini'
import { MAX_FRAME_BYTES, MAX_MENTIONS } from '../limits.ts'
import { count, durationMs, metadata, userId } from './fields.ts'

const text = z.string().check(z.minLength(1), z.maxLength(MAX_FRAME_BYTES))
/** May be empty: nothing needs to be said about a picture. */
const caption = z.string().check(z.maxLength(MAX_FRAME_BYTES))
const pixels = z.int().check(z.minimum(1), z.maximum(100_000))

/**
 * An http or https address, or one relative to the page: nothing that a page could be made to run. No blank and no control
 * character, which browsers leave out before they look at the scheme; a colon only where it begins none.
 */
const FILE_URL = /^(?:https?:\/\/|[./?#]|[^\u0000-\u0020\u007f:/?#]+(?:[/?#]|$))[^\u0000-\u0020\u007f]*$/

export const fileUrl = z.string().check(z.minLength(1), z.maxLength(2_048), z.regex(FILE_URL))

const file = z.object({
  url: fileUrl,
  name: z.optional(z.string().check(z.minLength(1), z.maxLength(255))),
  mediaType: z.string().check(z.regex(/^[a-z]+\/[A-Za-z0-9.+_-]{1,100}$/)),
  bytes: z.optional(count),
  width: z.optional(pixels),
  height: z.optional(pixels),
  durationMs: z.optional(durationMs),
})

const location = z.object({
  latitude: z.number().check(z.minimum(-90), z.maximum(90)),
  longitude: z.number().check(z.minimum(-180), z.maximum(180)),
  accuracyMeters: z.optional(z.number().check(z.minimum(0))),
})

/** Names the key of a ciphertext to those who have it. */
const keyId = z.string().check(z.minLength(1), z.maxLength(128))

/** What a message may be: what a client may say, and the two kinds that no client can. */
export const RECORDED_KINDS = [
  'text',
  'image',
  'file',
  'audio',
  'video',
  'location',
  'encrypted',
  'system',
  'deleted',
] as const

/** What every kind may carry beside its content. */
const beside = {
  metadata: z.optional(metadata),
  mentions: z.optional(z.array(userId).check(z.minLength(1), z.maxLength(MAX_MENTIONS))),
}

/** What a client may say. No kind at all is `text`. */
function spoken<T extends z.core.$ZodShape>(more: T) {
  const rest = { ...beside, ...more }
  return [
    z.object({ kind: z.optional(z.literal('text')), content: text, ...rest }),
    z.object({ kind: z.literal('image'), content: caption, file, ...rest }),
    z.object({ kind: z.literal('file'), content: caption, file, ...rest }),
    z.object({ kind: z.literal('audio'), content: caption, file, ...rest }),
    z.object({ kind: z.literal('video'), content: caption, file, ...rest }),
    z.object({ kind: z.literal('location'), content: caption, location, ...rest }),
    // `content` is the ciphertext, and opaque to the server: keys and their exchange are the application's.
    z.object({ kind: z.literal('encrypted'), content: text, keyId, ...rest }),
  ] as const
}

/** What a command says, with the fields that this command has beside it. */
export function contentWith<T extends z.core.$ZodShape>(more: T) {
  return z.discriminatedUnion('kind', spoken(more))
}

/**
 * What an entry holds: what was said, or one of two kinds that no client can say. `system` is said by the server or the
 * application; `deleted` is what is left where the content was deleted.
 */
export function recordedContentWith<T extends z.core.$ZodShape>(more: T) {
  return z.discriminatedUnion('kind', [
    ...spoken(more),
    z.object({ kind: z.literal('system'), content: text, ...beside, ...more }),
    z.object({ kind: z.literal('deleted'), content: z.literal(''), ...more }),
  ])
}
