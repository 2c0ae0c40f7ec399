import { COMMANDS, EXAMPLES } from '@tautline/protocol'
import { describe, expect, it } from 'vitest'
import { cpuMs } from '../../support/cpu-time.ts'

const takes = (emoji: string) =>
  COMMANDS.add_reaction.safeParse({ ...EXAMPLES.commands.add_reaction.payload, emoji }).success

describe('an emoji', () => {
  it.each([
    '👍',
    '👍🏽',
    '❤',
    '❤️',
    '🇩🇪',
    '👩‍🚀',
    '👨‍👩‍👧‍👦',
    '🏳️‍🌈',
    '🏴󠁧󠁢󠁳󠁣󠁴󠁿',
    '1️⃣',
    '#⃣',
    '☎',
    '🫱🏻‍🫲🏿',
    '❤️‍🔥',
    '🏴‍☠️',
    '👁️‍🗨️',
    '🧑🏽‍❤️‍💋‍🧑🏻',
  ])('is %s', (emoji) => expect(takes(emoji)).toBe(true))

  it.each([
    '',
    'a',
    '1',
    '#',
    ' ',
    '👍 ',
    'ok',
    ':+1',
    '::',
    ':A:',
    ':ok ok:',
    ':a::b:',
    ':ok:👍',
    `:${'a'.repeat(33)}:`,
    '👍a',
    '😀1',
    '\u200d',
    '\ufe0f',
    '🏽',
    '<b>',
    '\0',
    '漢',
    '👍👍',
    '❤️🎉',
    '🇩',
    '🇩🇪🇫',
    '👍\u200d',
  ])('is not %j', (text) => expect(takes(text)).toBe(false))

  it.each([':+1:', ':party_parrot:', ':a:', `:${'a'.repeat(32)}:`])('may be a short name: %s', (name) =>
    expect(takes(name)).toBe(true),
  )

  it('is no story', () => expect(takes('👍'.repeat(17))).toBe(false))

  it('is looked at in linear time', () => {
    const started = cpuMs()
    for (const part of ['👍', '👍\u200d', '1\ufe0f', '\ufe0f', '🇩', ':', ':a']) {
      expect(takes(part.repeat(100_000))).toBe(false)
      expect(takes(`👍${part.repeat(15)}!`)).toBe(false)
    }
    expect(cpuMs(started)).toBeLessThan(1_000)
  })
})
