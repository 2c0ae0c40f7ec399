/**
 * Staying at the end: as messages come in and grow, and as the window, the composer and the keyboard of a phone change; and
 * leaving it to go to a message.
 */
import type { TimelineItem } from '@tautline/client/timeline'
import { type RefObject, useEffect, useLayoutEffect, useRef, useState } from 'react'
import type { VirtualizerHandle } from 'virtua'

/** Nearer than this to the end counts as being there. */
const NEAR_PX = 96

export interface End {
  readonly isAtEnd: boolean
  goToEnd(): void
  /** Brings a message into sight. */
  goTo(index: number, align: 'center' | 'nearest'): void
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
  const stayedWith = useRef<readonly TimelineItem[]>([])

  function stay(): void {
    if (items.length > 0) virtualizer.current?.scrollToIndex(items.length - 1, { align: 'end' })
  }

  /** The end is left before anything moves: what is rendered and measured on the way would bring the reader back to it. */
  function goTo(index: number, align: 'center' | 'nearest'): void {
    const list = virtualizer.current
    if (!list) return
    const last = items.length - 1
    const above = align === 'center' ? (list.viewportSize - list.getItemSize(index)) / 2 : 0
    const top = Math.max(0, list.getItemOffset(index) - above)
    const bottom = list.getItemOffset(last) + list.getItemSize(last)
    if (bottom - top - list.viewportSize > NEAR_PX) setIsAtEnd(false)
    list.scrollToIndex(index, { align })
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
    // Where a message is marked or focused the list may be on its way there: only what comes in is followed.
    if (stayedWith.current === items) return
    stayedWith.current = items
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
    goTo,
    onScroll,
    onResize,
  }
}
