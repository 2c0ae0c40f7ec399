/**
 * Where the keyboard goes that has nowhere else to be: to where one writes; where nothing can be written, and on a narrow
 * screen, whose own keyboard would come up, to the heading.
 */
import { isWide } from './wide.ts'

/** `from`: a room or a panel, or what is in it. */
export function goToRest(from: Element | null): void {
  const place = from?.closest('.room, .side-panel')
  const field = isWide() ? place?.querySelector<HTMLElement>('textarea:enabled') : undefined
  ;(field ?? place?.querySelector<HTMLElement>('h2'))?.focus()
}
