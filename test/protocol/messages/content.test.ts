import { COMMANDS, decodeCommand, ENTRIES, EXAMPLES, MAX_MENTIONS } from '@tautline/protocol'
import { describe, expect, it } from 'vitest'

const { send_message: sendMessage, edit_message: editMessage } = COMMANDS
const { new_message: newMessage, message_edited: messageEdited } = ENTRIES

const target = { sender: 'ada', messageId: '0mrk3ko68V1StGXR8_Z5j' }
const file = { url: '/files/8c1f', mediaType: 'image/png' }
const location = { latitude: 53.54, longitude: 9.98 }

const SPOKEN: [kind: string, content: object][] = [
  ['text', { content: 'hello' }],
  ['text', { kind: 'text', content: 'hello' }],
  ['image', { kind: 'image', content: '', file }],
  ['file', { kind: 'file', content: 'the manifest', file: { ...file, name: 'manifest.pdf', bytes: 0 } }],
  ['audio', { kind: 'audio', content: '', file: { ...file, mediaType: 'audio/ogg', durationMs: 1_500 } }],
  ['video', { kind: 'video', content: '', file: { ...file, width: 1_280, height: 720 } }],
  ['location', { kind: 'location', content: 'Pier 4', location: { ...location, accuracyMeters: 12.5 } }],
  ['encrypted', { kind: 'encrypted', content: 'q83vEjRWeJA', keyId: 'k1' }],
]
const RECORDED: [kind: string, content: object][] = [
  ['system', { kind: 'system', content: 'The room closes at noon.' }],
  ['deleted', { kind: 'deleted', content: '' }],
]

describe('what a client says', () => {
  it.each(SPOKEN)('may be %s, in commands and in what they become', (_kind, content) => {
    expect(sendMessage.parse(content)).toEqual(content)
    expect(editMessage.parse({ ...content, target })).toEqual({ ...content, target })
    expect(newMessage.parse(content)).toEqual(content)
    expect(messageEdited.parse({ ...content, target: { ...target, seq: 3 } })).toMatchObject(content)
  })

  it.each(RECORDED)('is never %s: only a log may hold that', (_kind, content) => {
    expect(sendMessage.safeParse(content).success).toBe(false)
    expect(editMessage.safeParse({ ...content, target }).success).toBe(false)
    expect(newMessage.parse(content)).toEqual(content)
  })

  it.each<[fault: string, content: object]>([
    ['an empty text', { content: '' }],
    ['no content', { kind: 'image', file }],
    ['a kind that there is not', { kind: 'poll', content: 'Pier 4 or 5?' }],
    ['an image without a file', { kind: 'image', content: '' }],
    ['a file without a type', { kind: 'file', content: '', file: { url: '/files/8c1f' } }],
    ['a type that is none', { kind: 'file', content: '', file: { ...file, mediaType: 'picture' } }],
    ['half a pixel', { kind: 'image', content: '', file: { ...file, width: 0.5 } }],
    ['a place beyond the pole', { kind: 'location', content: '', location: { ...location, latitude: 90.1 } }],
    ['a file that is a script', { kind: 'file', content: '', file: { ...file, url: 'javascript:alert(1)' } }],
    ['a ciphertext without a key', { kind: 'encrypted', content: 'q83vEjRWeJA' }],
    [
      'too many mentions',
      { content: 'hello', mentions: Array.from({ length: MAX_MENTIONS + 1 }, () => 'bob') },
    ],
    ['a mention of nobody', { content: 'hello', mentions: [] }],
    ['metadata that is a list', { content: 'hello', metadata: [1] }],
    ['an answer to a position', { content: 'hello', replyTo: { seq: 3 } }],
  ])('may not be %s', (_fault, content) => {
    expect(sendMessage.safeParse(content).success).toBe(false)
    expect(decodeCommand({ type: 'send_message', messageId: target.messageId, payload: content })).toEqual({
      ok: false,
      messageId: target.messageId,
      code: 'VALIDATION_ERROR',
    })
  })

  it.each([
    'https://files.example.org/8c1f/a.png?x=1#y',
    'http://localhost:9000/a',
    '//files.example.org/a',
    '/files/8c1f',
    './a',
    '../a:b',
    'a.png',
    'a/b:c',
    '?file=a:b',
    'é.png',
  ])('names a file at %s', (url) => {
    expect(sendMessage.safeParse({ kind: 'image', content: '', file: { ...file, url } }).success).toBe(true)
  })

  it.each([
    '',
    ' https://files.example.org/a',
    'https:files.example.org',
    'HTTPS://files.example.org/a',
    'data:text/html,x',
    'JavaScript:alert(1)',
    ' javascript:alert(1)',
    'java\nscript:alert(1)',
    '\u0001javascript:alert(1)',
    'vbscript:x',
    'blob:https://a/b',
    'file:///etc/passwd',
    'ftp://files.example.org/a',
    'a:b',
    '/a b',
    'a'.repeat(2_049),
  ])('names no file at %j', (url) => {
    expect(sendMessage.safeParse({ kind: 'image', content: '', file: { ...file, url } }).success).toBe(false)
  })

  it('names a message by its id, whether it has a place yet or not', () => {
    expect(sendMessage.parse({ content: 'hello', replyTo: target })).toHaveProperty('replyTo', target)
    expect(newMessage.parse({ content: 'hello', replyTo: { ...target, seq: 3 } })).toHaveProperty(
      'replyTo.seq',
      3,
    )
    expect(editMessage.safeParse(EXAMPLES.commands.send_message.payload).success).toBe(false)
  })

  it('says nothing of where it was forwarded from, how often it was answered, or what it was', () => {
    const content = {
      content: 'hello',
      forwardedFrom: { sender: 'bob', timestamp: 1 },
      editedAt: 2,
      replyCount: 3,
    }
    expect(newMessage.parse(content)).toEqual(content)
    expect(sendMessage.parse(content)).toEqual({ content: 'hello' })
  })
})
