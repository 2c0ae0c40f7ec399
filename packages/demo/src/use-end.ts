/** Staying at the end: as messages come in and grow, and as the window, the composer and the keyboard of a phone change. */
import type { TimelineItem } from '@tautline/client/timeline'
import { type RefObject, useEffect, useLayoutEffect, useRef, useState } from 'react'
import type { VirtualizerHandle } from 'virtua'

/** Nearer than this to the end counts as being there. */
const NEAR_PX = 96

export interface End {
  readonly isAtEnd: boolean
  goToEnd(): void
  readonly onScroll: () => void
  readonly onResize: () => void
}

export function useEnd(
  scroller: RefObject<HTMLElement | null>,
  virtualizer: RefObject<VirtualizerHandle | null>,
  items: readonly TimelineItem[],
): End {
  const [isAtEnd, setIsAtEnd] = useState(true)
  const lastTop = useRef(0)
  const newest = items.at(-1)
  const newestKey = useRef(newest?.key)

  function stay(): void {
    if (items.length > 0) virtualizer.current?.scrollToIndex(items.length - 1, { align: 'end' })
  }

  /** Only who scrolls up leaves the end: what grows below does not. */
  function onScroll(): void {
    const box = scroller.current
    if (!box) return
    const isUp = box.scrollTop < lastTop.current
    lastTop.current = box.scrollTop
    if (box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_PX) setIsAtEnd(true)
    else if (isUp) setIsAtEnd(false)
  }

  const onResize = () => {
    if (isAtEnd) stay()
  }

  useLayoutEffect(() => {
    // Who says something wants to see it.
    const isSaid = newest?.key !== newestKey.current && newest?.sent !== undefined
    newestKey.current = newest?.key
    if (isSaid) setIsAtEnd(true)
    if (isAtEnd || isSaid) stay()
  })

  useEffect(() => {
    const box = scroller.current
    if (!box || !isAtEnd) return undefined
    const observer = new ResizeObserver(() => {
      box.scrollTop = box.scrollHeight
    })
    observer.observe(box)
    return () => observer.disconnect()
  }, [scroller, isAtEnd])

  return {
    isAtEnd,
    goToEnd() {
      setIsAtEnd(true)
      stay()
    },
    onScroll,
    onResize,
  }
}
