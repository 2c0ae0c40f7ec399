import type { ReactNode } from 'react'

/** A rope that holds: the name is that of a hitch. */
export function Logo(): ReactNode {
  return (
    <span className="logo">
      <svg viewBox="0 0 32 20" width="32" height="20" aria-hidden="true">
        <path d="M2 15h10c6 0 6-12 11-12s5 8 0 8h-8m-3 4h18" />
      </svg>
      Tautline
    </span>
  )
}
