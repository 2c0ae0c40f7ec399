// What a message says, by its kind: a greeting, something that a server, a hook or the store takes exception to, or a
// change of what others said.

import type { NewRow } from '../../packages/client/src/core/outbox-row.ts'
import type { Dice } from './dice.ts'
import type { Sent, Session } from './history.ts'
import { CENSORED_WORD, DELAYED_WORD, FORBIDDEN_WORD } from './reviewer.ts'

export interface Utterance extends Pick<NewRow, 'type' | 'payload'> {
  /** How long it is; a change is short, and counts for nothing. */
  readonly chars: number
}

/** Undefined: there is nothing in the room to be changed. */
export function utter(kind: Sent['kind'], room: string, session: Session, dice: Dice): Utterance | undefined {
  if (kind === 'change') return changeIn(session, room, dice)
  const content = contentOf(kind, dice)
  return { type: 'send_message', payload: { content }, chars: content.length }
}

/** Something to do with a message that the session saw: mostly with a late one, so that several do it at once. */
function changeIn({ user, streams }: Session, room: string, dice: Dice): Utterance | undefined {
  const events = streams.filter((stream) => stream.room === room).flatMap((stream) => stream.events)
  const seen = events.flatMap((event) => (event.type === 'entries' ? event.entries : []))
  const messages = seen.filter(({ type }) => type === 'new_message').slice(-5)
  if (messages.length === 0) return undefined
  const { sender, messageId } = dice.pick(messages)
  const target = { sender, messageId }
  const emoji = dice.pick(['👍', '🎉'])
  const deed = dice.below(10)
  const chars = 0
  if (deed < 3) return { type: 'add_reaction', payload: { target, emoji }, chars }
  if (deed < 5) return { type: 'remove_reaction', payload: { target, emoji }, chars }
  const content = `again ${dice.letters(6)}`
  if (deed < 7 || sender !== user)
    return { type: 'send_message', payload: { content, replyTo: target }, chars }
  return deed < 9
    ? { type: 'edit_message', payload: { target, content }, chars }
    : { type: 'delete_message', payload: { target }, chars }
}

function contentOf(kind: Exclude<Sent['kind'], 'change'>, dice: Dice): string {
  switch (kind) {
    case 'plain':
      return dice.chance(0.02) ? `long ${'x'.repeat(dice.below(4_000))}` : `hello ${dice.letters(6)}`
    case 'poison':
      return `poison ${dice.letters(6)}`
    case 'too_long':
      return 'x'.repeat(5_001 + dice.below(100))
    case 'forbidden':
      return `${FORBIDDEN_WORD} ${dice.letters(6)}`
    case 'censored':
      return `${CENSORED_WORD} ${dice.letters(6)}`
    case 'delayed':
      return `${DELAYED_WORD} ${dice.letters(6)}`
    case 'invalid':
      return ''
    default:
      return kind satisfies never
  }
}
