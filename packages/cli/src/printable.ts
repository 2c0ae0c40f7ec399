/**
 * Text from others, made harmless for a terminal and for a file with a line a message: control characters could move
 * the cursor, retitle the window or answer for the user; marks of writing direction could make it read otherwise.
 */
const DANGEROUS = /[\p{Cc}\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu

export function printable(text: string): string {
  return text.replace(/\r?\n/g, ' ⏎ ').replaceAll('\t', ' ').replace(DANGEROUS, codePointOf)
}

function codePointOf(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`
}
