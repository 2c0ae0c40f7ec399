/** Who types, by name. */
import type { Room } from '@tautline/client'
import { useTyping } from '@tautline/react'
import type { ReactNode } from 'react'

export function TypingLine({ room }: { readonly room: Room }): ReactNode {
  const { typing } = useTyping(room)
  return (
    <p className="typing" role="status">
      {typing.length > 0 && (
        <>
          <span className="dots" aria-hidden="true">
            <i />
            <i />
            <i />
          </span>
          {typingWords(typing)}
        </>
      )}
    </p>
  )
}

function typingWords(names: readonly string[]): string {
  if (names.length > 3) return 'several people are typing'
  if (names.length === 1) return `${names[0]} is typing`
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1)} are typing`
}
