/** A field for the name of a user or of a room, which nothing corrects while it is written. */
import type { ReactNode, Ref } from 'react'
import { NAME_PATTERN, NAME_RULE } from './remembered.ts'

export interface NameFieldProps {
  readonly id: string
  readonly value: string
  readonly onValue: (value: string) => void
  /** What it may be, and how that is said to whoever gives another one. Default: the name of a user. */
  readonly pattern?: string
  readonly title?: string
  readonly placeholder?: string
  readonly ref?: Ref<HTMLInputElement>
}

export function NameField({
  onValue,
  pattern = NAME_PATTERN,
  title = NAME_RULE,
  ...rest
}: NameFieldProps): ReactNode {
  return (
    <input
      {...rest}
      pattern={pattern}
      title={title}
      onChange={({ target }) => onValue(target.value)}
      autoComplete="off"
      autoCapitalize="none"
      spellCheck={false}
      required
    />
  )
}
