// Frames that nobody should send, each with what becomes of its sender: a close (its code, and the word of the close
// frame), or the code of an error after which the connection serves on.

import { CLIENT_MESSAGES } from '@tautline/protocol'
import { type FrameForm, frameOf } from './raw-socket.ts'

export interface TextCase {
  readonly name: string
  readonly text: string
  readonly expected: string
}

export interface RawCase {
  readonly name: string
  readonly bytes: Buffer
  readonly expected: string
}

const PARSE = '4400 PARSE_ERROR'
const INVALID = 'INVALID_MESSAGE'
const UNKNOWN = 'UNKNOWN_TYPE'
const VALIDATION = 'VALIDATION_ERROR'
const TOO_LONG = 'MESSAGE_TOO_LONG'
const FORBIDDEN = 'FORBIDDEN'

const deep = (levels: number, open = '[', close = ']') => open.repeat(levels) + close.repeat(levels)
const ping = (more = '') => `{"type":"ping","payload":{"ref":1${more}}}`
const message = (type: string, payload: string) => `{"type":"${type}","payload":{"ref":3${payload}}}`
const commands = (more: string, head = '"room":"general","sid":"the-lane-1","n":1') =>
  `{"type":"commands","payload":{"ref":5,${head},${more}}}`
const command = (payload: string, type = 'send_message') =>
  commands(`"commands":[{"type":"${type}","messageId":"message-1","payload":${payload}}]`)
const TARGET = '"target":{"sender":"ada","messageId":"message-7"}'
const thread = (target: string, more: string) =>
  message('get_thread', `,"room":"general","target":{${target}}${more}`)
const subscribe = (after: string) => message('subscribe', `,"rooms":[{"room":"a","after":${after}}]`)

/** A request about somebody in a room. */
const about = (type: string, more = '') => message(type, `,"room":"general","userId":"ada"${more}`)

const cases = (...rows: readonly (readonly [string, string, string])[]): TextCase[] =>
  rows.map(([name, text, expected]) => ({ name, text, expected }))

const CORE: readonly TextCase[] = [
  // No JSON, or no envelope.
  ...cases(
    ['nothing', '', PARSE],
    ['white space', ' \n ', PARSE],
    ['half an object', '{"type":', PARSE],
    ['two objects', '{} {}', PARSE],
    ['JavaScript', '{type:"ping"}', PARSE],
    ['a comma too many', '[{"type":"ping","payload":{"ref":1}},]', PARSE],
    ['NaN', ping(',"x":NaN'), PARSE],
    ['Infinity', ping(',"x":-Infinity'), PARSE],
    ['a hexadecimal number', ping(',"x":0x10'), PARSE],
    ['a byte order mark', `\ufeff${ping()}`, PARSE],
    ['null', 'null', PARSE],
    ['a number', '1e999', PARSE],
    ['a text', '"ping"', PARSE],
    ['true', 'true', PARSE],
    ['an empty batch', '[]', PARSE],
    ['a batch in a batch', `[[${ping()}]]`, PARSE],
    ['a list of lists of lists', '[[[[]]],[[]]]', PARSE],
    ['a list of null', '[null]', PARSE],
    ['257 messages', `[${Array.from({ length: 257 }, () => ping()).join()}]`, PARSE],
    ['10,000 messages', `[${'0,'.repeat(9_999)}0]`, PARSE],
    ['an empty object', '{}', PARSE],
    ['a type that is a number', '{"type":1,"payload":{}}', PARSE],
    ['a type that is a list', '{"type":["ping"],"payload":{"ref":1}}', PARSE],
  ),
  // Depth, text and keys.
  ...cases(
    ['17 levels', ping(`,"x":${deep(15)}`), PARSE],
    ['18 levels in a batch', `[${ping(`,"x":${deep(15)}`)}]`, PARSE],
    ['30,000 levels', deep(30_000), PARSE],
    ['10,000 levels of objects', `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`, PARSE],
    ['30,000 levels that never end', '['.repeat(30_000), PARSE],
    ['NUL in a text', ping(',"x":"\\u0000"'), PARSE],
    ['NUL as it is', ping(',"x":"\0"'), PARSE],
    ['NUL in a key', ping(',"\\u0000":1'), PARSE],
    ['a lone surrogate', ping(',"x":"\\udc00"'), PARSE],
    ['surrogates in the wrong order', ping(',"x":"\\udc00\\ud800"'), PARSE],
    ['a lone surrogate in a key', ping(',"\\ud800":1'), PARSE],
    ['__proto__', ping(',"__proto__":{"admin":true}'), PARSE],
    ['__proto__ with escapes', ping(',"\\u005f_proto__":{"admin":true}'), PARSE],
    ['__proto__ at the top', `{"__proto__":{"type":"ping"},${ping().slice(1)}`, PARSE],
  ),
  // Types.
  ...cases(
    ['an unknown type', message('drop_tables', ''), UNKNOWN],
    ['a type of the server', '{"type":"ack","payload":{"acks":[]}}', UNKNOWN],
    ['an entry', message('new_message', ''), UNKNOWN],
    ['a type that objects have', message('toString', ''), UNKNOWN],
    ['constructor', message('constructor', ''), UNKNOWN],
    ['hasOwnProperty', message('hasOwnProperty', ''), UNKNOWN],
    ['__proto__ as a type', message('__proto__', ''), UNKNOWN],
    ['a type of 60,000 characters', message('x'.repeat(60_000), ''), UNKNOWN],
    ['an empty type', '{"type":"","payload":{}}', UNKNOWN],
  ),
  // Payloads.
  ...cases(
    ['no payload', '{"type":"ping"}', INVALID],
    ['a payload that is a list', '{"type":"ping","payload":[]}', INVALID],
    ['a payload that is null', '{"type":"ping","payload":null}', INVALID],
    ['the last of two payloads', '{"type":"ping","payload":{"ref":1},"payload":{}}', INVALID],
    ['the last of two refs', '{"type":"ping","payload":{"ref":1,"ref":"x"}}', INVALID],
    ['ref 0', '{"type":"ping","payload":{"ref":0}}', INVALID],
    ['ref -1', '{"type":"ping","payload":{"ref":-1}}', INVALID],
    ['ref 1.5', '{"type":"ping","payload":{"ref":1.5}}', INVALID],
    ['ref 1e308', '{"type":"ping","payload":{"ref":1e308}}', INVALID],
    ['ref beyond all numbers', '{"type":"ping","payload":{"ref":1e999}}', INVALID],
    ['a ref beyond the safe integers', '{"type":"ping","payload":{"ref":9007199254740993}}', INVALID],
    ['a ref of 10,000 digits', `{"type":"ping","payload":{"ref":${'9'.repeat(10_000)}}}`, INVALID],
    ['a ref that is a text', '{"type":"ping","payload":{"ref":"1"}}', INVALID],
    ['a ref that is a list', '{"type":"ping","payload":{"ref":[1]}}', INVALID],
    ['a room with a space', message('join_room', ',"room":"a b"'), INVALID],
    ['a room with a line break', message('join_room', ',"room":"a\\nb"'), INVALID],
    ['a room that is too long', message('join_room', `,"room":"${'a'.repeat(200)}"`), INVALID],
    ['an empty room', message('join_room', ',"room":""'), INVALID],
    ['a direct room in the wrong order', message('join_room', ',"room":"~b~a"'), INVALID],
    ['a room that is an object', message('join_room', ',"room":{"toString":1}'), INVALID],
    ['no rooms to follow', message('subscribe', ',"rooms":[]'), INVALID],
    ['rooms that are an object', message('subscribe', ',"rooms":{"length":1}'), INVALID],
    ['a negative cursor', subscribe('{"seq":-1,"h":""}'), INVALID],
    ['a cursor of 1e20', subscribe('{"seq":1e20,"h":""}'), INVALID],
    ['a fingerprint too long', subscribe(`{"seq":1,"h":"${'x'.repeat(13)}"}`), INVALID],
    ['a history of a million', message('get_history', ',"room":"a","limit":1000000'), INVALID],
    ['a thread of a million', thread('"sender":"ada","messageId":"message-1"', ',"limit":1000000'), INVALID],
    ['a thread of nothing', thread('', ''), INVALID],
    ['a thread of a message without a sender', thread('"messageId":"message-1"', ''), INVALID],
    [
      'a thread before its beginning',
      thread('"sender":"ada","messageId":"message-1"', ',"before":0'),
      INVALID,
    ],
    [
      'a thread to follow that is a text',
      message('follow_thread', ',"room":"a","target":"message-1"'),
      INVALID,
    ],
    ['no thread to unfollow', message('unfollow_thread', ',"room":"a"'), INVALID],
    ['a thread of what is not there', message('follow_thread', `,"room":"general",${TARGET}`), FORBIDDEN],
    ['versions of a text', message('get_versions', ',"room":"a","target":"message-1"'), INVALID],
    ['a million versions', message('get_versions', `,"room":"a",${TARGET},"limit":1000000`), INVALID],
    [
      'versions before the first position',
      message('get_versions', `,"room":"a",${TARGET},"before":0`),
      INVALID,
    ],
    ['versions of what is not there', message('get_versions', `,"room":"general",${TARGET}`), FORBIDDEN],
    ['reactions to a text', message('get_reactions', ',"room":"a","target":"message-1"'), INVALID],
    [
      'reactions to nobody’s message',
      message('get_reactions', ',"room":"a","target":{"sender":"a b"}'),
      INVALID,
    ],
    ['a page of members of a million', message('list_members', ',"room":"a","limit":1000000'), INVALID],
    ['a status that is none', message('update_presence', ',"status":"asleep"'), INVALID],
    ['a status by constructor', message('update_presence', ',"status":"constructor"'), INVALID],
    ['a status that is a list', message('update_presence', ',"status":["online"]'), INVALID],
    [
      'a status text of 101 characters',
      message('update_presence', `,"status":"busy","statusText":"${'x'.repeat(101)}"`),
      INVALID,
    ],
    [
      'a status text that is an object',
      message('update_presence', ',"status":"busy","statusText":{}'),
      INVALID,
    ],
    ['presence of nobody', message('subscribe_presence', ',"users":[]'), INVALID],
    ['presence of 201 users', message('subscribe_presence', `,"users":[${'"a",'.repeat(200)}"a"]`), INVALID],
    ['presence of a user with a space', message('subscribe_presence', ',"users":["a b"]'), INVALID],
    ['presence of a number', message('subscribe_presence', ',"users":[1]'), INVALID],
    ['presence of users by length', message('unsubscribe_presence', ',"users":{"length":1}'), INVALID],
    [
      'a hello with a status that is none',
      message('authenticate', ',"sid":"the-lane-1","presence":{}'),
      INVALID,
    ],
    ['a second hello', message('authenticate', ',"sid":"the-lane-1","token":"x"'), INVALID],
    ['another hello without a token', message('authenticate', ',"sid":"the-lane-1"'), INVALID],
    [
      'the role of an owner by constructor',
      message('invite_member', ',"room":"a","userId":"b","role":"constructor"'),
      INVALID,
    ],
    [
      'metadata of a room beyond 4 KiB',
      message('create_room', `,"room":"a","visibility":"public","metadata":{"a":"${'x'.repeat(4_096)}"}`),
      INVALID,
    ],
  ),
  // Notifications.
  ...cases(
    ['notifications of a million', message('get_notifications', ',"limit":1000000'), INVALID],
    ['notifications before the first', message('get_notifications', ',"before":0'), INVALID],
    ['no notifications to read', message('read_notifications', ',"seqs":[]'), INVALID],
    ['101 of them', message('read_notifications', `,"seqs":[${'1,'.repeat(100)}1]`), INVALID],
    ['notification 0', message('clear_notifications', ',"seqs":[0]'), INVALID],
    ['a notification that is a text', message('clear_notifications', ',"seqs":["1"]'), INVALID],
    ['all up to nowhere', message('clear_all_notifications', ''), INVALID],
    ['all up to infinity', message('read_all_notifications', ',"upTo":1e999'), INVALID],
    ['a level by constructor', message('set_notifications', ',"room":"a","level":"constructor"'), INVALID],
    [
      'a silence of a century',
      message('set_notifications', ',"room":"a","silenceMs":3155760000000'),
      INVALID,
    ],
    ['a silence that ended', message('set_notifications', ',"room":"a","silenceMs":-1'), INVALID],
    ['the level of a strange room', message('set_notifications', ',"room":"a","level":"none"'), FORBIDDEN],
    ['the level of one’s own log', message('set_notifications', ',"room":"~ada","level":"none"'), FORBIDDEN],
  ),
  // Each type, with nothing in it that it should have.
  ...Object.keys(CLIENT_MESSAGES).map((type) => ({
    name: `${type} of nothing`,
    text: `{"type":"${type}","payload":{"ref":"3","room":{},"rooms":[{}],"userId":[],"target":0}}`,
    expected: INVALID,
  })),
  // Rooms, as no request may name them.
  ...cases(
    [
      'a room that becomes direct',
      message('update_room', ',"room":"general","visibility":"direct"'),
      INVALID,
    ],
    [
      'a name of 101 characters',
      message('update_room', `,"room":"general","name":"${'x'.repeat(101)}"`),
      INVALID,
    ],
    ['a topic that is a list', message('update_room', ',"room":"general","topic":["x"]'), INVALID],
    ['a room of others, renamed', message('update_room', ',"room":"general","name":"mine"'), FORBIDDEN],
    ['a room of others, deleted', message('delete_room', ',"room":"general"'), FORBIDDEN],
    ['a room that is not there, deleted', message('delete_room', ',"room":"nowhere"'), FORBIDDEN],
    ['rooms of everybody', message('list_rooms', ',"which":"all"'), INVALID],
    ['101 rooms', message('list_rooms', ',"which":"own","limit":101'), INVALID],
    ['unread rooms after what is none', message('list_unread', ',"after":"a b"'), INVALID],
    ['rooms after what is none', message('list_rooms', ',"which":"own","after":"a b"'), INVALID],
    ['a private room of others', message('get_room', ',"room":"nowhere"'), FORBIDDEN],
    ['an own log of others', message('get_room', ',"room":"~ada"'), FORBIDDEN],
    ['no rooms to join', message('join_rooms', ',"rooms":[]'), INVALID],
    ['201 rooms to join', message('join_rooms', `,"rooms":[${Array(201).fill('"a"').join()}]`), INVALID],
    ['an own log of others to join', message('join_rooms', ',"rooms":["~ada"]'), FORBIDDEN],
    ['a direct room that one leaves', message('leave_room', ',"room":"~ada~"'), INVALID],
    ['an invitation that there is not', message('accept_invitation', ',"room":"general"'), FORBIDDEN],
    ['an invitation into an own log', message('accept_invitation', ',"room":"~ada"'), FORBIDDEN],
    ['the members who are there, of others', message('list_active_members', ',"room":"general"'), FORBIDDEN],
    ['members after what is none', message('list_members', ',"room":"general","after":"a\\nb"'), INVALID],
    ['a member put out by a stranger', about('remove_member'), FORBIDDEN],
    ['a member put out who is none', message('remove_member', ',"room":"general","userId":"a b"'), INVALID],
    ['a role that there is not', about('set_role', ',"role":"king"'), INVALID],
    ['a role of __proto__', about('set_role', ',"role":"__proto__"'), INVALID],
    ['a role given by a stranger', about('set_role', ',"role":"owner"'), FORBIDDEN],
    ['a ban by a stranger', about('ban_member'), FORBIDDEN],
    ['a ban lifted by a stranger', about('unban_member'), FORBIDDEN],
    ['a mute for no time', about('mute_member', ',"durationMs":0'), INVALID],
    ['a mute of negative time', about('mute_member', ',"durationMs":-1'), INVALID],
    ['a mute for ever', about('mute_member', ',"durationMs":1e15'), INVALID],
    ['a mute by a stranger', about('mute_member', ',"durationMs":1000'), FORBIDDEN],
    ['a mute lifted by a stranger', about('unmute_member'), FORBIDDEN],
    ['a read position of 0', message('mark_read', ',"room":"general","seq":0'), INVALID],
    ['a read position beyond all numbers', message('mark_read', ',"room":"general","seq":1e400'), INVALID],
    ['a read position of a stranger', message('mark_read', ',"room":"general","seq":1'), FORBIDDEN],
    ['a delivery of a text', message('mark_delivered', ',"room":"general","seq":"1"'), INVALID],
    ['a delivery to a stranger', message('mark_delivered', ',"room":"general","seq":1'), FORBIDDEN],
    ['no rooms to unfollow', message('unsubscribe', ',"rooms":[]'), INVALID],
    [
      'a page after a negative position',
      message('get_page', ',"room":"general","after":{"seq":-1}'),
      INVALID,
    ],
    ['a page of others', message('get_page', ',"room":"general","after":{"seq":0}'), FORBIDDEN],
    [
      '201 rooms to check',
      message('check', `,"rooms":[${Array(201).fill('{"room":"a","after":{"seq":0,"h":""}}').join()}]`),
      INVALID,
    ],
    ['no users to name', message('get_users', ',"users":[]'), INVALID],
    ['101 users to name', message('get_users', `,"users":[${Array(101).fill('"a"').join()}]`), INVALID],
    ['a token that is a number', message('renew_token', ',"token":1'), INVALID],
  ),
  // Commands.
  ...cases(
    ['no commands', commands('"commands":[]'), INVALID],
    ['commands that are none', commands('"commands":{"0":1}'), INVALID],
    ['257 commands', commands(`"commands":[${'0,'.repeat(256)}0]`), INVALID],
    ['a command that is null', commands('"commands":[null]'), INVALID],
    ['a command that is a list', commands('"commands":[[]]'), INVALID],
    [
      'a command without an id',
      commands('"commands":[{"type":"send_message","payload":{"content":"x"}}]'),
      INVALID,
    ],
    [
      'a command with the id of nobody',
      commands('"commands":[{"type":"skip","messageId":"__proto__\\n"}]'),
      INVALID,
    ],
    [
      'a place before the first',
      commands(
        '"commands":[{"type":"skip","messageId":"message-1"}]',
        '"room":"general","sid":"the-lane-1","n":0',
      ),
      INVALID,
    ],
    [
      'a lane id with a line break',
      commands(
        '"commands":[{"type":"skip","messageId":"message-1"}]',
        '"room":"general","sid":"the\\nlane-1","n":1',
      ),
      INVALID,
    ],
    ['a command that nobody knows', command('{}', 'drop_tables'), UNKNOWN],
    ['a command that objects have', command('{}', 'constructor'), UNKNOWN],
    ['an edit of nothing', command('{"content":"x"}', 'edit_message'), VALIDATION],
    ['an edit into nothing', command(`{${TARGET},"content":""}`, 'edit_message'), VALIDATION],
    [
      'an edit into a tombstone',
      command(`{${TARGET},"kind":"deleted","content":""}`, 'edit_message'),
      VALIDATION,
    ],
    [
      'an edit into the system’s',
      command(`{${TARGET},"kind":"system","content":"x"}`, 'edit_message'),
      VALIDATION,
    ],
    [
      'an edit beyond all limits',
      command(`{${TARGET},"content":"${'x'.repeat(5_001)}"}`, 'edit_message'),
      TOO_LONG,
    ],
    ['an edit of what is not there', command(`{${TARGET},"content":"x"}`, 'edit_message'), FORBIDDEN],
    ['a deletion of nothing', command('{}', 'delete_message'), VALIDATION],
    ['a deletion of everything', command('{"target":[{}]}', 'delete_message'), VALIDATION],
    ['a deletion of what is not there', command(`{${TARGET}}`, 'delete_message'), FORBIDDEN],
    ['a forward of nothing', command('{"from":{}}', 'forward_message'), VALIDATION],
    [
      'a forward from nowhere',
      command('{"from":{"room":"~b~a","sender":"a"}}', 'forward_message'),
      VALIDATION,
    ],
    [
      'a forward from a room of others',
      command('{"from":{"room":"secret","sender":"eve","messageId":"message-7"}}', 'forward_message'),
      FORBIDDEN,
    ],
    ['a reaction without an emoji', command(`{${TARGET}}`, 'add_reaction'), VALIDATION],
    ['two reactions at once', command(`{${TARGET},"emoji":"👍👍"}`, 'add_reaction'), VALIDATION],
    [
      'a reaction with a name that is none',
      command(`{${TARGET},"emoji":":Party Parrot:"}`, 'add_reaction'),
      VALIDATION,
    ],
    [
      'a reaction with a name that this server lacks',
      command(`{${TARGET},"emoji":":party_parrot:"}`, 'add_reaction'),
      VALIDATION,
    ],
    ['a reaction to take back without an emoji', command(`{${TARGET}}`, 'remove_reaction'), VALIDATION],
    [
      'a reaction to take back from what is not there',
      command(`{${TARGET},"emoji":"👍"}`, 'remove_reaction'),
      FORBIDDEN,
    ],
    ['a reaction with markup', command(`{${TARGET},"emoji":"<b>"}`, 'add_reaction'), VALIDATION],
    ['a reaction to what is not there', command(`{${TARGET},"emoji":"👍"}`, 'add_reaction'), FORBIDDEN],
    [
      'an answer to what is not there',
      command('{"content":"x","replyTo":{"sender":"a","messageId":"message-7"}}'),
      FORBIDDEN,
    ],
    ['51 mentions', command(`{"content":"x","mentions":[${Array(51).fill('"a"').join()}]}`), VALIDATION],
    ['content that is no text', command('{"content":{"toString":1}}'), VALIDATION],
    ['content with NUL', command('{"content":"\\u0000"}'), VALIDATION],
    [
      'content with __proto__ beside it',
      command('{"content":"x","metadata":{"__proto__":{"admin":true}}}'),
      VALIDATION,
    ],
    ['metadata of 14 levels', command(`{"content":"x","metadata":{"a":${deep(13)}}}`), VALIDATION],
    [
      'metadata that grow when they are written',
      command(`{"content":"x","metadata":{"a":[${'1e20,'.repeat(999)}1]}}`),
      VALIDATION,
    ],
    [
      'a file that is a script',
      command('{"kind":"file","content":"","file":{"url":"javascript:alert(1)","mediaType":"a/b"}}'),
      VALIDATION,
    ],
    ['a message of the system', command('{"kind":"system","content":"x"}'), VALIDATION],
    ['a message that is too long', command(`{"content":"${'x'.repeat(5_001)}"}`), 'MESSAGE_TOO_LONG'],
    ['a message to a room of others', command('{"content":"x"}'), 'FORBIDDEN'],
  ),
]

const text = (form: FrameForm) => frameOf(ping(), form)

const own = (type: string, what: string, payload: string, more = '') =>
  message(type, `${more},"type":"${what}","payload":${payload}`)
const signal = (what: string, payload: string, room = 'general') =>
  own('send_signal', what, payload, `,"room":"${room}"`)
const request = (what: string, payload: string) => own('send_request', what, payload)
const JOB = '{"jobId":"j"}'

/** Of the application's own: the server speaks `jobs`. */
const OWN = cases(
  ['a command that is a signal', command(JOB, 'job_viewed'), UNKNOWN],
  ['a command that is an event', command(JOB, 'job_closed'), UNKNOWN],
  ['an offer of nothing', command('{}', 'job_offer'), VALIDATION],
  ['an offer that is null', command('null', 'job_offer'), VALIDATION],
  ['an offer that is a list', command('[]', 'job_offer'), VALIDATION],
  ['an offer of the wrong form', command('{"jobId":"j","rate":"much"}', 'job_offer'), VALIDATION],
  ['an offer in a room that is not there', command('{"jobId":"j","rate":1}', 'job_offer'), FORBIDDEN],
  ['a signal of an unknown type', signal('drop_tables', JOB), UNKNOWN],
  ['a signal that objects have', signal('constructor', JOB), UNKNOWN],
  ['a signal that is an offer', signal('job_offer', '{"jobId":"j","rate":1}'), UNKNOWN],
  ['a signal that the server alone says', signal('job_closed', JOB), UNKNOWN],
  ['a signal whose type is no name', signal('Job Viewed', JOB), INVALID],
  ['a signal of nothing', signal('job_viewed', '{}'), VALIDATION],
  ['a signal that is null', signal('job_viewed', 'null'), INVALID],
  ['a signal that is a list', signal('job_viewed', '[]'), INVALID],
  ['a signal that nests too deep', signal('job_viewed', `{"jobId":"j","x":${deep(11)}}`), INVALID],
  ['a signal of 49,153 bytes', signal('job_viewed', `{"jobId":"${'x'.repeat(49_141)}"}`), INVALID],
  ['a signal in a room that is not there', signal('job_viewed', JOB), FORBIDDEN],
  ['a signal in a room of others', signal('job_viewed', JOB, '~ada~bob'), FORBIDDEN],
  ['a signal in the log of another', signal('job_viewed', JOB, '~ada'), FORBIDDEN],
  ['a signal in a room that is none', signal('job_viewed', JOB, '~b~a'), INVALID],
  ['a signal without a room', own('send_signal', 'job_viewed', JOB), INVALID],
  ['a request of an unknown type', request('drop_tables', JOB), UNKNOWN],
  ['a request that objects have', request('hasownproperty', JOB), UNKNOWN],
  ['a request that is a signal', request('job_viewed', JOB), UNKNOWN],
  ['a request of the wrong form', request('get_job', '{"jobId":7}'), VALIDATION],
  ['a request for nothing', request('get_job', 'null'), INVALID],
)

export const TEXTS: readonly TextCase[] = [...CORE, ...OWN]

/** Below the level of text: what a client library would not let through. After the hello. */
export const BYTES: readonly RawCase[] = [
  { name: 'a frame of 64 KiB and a byte', bytes: frameOf('x'.repeat(65_537)), expected: '1009' },
  {
    name: 'a frame that claims to be of a terabyte',
    bytes: frameOf('x', { claims: 2 ** 40 }),
    expected: '1009',
  },
  {
    name: 'a frame that claims to be beyond all numbers',
    bytes: frameOf('x', { claims: 2 ** 60 }),
    expected: '1009',
  },
  { name: 'a binary frame', bytes: text({ head: 0x82 }), expected: '1003 UNSUPPORTED_DATA' },
  { name: 'a frame without a mask', bytes: text({ isMasked: false }), expected: '1002' },
  { name: 'the first reserved bit: nothing is compressed', bytes: text({ head: 0xc1 }), expected: '1002' },
  { name: 'the second reserved bit', bytes: text({ head: 0xa1 }), expected: '1002' },
  { name: 'the third reserved bit', bytes: text({ head: 0x91 }), expected: '1002' },
  { name: 'an opcode that there is not', bytes: text({ head: 0x83 }), expected: '1002' },
  { name: 'a control opcode that there is not', bytes: text({ head: 0x8b }), expected: '1002' },
  { name: 'a continuation of nothing', bytes: text({ head: 0x80 }), expected: '1002' },
  {
    name: 'a text within a text',
    bytes: Buffer.concat([frameOf('[', { head: 0x01 }), text({})]),
    expected: '1002',
  },
  { name: 'a ping in fragments', bytes: frameOf('x', { head: 0x09 }), expected: '1002' },
  { name: 'a ping of 126 bytes', bytes: frameOf('x'.repeat(126), { head: 0x89 }), expected: '1002' },
  {
    name: 'bytes that are no UTF-8',
    bytes: frameOf(Buffer.from([0x22, 0xff, 0xfe, 0x22])),
    expected: '1007',
  },
  {
    name: 'a surrogate in UTF-8',
    bytes: frameOf(Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])),
    expected: '1007',
  },
  { name: 'NUL in two bytes', bytes: frameOf(Buffer.from([0x22, 0xc0, 0x80, 0x22])), expected: '1007' },
  { name: 'half a character', bytes: frameOf(Buffer.from([0x22, 0xe2, 0x82])), expected: '1007' },
  {
    name: '17 fragments',
    bytes: Buffer.concat(Array.from({ length: 17 }, (_, i) => frameOf('x', { head: i === 0 ? 0x01 : 0x00 }))),
    expected: '1008',
  },
  {
    name: '1,000 empty fragments',
    bytes: Buffer.concat(
      Array.from({ length: 1_000 }, (_, i) => frameOf('', { head: i === 0 ? 0x01 : 0x00 })),
    ),
    expected: '1008',
  },
  {
    name: 'fragments that are too much together',
    bytes: Buffer.concat([
      frameOf('x'.repeat(40_000), { head: 0x01 }),
      frameOf('x'.repeat(40_000), { head: 0x80 }),
    ]),
    expected: '1009',
  },
  { name: 'a close frame of one byte', bytes: frameOf('x', { head: 0x88 }), expected: '1002' },
  {
    name: 'a close code that nobody may send',
    bytes: frameOf(Buffer.from([0x03, 0xed]), { head: 0x88 }),
    expected: '1002',
  },
  {
    name: 'a close reason that is no UTF-8',
    bytes: frameOf(Buffer.from([0x03, 0xe8, 0xff]), { head: 0x88 }),
    expected: '1007',
  },
  {
    name: 'HTTP after the upgrade',
    bytes: Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
    expected: '1002',
  },
]
