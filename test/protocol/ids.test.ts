import {
  directRoomId,
  FINGERPRINT,
  MESSAGE_ID,
  makeMessageId,
  ownLogId,
  ROOM_ID,
  SID,
  USER_ID,
  usersOfDirectRoom,
} from '@tautline/protocol'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cpuMs } from '../support/cpu-time.ts'
import { holds } from './property.ts'

const repeat = (text: string, times: number) => text.repeat(times)

/** What no id may hold, whatever its kind: each is put in front of, into and behind a good one. */
const NEVER = [
  '\n',
  '\r\n',
  '\0',
  ' ',
  '\t',
  '"',
  '\\',
  '<',
  "'",
  ';',
  '%',
  '*',
  '\u00e9',
  '\u0131',
  '\u2028',
  '\ud800',
  '🙂',
]

const FORMS: { name: string; form: RegExp; good: string[]; bad: string[] }[] = [
  {
    name: 'USER_ID',
    form: USER_ID,
    good: ['a', 'A9', 'auth0|65f0', 'ada@example.org', 'urn:user:7', 'a+b=c', '-', '.', repeat('a', 128)],
    bad: ['', repeat('a', 129), '~', '~a', 'a~b', 'a/b', 'a#b'],
  },
  {
    name: 'ROOM_ID',
    form: ROOM_ID,
    good: [
      'a',
      'General',
      'job/17#applicants',
      'team:alpha',
      '~ada',
      '~-',
      '~ada~bob',
      `~${repeat('a', 128)}~${repeat('b', 128)}`,
      repeat('a', 128),
    ],
    bad: [
      '',
      '~',
      '~~',
      '~~a',
      '~a~',
      '~a~b~',
      '~a~b~c',
      'a~b',
      '/a',
      '-a',
      '.a',
      '#a',
      '~a/b',
      repeat('a', 129),
      `~${repeat('a', 129)}`,
      `~a~${repeat('b', 129)}`,
    ],
  },
  ...[MESSAGE_ID, SID].map((form) => ({
    name: form === SID ? 'SID' : 'MESSAGE_ID',
    form,
    good: ['01234567', 'abc_DEF-', repeat('a', 64), '-_-_-_-_'],
    bad: ['', '0123456', repeat('a', 65), 'abc.defgh', 'abc~defgh', 'abc:defgh', 'abc/defgh'],
  })),
  {
    name: 'FINGERPRINT',
    form: FINGERPRINT,
    good: ['', '0', '2gosa7pa2gv', repeat('z', 12)],
    bad: [repeat('z', 13), '~', '1.5', '+'],
  },
]

describe.each(FORMS)('$name', ({ form, good, bad }) => {
  it.each(good)('takes %j', (id) => expect(form.test(id)).toBe(true))
  it.each(bad)('refuses %j', (id) => expect(form.test(id)).toBe(false))

  it.each(NEVER)('refuses %j in every place', (intruder) => {
    const id = 'abcdefgh'
    for (const text of [intruder + id, id + intruder, `abcd${intruder}efgh`])
      expect(form.test(text)).toBe(false)
  })

  it('keeps no state between tests', () => {
    expect([form.global, form.sticky, form.multiline, form.ignoreCase]).toEqual([false, false, false, false])
  })

  it('is linear: 200,000 characters of the worst text take no time', () => {
    const started = cpuMs()
    for (const part of ['a', '~', '~a', 'a~', '~a~b', '.', 'a\n', '-_', '|:+='].map((p) =>
      repeat(p, 200_000),
    )) {
      form.test(part)
      form.test(`~${part}`)
      form.test(`${part}!`)
    }
    expect(cpuMs(started)).toBeLessThan(1_000)
  })
})

describe('makeMessageId', () => {
  const time = fc.integer({ min: 0, max: 36 ** 9 - 1 })
  const random = fc.stringMatching(/^[A-Za-z0-9_-]{12}$/)

  it('is pinned', () => {
    expect(makeMessageId(0, 'AAAAAAAAAAAA')).toBe('000000000AAAAAAAAAAAA')
    expect(makeMessageId(1_784_000_000_000, 'V1StGXR8_Z5j')).toBe('0mrk3jdvkV1StGXR8_Z5j')
  })

  it('has the form of a message id', () => {
    holds(fc.property(time, random, (ms, chars) => MESSAGE_ID.test(makeMessageId(ms, chars))))
    expect(makeMessageId(36 ** 9 - 1, 'AAAAAAAAAAAA')).toHaveLength(21)
  })

  it('sorts by time as text does', () => {
    holds(
      fc.property(time, time, random, random, (a, b, x, y) => {
        const inOrder = makeMessageId(a, x) < makeMessageId(b, y)
        return a === b || inOrder === a < b
      }),
    )
  })
})

describe('a direct room', () => {
  const user = fc.stringMatching(/^[A-Za-z0-9._@|:+=-]{1,128}$/)

  it('is the same from both sides', () => {
    expect(directRoomId('bob', 'ada')).toBe('~ada~bob')
    holds(fc.property(user, user, (a, b) => directRoomId(a, b) === directRoomId(b, a)))
  })

  it('sorts by code unit, upper case first, whatever the language of the machine', () => {
    expect(directRoomId('a', 'B')).toBe('~B~a')
    expect(directRoomId('user10', 'user9')).toBe('~user10~user9')
    expect(directRoomId('ab', 'a')).toBe('~a~ab')
    expect(directRoomId('a-', 'a')).toBe('~a~a-')
  })

  it('gives its two users back, and has the form of a room', () => {
    holds(
      fc.property(user, user, (a, b) => {
        fc.pre(a !== b)
        const room = directRoomId(a, b)
        const users = usersOfDirectRoom(room)
        return ROOM_ID.test(room) && users?.join(' ') === [a, b].sort().join(' ')
      }),
    )
  })

  it('is read back from nothing but what directRoomId makes', () => {
    holds(
      fc.property(fc.stringMatching(/^[~abc]{0,7}$/), (room) => {
        const users = usersOfDirectRoom(room)
        return (
          users === undefined || (users.every((id) => USER_ID.test(id)) && directRoomId(...users) === room)
        )
      }),
      2_000,
    )
  })

  it.each(['', 'a', '~', '~a', '~a~', '~~a', '~a~a', '~b~a', 'a~b', 'x~a~b', '~a~b~', '~a~b~c', '~~a~b'])(
    'is not %j',
    (room) => expect(usersOfDirectRoom(room)).toBeUndefined(),
  )

  it('is not any other kind of room', () => {
    expect(usersOfDirectRoom(ownLogId('ada'))).toBeUndefined()
    expect(usersOfDirectRoom('general')).toBeUndefined()
  })
})

describe("a user's own log", () => {
  it('is a room that no one can choose', () => {
    expect(ownLogId('ada')).toBe('~ada')
    expect(ROOM_ID.test(ownLogId('ada'))).toBe(true)
    expect(ROOM_ID.test(ownLogId(repeat('a', 128)))).toBe(true)
  })
})
