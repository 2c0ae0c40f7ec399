/** What a message says, with the names that it mentions set off. */
import type { ReactNode } from 'react'

const NAME = /(?<![\w@])@([A-Za-z0-9][A-Za-z0-9._-]*)/g
/** As many as a message may name. */
const MAX_MENTIONS = 50

/** Whom a text names, as in `@bob`. A full stop after a name is none of it. */
export function mentionsIn(text: string): readonly string[] {
  const names = Array.from(text.matchAll(NAME), ([, name = '']) => name.replace(/[._-]+$/, ''))
  return [...new Set(names)].slice(0, MAX_MENTIONS)
}

export interface MessageTextProps {
  readonly content: string
  readonly mentions: readonly string[] | undefined
}

export function MessageText({ content, mentions = [] }: MessageTextProps): ReactNode {
  if (mentions.length === 0)
    return (
      <p className="content" dir="auto">
        {content}
      </p>
    )
  const parts: ReactNode[] = []
  let end = 0
  for (const { index, 0: found } of content.matchAll(NAME)) {
    const name = mentions.find(
      (mention) => found === `@${mention}` || found.replace(/[._-]+$/, '') === `@${mention}`,
    )
    if (name === undefined) continue
    parts.push(content.slice(end, index))
    parts.push(
      <strong key={index} className="mention">
        @{name}
      </strong>,
    )
    end = index + name.length + 1
  }
  return (
    <p className="content" dir="auto">
      {parts}
      {content.slice(end)}
    </p>
  )
}
