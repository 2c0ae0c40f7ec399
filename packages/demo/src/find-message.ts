/** Finding a message in a timeline, which is in the order of the room, with own ones on their way at its end. */
import type { TimelineItem } from '@tautline/client/timeline'

/** Names a message. With its position it is found in a few steps. */
export interface MessagePlace {
  readonly seq?: number | undefined
  readonly sender?: string | undefined
  readonly messageId: string
}

/** Its index; -1: it is not there (yet). */
export function indexOfMessage(
  items: readonly TimelineItem[],
  { seq, sender, messageId }: MessagePlace,
): number {
  if (seq === undefined) {
    return items.findLastIndex((item) => item.messageId === messageId && item.sender === sender)
  }
  let low = 0
  let high = items.length - 1
  while (low <= high) {
    const middle = (low + high) >> 1
    const at = items[middle]?.seq ?? Number.POSITIVE_INFINITY
    if (at === seq) return middle
    if (at < seq) low = middle + 1
    else high = middle - 1
  }
  return -1
}
