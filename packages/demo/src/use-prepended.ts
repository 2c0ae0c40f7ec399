/**
 * Tells the virtual list when older messages came in above, so that it keeps its place from the end. Where some came in
 * above and below in one go, they are shown in two: the list could not tell which are which.
 */
import type { TimelineItem } from '@tautline/client/timeline'
import { useEffect, useLayoutEffect, useReducer, useRef } from 'react'

type Items = readonly TimelineItem[]

export function usePrepended(items: Items): { readonly items: Items; readonly isPrepended: boolean } {
  const before = useRef<Items>([])
  const [, showRest] = useReducer((count: number) => count + 1, 0)
  const isPrepended = isLongerAbove(before.current, items)
  const shown = isPrepended ? withoutLater(before.current, items) : items

  useLayoutEffect(() => {
    before.current = shown
  })
  useEffect(() => {
    if (shown !== items) showRest()
  }, [shown, items])

  return { items: shown, isPrepended }
}

function isLongerAbove(before: Items, after: Items): boolean {
  const first = before[0]
  return first !== undefined && first.key !== after[0]?.key && after.some(({ key }) => key === first.key)
}

function withoutLater(before: Items, after: Items): Items {
  const last = before.at(-1)?.key
  const index = after.findLastIndex(({ key }) => key === last)
  return index < 0 || index === after.length - 1 ? after : after.slice(0, index + 1)
}
