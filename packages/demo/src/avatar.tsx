import type { ReactNode } from 'react'

const HUES = 12

/** Initial and colour of a name; the name itself always stands beside it. */
export function Avatar({ name }: { readonly name: string }): ReactNode {
  return (
    <span className="avatar" data-hue={hueOf(name)} aria-hidden="true">
      {name.slice(0, 1).toUpperCase()}
    </span>
  )
}

function hueOf(name: string): number {
  let sum = 0
  for (const char of name) sum = (sum * 31 + (char.codePointAt(0) ?? 0)) % 9_973
  return sum % HUES
}
