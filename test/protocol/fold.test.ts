// A message as it stands is the same whatever its entries came by: the whole log in order, or pages of history of
// several times beside live entries, in any order of arrival.

import {
  changedBy,
  ENTRIES,
  type Entry,
  EXAMPLES,
  type FoldedMessage,
  foldedMessage,
  foldMessage,
  MAX_EMOJIS_PER_MESSAGE,
} from '@tautline/protocol'
import { describe, expect, it } from 'vitest'

const USERS = ['ada', 'bob', 'cy']
const EMOJIS = ['👍', '🎉', '❤️']

/** Numbers from 0 up to a bound, the same for the same seed (mulberry32). */
function diceOf(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

/** A log as a server could have written it: with counts that are right, and nothing about what was deleted. */
function logOf(roll: (below: number) => number, length: number): Entry[] {
  const log: Entry[] = []
  const living: Entry[] = []
  const reacted = new Set<string>()
  for (let seq = 1; seq <= length; seq++) {
    const sender = USERS[roll(USERS.length)]!
    const about = living[roll(Math.max(living.length, 1))]
    const target = about && { seq: about.seq, sender: about.sender, messageId: about.messageId }
    const head = { seq, sender, messageId: `message-${seq}`, timestamp: 1_000 + seq }
    const kind = target ? roll(6) : 0
    if (kind <= 1) {
      const replyTo = target && roll(3) === 0 ? target : undefined
      const payload = replyTo ? { content: `said ${seq}`, replyTo } : { content: `said ${seq}` }
      const entry: Entry = { ...head, type: 'new_message', payload }
      log.push(entry)
      living.push(entry)
    } else if (kind === 2) {
      log.push({ ...head, type: 'message_edited', payload: { target, content: `edited ${seq}` } })
    } else if (kind === 3 && roll(4) === 0) {
      log.push({ ...head, type: 'message_deleted', payload: { target } })
      living.splice(living.indexOf(about!), 1)
    } else {
      const emoji = EMOJIS[roll(EMOJIS.length)]!
      const key = `${about?.seq} ${emoji} `
      const isAdded = roll(3) > 0
      if (isAdded) reacted.add(key + sender)
      else reacted.delete(key + sender)
      const count = USERS.filter((user) => reacted.has(key + user)).length
      const type = isAdded ? 'reaction_added' : 'reaction_removed'
      log.push({ ...head, type, payload: { target, emoji, count } })
    }
  }
  return log
}

/** What a server gives as history at a position: the fold of everything up to there. */
function historyAt(log: readonly Entry[], at: number, userId: string): FoldedMessage[] {
  const known = log.filter(({ seq }) => seq <= at)
  return known
    .map((entry) => foldedMessage(entry))
    .filter((message) => message !== undefined)
    .map((message) => known.reduce((folded, entry) => foldMessage(folded, entry, userId), message))
    .map((message) => ({ ...message, at }))
}

describe('a message as it stands', () => {
  it.each(USERS)('has the form that history gives it: to %s', (userId) => {
    const log = logOf(diceOf(7), 200)
    for (const { seq: _seq, body } of historyAt(log, 200, userId)) {
      expect(ENTRIES.new_message.safeParse(body)).toEqual({ success: true, data: body })
      expect(body.reactions?.length ?? 0).toBeLessThanOrEqual(MAX_EMOJIS_PER_MESSAGE)
    }
  })

  it('is the same for every split into history and live entries, in every order of arrival', () => {
    for (let seed = 1; seed <= 300; seed++) {
      const roll = diceOf(seed)
      const length = 5 + roll(60)
      const log = logOf(roll, length)
      const userId = USERS[roll(USERS.length)]!
      const whole = historyAt(log, length, userId)

      // Each message comes from a page of some time, and of the entries after some earlier one all arrive: live ones
      // in order, those of a page that was read twice once more.
      const live = log.slice(roll(length))
      const arrivals = live.concat(live.slice(roll(Math.max(live.length, 1))))
      for (const message of whole) {
        const from = Math.max(message.seq, (live[0]?.seq ?? length + 1) - 1)
        const at = from + roll(length - from + 1)
        const paged = historyAt(log, at, userId).find(({ seq }) => seq === message.seq)!
        const { at: _at, ...folded } = arrivals.reduce((one, entry) => foldMessage(one, entry, userId), paged)
        const { at: _end, ...expected } = message
        expect(folded, `seed ${seed}, message ${message.seq} from a page at ${at}`).toEqual(expected)
      }
    }
  })

  it('ends the same after a deletion, whether its words were seen before they were blanked or not', () => {
    for (let seed = 1; seed <= 100; seed++) {
      const roll = diceOf(seed)
      const log = logOf(roll, 60)
      const deleted = new Set(log.filter(({ type }) => type === 'message_deleted').map(changedBy))
      const blanked = log.map((entry): Entry => {
        const blank = { kind: 'deleted', content: '' }
        const { target, replyTo } = entry.payload
        if (entry.type === 'new_message' && deleted.has(entry.seq))
          return { ...entry, payload: replyTo ? { ...blank, replyTo } : blank }
        const isEdit = entry.type === 'message_edited' && deleted.has(changedBy(entry))
        return isEdit ? { ...entry, payload: { ...blank, target } } : entry
      })
      expect(historyAt(blanked, 60, 'ada')).toEqual(historyAt(log, 60, 'ada'))
    }
  })

  it('says of each reaction how many react so, and whether one does oneself', () => {
    const { new_message: said, reaction_added: added, reaction_removed: removed } = EXAMPLES.entries
    const by = (entry: Entry, seq: number, sender: string, count: number): Entry => {
      return { ...entry, seq, sender, payload: { ...entry.payload, count } }
    }
    const log = [
      by(added, 4, 'bob', 1),
      by(added, 5, 'cy', 2),
      by(added, 6, 'bob', 2),
      by(removed, 7, 'bob', 1),
    ]
    const seen = (userId: string | undefined) => {
      let message = foldedMessage(said)!
      return log.map((entry) => {
        message = foldMessage(message, entry, userId)
        return message.body.reactions?.map(({ count, own }) => `${count}${own ? ' own' : ''}`)
      })
    }
    expect(seen('bob')).toEqual([['1 own'], ['2 own'], ['2 own'], ['1']])
    expect(seen('cy')).toEqual([['1'], ['2 own'], ['2 own'], ['1 own']])
    expect(seen(undefined)).toEqual([['1'], ['2'], ['2'], ['1']])
  })

  it('that was deleted takes answers, and nothing else any more', () => {
    const { new_message: said, message_edited: edited, reaction_added: added } = EXAMPLES.entries
    const gone = foldedMessage({ ...said, payload: { kind: 'deleted', content: '' } })!
    for (const entry of [edited, added])
      expect(foldMessage(gone, entry, 'ada').body).toEqual({ kind: 'deleted', content: '' })
    const replyTo = { seq: said.seq, sender: said.sender, messageId: said.messageId }
    const answer = { ...said, seq: 9, messageId: 'message-9', payload: { content: 'why?', replyTo } }
    expect(foldMessage(gone, answer, 'ada').body).toMatchObject({ kind: 'deleted', replyCount: 1 })
  })

  it('is changed by nothing that is about something else, unknown, or without a target', () => {
    const message = foldedMessage(EXAMPLES.entries.new_message)!
    const { message_edited: edited } = EXAMPLES.entries
    expect(foldMessage(message, edited, 'ada')).not.toBe(message)
    const other = { ...edited, payload: { ...edited.payload, target: { ...edited.payload.target, seq: 2 } } }
    for (const entry of [other, { ...edited, type: 'pinned' }, { ...edited, payload: {} }] as Entry[])
      expect(foldMessage(message, entry, 'ada')).toBe(message)
  })

  it('keeps what it answers when it is edited, and is no copy any more', () => {
    const replyTo = { seq: 1, sender: 'bob', messageId: 'message-1' }
    const said = { content: 'said', replyTo, forwardedFrom: { sender: 'cy', timestamp: 1 } }
    const message = foldedMessage({ ...EXAMPLES.entries.new_message, payload: said })!
    const { body } = foldMessage(message, EXAMPLES.entries.message_edited, 'ada')
    expect(body).toMatchObject({ kind: 'image', replyTo, version: 2 })
    expect(body).not.toHaveProperty('forwardedFrom')
    expect(body).not.toHaveProperty('target')
  })
})
