// What the application's own code says and does, through a real server: who may, what it is told, and that it goes the
// way of everybody's.

import {
  createServer,
  memory,
  type NewMessage,
  type Server,
  type ServerOptions,
  type Store,
  type StoreFactory,
} from '@tautline/server'
import { describe, expect, it } from 'vitest'
import { connect, gate, type Peer, SECRET, sendMessage, startServer, tokenOf } from './wire.ts'

/** The store in memory, whose commits can be made to fail or to wait. */
function weakStore() {
  const store = { isBroken: false, wait: undefined as Promise<void> | undefined, batches: [] as number[] }
  const factory: StoreFactory = {
    async open() {
      const inner = await memory().open()
      const commit: Store['commit'] = async (ops, unixMs) => {
        store.batches.push(ops.length)
        await store.wait
        if (store.isBroken) throw new Error('the disk is full')
        return inner.commit(ops, unixMs)
      }
      return { ...inner, commit }
    },
  }
  return { store, factory }
}

async function withAlice(options: Partial<ServerOptions> = {}): Promise<{ server: Server; alice: Peer }> {
  const server = await startServer(options)
  const alice = await (await connect(server).login('alice')).enter('general')
  return { server, alice }
}

/** What a promise came to, so that none is left unhandled while another is awaited. */
async function outcomeOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => value,
    (error: unknown) => (error as { code?: string }).code ?? error,
  )
}

describe('a message of the application', () => {
  it('is the system’s unless a user is named, and everybody gets it as any other', async () => {
    const { server, alice } = await withAlice()
    const welcome = await server.send({ room: 'general', content: 'welcome', metadata: { level: 1 } })
    const spoken = await server.send({
      room: 'general',
      sender: 'alice',
      content: 'hello',
      mentions: ['alice', 'nobody'],
    })
    expect([welcome.seq, spoken.seq]).toEqual([2, 3])
    expect((await alice.next('entries')).payload.entries).toEqual([
      {
        type: 'new_message',
        ...welcome,
        sender: 'system',
        payload: { kind: 'system', content: 'welcome', metadata: { level: 1 } },
      },
    ])
    expect((await alice.next('entries')).payload.entries).toEqual([
      { type: 'new_message', ...spoken, sender: 'alice', payload: { content: 'hello', mentions: ['alice'] } },
    ])
  })

  it('may be of any kind that a client can say', async () => {
    const { server, alice } = await withAlice()
    const file = { url: 'https://files.example/1', mediaType: 'image/png' }
    await server.send({ room: 'general', kind: 'image', content: '', file })
    expect((await alice.next('entries')).payload.entries).toMatchObject([
      { sender: 'system', payload: { kind: 'image', content: '', file } },
    ])
  })

  it('keeps its order and its place among a hundred that are not awaited one by one', async () => {
    const { store, factory } = weakStore()
    const { server, alice } = await withAlice({ store: factory })
    store.batches = []
    const sent = await Promise.all(
      Array.from({ length: 100 }, (_, i) => server.send({ room: 'general', content: String(i) })),
    )
    expect(sent.map(({ seq }) => seq)).toEqual(Array.from({ length: 100 }, (_, i) => i + 2))
    expect(await alice.contents(100)).toEqual(Array.from({ length: 100 }, (_, i) => String(i)))
    // Beyond the rate of a user, and in one commit.
    expect(store.batches).toEqual([100])
  })

  it('is edited in the name of who said it, reacted to and deleted, as the system or as a user', async () => {
    const { server, alice } = await withAlice()
    const hello = await server.send({ room: 'general', sender: 'alice', content: 'helo' })
    const target = { room: 'general', sender: 'alice', messageId: hello.messageId }
    const own = {
      room: 'general',
      messageId: (await server.send({ room: 'general', content: 'old' })).messageId,
    }
    const edited = await server.edit({ target, content: 'hello' })
    await server.edit({ target: own, content: 'new' })
    await server.react(target, '👋')
    await server.react(target, '👋', { as: 'alice' })
    await server.unreact(target, '👋')
    await server.delete(target, { as: 'alice' })
    await server.delete(own)
    const told = []
    while (told.length < 9) told.push(...(await alice.next('entries')).payload.entries)
    expect(told.map(({ type, sender, payload }) => ({ type, sender, ...payload })).slice(2)).toMatchObject([
      { type: 'message_edited', sender: 'alice', content: 'hello' },
      { type: 'message_edited', sender: 'system', kind: 'system', content: 'new' },
      { type: 'reaction_added', sender: 'system', emoji: '👋', count: 1 },
      { type: 'reaction_added', sender: 'alice', count: 2 },
      { type: 'reaction_removed', sender: 'system', count: 1 },
      { type: 'message_deleted', sender: 'alice' },
      { type: 'message_deleted', sender: 'system' },
    ])
    expect(edited).toEqual({ seq: 4, messageId: told[2]?.messageId, timestamp: told[2]?.timestamp })
  })

  it('cannot be changed where it is not there, is deleted, or is not theirs who act', async () => {
    const { server } = await withAlice()
    const { messageId } = await server.send({ room: 'general', sender: 'alice', content: 'hello' })
    const target = { room: 'general', sender: 'alice', messageId }
    await server.rooms.addMember('general', 'bob')
    expect(await outcomeOf(server.delete(target, { as: 'bob' }))).toBe('FORBIDDEN')
    expect(await outcomeOf(server.react(target, '👋', { as: 'eve' }))).toBe('FORBIDDEN')
    expect(await outcomeOf(server.react(target, 'wave'))).toBe('VALIDATION_ERROR')
    expect(await outcomeOf(server.edit({ target, content: '' }))).toBe('VALIDATION_ERROR')
    expect(
      await outcomeOf(server.edit({ target: { ...target, messageId: 'no-message' }, content: 'x' })),
    ).toBe('FORBIDDEN')
    expect(await outcomeOf(server.delete({ ...target, room: 'elsewhere' }))).toBe('FORBIDDEN')
    await server.delete(target)
    expect(await outcomeOf(server.edit({ target, content: 'again' }))).toBe('MESSAGE_DELETED')
    expect(await outcomeOf(server.react(target, '👋'))).toBe('MESSAGE_DELETED')
    await server.rooms.removeMember('general', 'alice')
    const later = await outcomeOf(server.edit({ target, content: 'from outside' }))
    expect(later).toBe('FORBIDDEN')
  })

  it('is stored once under its messageId, whoever tries again', async () => {
    const { server, alice } = await withAlice()
    const message = { room: 'general', sender: 'alice', content: 'once', messageId: 'order-4711' }
    const first = await server.send(message)
    expect(await server.send(message)).toEqual(first)
    await expect(server.send({ ...message, content: 'twice' })).rejects.toMatchObject({ code: 'ID_CONFLICT' })
    expect((await server.send({ ...message, messageId: 'order-4712' })).seq).toBe(first.seq + 1)
    // The user's own client too: it is the same message.
    alice.say({
      type: 'commands',
      payload: {
        ref: 50,
        room: 'general',
        sid: 'the-lane-1',
        n: 1,
        commands: [{ type: 'send_message', messageId: 'order-4711', payload: { content: 'once' } }],
      },
    })
    expect((await alice.next('ack', 'error')).payload).toMatchObject({ acks: [{ ref: 50, seq: first.seq }] })
  })

  it('of a user who is no member is refused, and what they say where they belong is not', async () => {
    const { server } = await withAlice()
    const bob = { room: 'general', sender: 'bob', content: 'let me in' }
    await expect(server.send(bob)).rejects.toMatchObject({ name: 'TautlineError', code: 'FORBIDDEN' })
    await server.rooms.addMember('general', 'bob')
    await expect(server.send(bob)).resolves.toMatchObject({ seq: 3 })
  })

  it('to a room that does not exist is refused, and makes none', async () => {
    const { server } = await withAlice()
    for (const room of ['no-such-room', '~alice'])
      await expect(server.send({ room, content: 'hello?' })).rejects.toMatchObject({ code: 'FORBIDDEN' })
    await server.rooms.create({ id: 'no-such-room', visibility: 'public' })
    expect(await server.send({ room: 'no-such-room', content: 'hello!' })).toMatchObject({ seq: 2 })
  })

  it('opens a direct room, its own and that of two users', async () => {
    const { server, alice } = await withAlice()
    await server.send({ room: '~alice~system', content: 'your order is on its way' })
    await server.send({ room: '~alice~bob', content: 'you two should talk' })
    alice.say({ type: 'list_rooms', payload: { ref: 50, which: 'own' } })
    expect((await alice.next('room_list')).payload.rooms).toMatchObject([
      { room: 'general' },
      { room: '~alice~bob', unread: 1 },
      { room: '~alice~system', unread: 1 },
    ])
  })

  it.each([
    ['an empty content', { room: 'general', content: '' }, 'VALIDATION_ERROR'],
    ['NUL in it', { room: 'general', content: 'a\0b' }, 'VALIDATION_ERROR'],
    ['half a surrogate pair', { room: 'general', content: '\ud800' }, 'VALIDATION_ERROR'],
    ['the id of no room', { room: 'general\n', content: 'x' }, 'VALIDATION_ERROR'],
    ['the id of no user', { room: 'general', sender: 'a b', content: 'x' }, 'VALIDATION_ERROR'],
    ['a messageId that is none', { room: 'general', messageId: 'short', content: 'x' }, 'VALIDATION_ERROR'],
    ['a kind that nobody says', { room: 'general', kind: 'deleted', content: '' }, 'VALIDATION_ERROR'],
    ['more than a message holds', { room: 'general', content: 'x'.repeat(5_001) }, 'MESSAGE_TOO_LONG'],
    ['more than a frame holds', { room: 'general', content: 'x'.repeat(200_000) }, 'MESSAGE_TOO_LONG'],
    ['what is no JSON', { room: 'general', content: 'x', metadata: { n: 1n } }, 'VALIDATION_ERROR'],
    ['nothing', {}, 'VALIDATION_ERROR'],
  ])('with %s is refused, and holds up nobody', async (_what, message, code) => {
    const { server } = await withAlice()
    await expect(server.send(message as NewMessage)).rejects.toMatchObject({ name: 'TautlineError', code })
    expect(await server.send({ room: 'general', content: 'next' })).toMatchObject({ seq: 2 })
  })

  it('fails with all that was sent with it where the store fails, and is stored once when it is tried again', async () => {
    const { store, factory } = weakStore()
    const { server, alice } = await withAlice({ store: factory })
    const say = (i: number) => server.send({ room: 'general', content: `${i}`, messageId: `message-${i}` })
    const barrier = gate()
    store.isBroken = true
    store.wait = barrier.passed
    const first = outcomeOf(say(1))
    await alice.flush() // the first commit has begun
    const second = outcomeOf(say(2))
    store.wait = undefined
    barrier.open()
    expect(await Promise.all([first, second])).toEqual(['UNAVAILABLE', 'UNAVAILABLE'])
    store.isBroken = false
    expect(await Promise.all([say(1), say(2)])).toMatchObject([{ seq: 2 }, { seq: 3 }])
    expect(await alice.contents(2)).toEqual(['1', '2'])
  })

  it('is never stored after one before it that was not, where only that one’s commit failed', async () => {
    const { store, factory } = weakStore()
    const { server, alice } = await withAlice({ store: factory })
    const say = (content: string) => outcomeOf(server.send({ room: 'general', content }))
    const barrier = gate()
    store.wait = barrier.passed
    store.isBroken = true
    const first = say('1')
    await alice.flush()
    const second = say('2')
    const other = server.send({ room: 'general', sender: 'alice', content: 'of another lane' })
    store.wait = undefined
    barrier.open()
    expect(await first).toBe('UNAVAILABLE')
    store.isBroken = false
    expect(await second).toBe('UNAVAILABLE')
    expect(await other).toMatchObject({ seq: 2 })
    expect(await say('3')).toMatchObject({ seq: 3 })
  })

  it('is finished by a close that has begun, and refused from then on', async () => {
    const { store, factory } = weakStore()
    const { server, alice } = await withAlice({ store: factory })
    const barrier = gate()
    store.wait = barrier.passed
    const running = server.send({ room: 'general', content: 'just in time' })
    await alice.flush()
    const closed = server.close()
    const late = await outcomeOf(server.send({ room: 'general', content: 'too late' }))
    expect(late).toBe('UNAVAILABLE')
    barrier.open()
    expect(await running).toMatchObject({ seq: 2 })
    await closed
    expect(await outcomeOf(server.send({ room: 'general', content: 'much too late' }))).toBe('UNAVAILABLE')
  })

  it('does not stay open for ever where the store never answers', async () => {
    const { store, factory } = weakStore()
    const server = await createServer({
      auth: { secret: SECRET },
      store: factory,
      logger: false,
      drainTimeoutMs: 0,
    })
    store.wait = new Promise(() => {})
    const hanging = outcomeOf(server.rooms.create({ id: 'general', visibility: 'public' }))
    await new Promise((resolve) => setImmediate(resolve))
    await server.close()
    expect(await hanging).toBe('UNAVAILABLE')
  })
})

describe('the system', () => {
  it('is nobody who can sign in', async () => {
    await expect(tokenOf('system')).rejects.toThrow('system')
    const server = await startServer({ auth: { verify: (token) => ({ userId: token }) } })
    const impostor = connect(server)
    await impostor.opened
    impostor.say({ type: 'authenticate', payload: { ref: 1, sid: 'the-lane-1', token: 'system' } })
    expect(await impostor.closed).toBe('4002 INVALID_TOKEN')
  })
})

describe('a room of the application', () => {
  it('is made once, with an owner or without', async () => {
    const server = await startServer()
    const club = { id: 'club', visibility: 'private', name: 'The club', owner: 'alice' } as const
    const lobby = {
      id: 'lobby',
      visibility: 'public',
      topic: 'All of it',
      metadata: { color: 'red' },
    } as const
    for (const room of [club, club, lobby, lobby]) await server.rooms.create(room)
    for (const other of [
      { ...lobby, topic: 'None of it' },
      { ...club, owner: 'bob' },
      { ...club, id: '~a~b' },
    ])
      await expect(server.rooms.create(other)).rejects.toMatchObject({ code: 'FORBIDDEN' })
    await expect(server.rooms.create({ ...club, id: '' })).rejects.toMatchObject({ code: 'VALIDATION_ERROR' })
    await expect(server.rooms.create({ ...club, owner: '' })).rejects.toMatchObject({
      code: 'VALIDATION_ERROR',
    })
    const alice = await connect(server).login('alice')
    for (const which of ['own', 'public'] as const) {
      alice.say({ type: 'list_rooms', payload: { ref: 10, which } })
      const { rooms } = (await alice.next('room_list')).payload
      expect(rooms).toMatchObject(
        which === 'own'
          ? [{ room: 'club', name: 'The club', role: 'owner', head: 1, memberCount: 1 }]
          : [{ room: 'lobby', topic: 'All of it', metadata: { color: 'red' }, head: 1, memberCount: 0 }],
      )
    }
  })

  it('takes whom it is told to, who are told themselves', async () => {
    const server = await startServer()
    await server.rooms.create({ id: 'club', visibility: 'private' })
    const bob = await connect(server).login('bob')
    bob.say({ type: 'subscribe', payload: { ref: 3, rooms: [{ room: '~bob' }] } })
    await bob.next('page')
    await server.rooms.addMember('club', 'bob', 'moderator')
    await server.rooms.addMember('club', 'bob')
    expect((await bob.next('entries')).payload).toMatchObject({
      room: '~bob',
      entries: [{ type: 'admission', sender: 'system', payload: { room: 'club', role: 'moderator' } }],
    })
    bob.say({ type: 'get_history', payload: { ref: 4, room: 'club' } })
    expect((await bob.next('history')).payload.entries).toMatchObject([
      { type: 'member_joined', sender: 'system', payload: { userId: 'bob', role: 'moderator' } },
    ])
    for (const room of ['no-such-room', '~bob~carol', '~bob'])
      await expect(server.rooms.addMember(room, 'bob')).rejects.toMatchObject({ code: 'FORBIDDEN' })
    await expect(server.rooms.addMember('club', 'not a user')).rejects.toMatchObject({
      code: 'VALIDATION_ERROR',
    })
  })

  it('puts a member out at once: their connections are told, and get nothing more of it', async () => {
    const { server, alice } = await withAlice()
    const bob = await (await connect(server).login('bob')).enter('general')
    await server.rooms.removeMember('general', 'bob')
    await server.rooms.removeMember('general', 'bob')
    alice.say(sendMessage(10, 1, ['without bob']))
    await alice.next('ack')
    expect((await bob.next('room_left')).payload).toEqual({ room: 'general', reason: 'removed' })
    const { length } = bob.frames
    await bob.flush()
    expect(bob.frames.slice(length).join('')).not.toContain('without bob')
    bob.say({ type: 'get_history', payload: { ref: 9, room: 'general' } })
    expect((await bob.next('error')).payload).toMatchObject({ code: 'FORBIDDEN' })
    await expect(server.rooms.removeMember('no-such-room', 'bob')).rejects.toMatchObject({
      code: 'FORBIDDEN',
    })
  })

  it('may lose its owner', async () => {
    const { server, alice } = await withAlice()
    await server.rooms.removeMember('general', 'alice')
    expect((await alice.next('room_left')).payload).toEqual({ room: 'general', reason: 'removed' })
  })
})
