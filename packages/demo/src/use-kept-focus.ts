/**
 * The keyboard stays with a message when the button that it was on goes away: with a deletion, a cancellation, the last reaction.
 * A browser tells nobody that the element with the focus was removed; the focus is then on the page as a whole.
 */
import { type RefObject, useLayoutEffect } from 'react'

/** `hasFocus`: as the events had it. */
export function useKeptFocus(message: RefObject<HTMLElement | null>, hasFocus: boolean): void {
  useLayoutEffect(() => {
    if (hasFocus && document.activeElement === document.body) message.current?.focus({ preventScroll: true })
  })
}
