/**
 * The one binding between React and anything that the client lets us watch. `initial` is what a server renders and what
 * the browser's first render repeats while it hydrates, so that both are the same whatever happened in between.
 *
 * A component renders again only when what `select` picks is another value: objects and lists that were made anew with the
 * same values in them count as the same, and keep their identity.
 */
import type { Readable } from '@tautline/client'
import { useEffect, useMemo, useRef, useSyncExternalStore } from 'react'

export function useReadable<T, S>(
  { subscribe, getSnapshot }: Readable<T>,
  initial: T,
  select: (snapshot: T) => S,
): S {
  const shown = useRef<{ readonly value: S } | undefined>(undefined)
  const pick = useMemo(() => {
    let last: { readonly snapshot: T; readonly value: S } | undefined
    return (snapshot: T): S => {
      if (last && Object.is(last.snapshot, snapshot)) return last.value
      const value = select(snapshot)
      const before = last ?? shown.current
      last = { snapshot, value: before && hasSameValues(before.value, value) ? before.value : value }
      return last.value
    }
  }, [select])
  const value = useSyncExternalStore(
    subscribe,
    () => pick(getSnapshot()),
    () => pick(initial),
  )
  // A selector that is written inside of the component is another function at each render.
  useEffect(() => {
    shown.current = { value }
  }, [value])
  return value
}

export const whole = <T>(snapshot: T): T => snapshot

function hasSameValues(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (!isPlain(a) || !isPlain(b) || Array.isArray(a) !== Array.isArray(b)) return false
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every((key) => Object.is(a[key], b[key]) && key in b)
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  return Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype
}
