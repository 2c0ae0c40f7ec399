// Messages from end to end: real clients over real sockets against the real server on SQLite. Who was there and who was
// away end with the same view. Nothing waits for time to pass: what must come is awaited.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Client, createClient, type Readable, type Room, type RoomEvents } from '@tautline/client'
import { followThread, reactions, thread, unfollowThread, versions } from '@tautline/client/history'
import { timeline as openTimeline, type Timeline } from '@tautline/client/timeline'
import { createServer, type Hooks, type Server, type ServerOptions, sqlite } from '@tautline/server'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

let folder: string
let server: Server
let clients: Client[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tautline-messages-'))
  clients = []
})

afterEach(async () => {
  for (const client of clients) await client.close()
  await server.close()
  rmSync(folder, { recursive: true, force: true })
})

async function start(hooks?: Hooks, more?: Partial<ServerOptions>): Promise<void> {
  server = await createServer({
    port: 0,
    auth: { verify: (token) => ({ userId: token }) },
    store: sqlite(join(folder, 'chat.db')),
    limits: { messagesPerSecond: 100_000, messageBurst: 100_000 },
    logger: false,
    hooks,
    ...more,
  })
}

function clientOf(userId: string): Client {
  const client = createClient({ url: String(server.url), userId, getToken: () => userId })
  clients.push(client)
  return client
}

/** A device that follows `general`, of which its user is a member. */
async function device(userId: string): Promise<{ client: Client; room: Room; timeline: Timeline }> {
  const client = clientOf(userId)
  await client.connect()
  const room = client.room('general')
  await room.join()
  const timeline = openTimeline(room)
  await until(timeline, ({ isLoading }) => !isLoading)
  return { client, room, timeline }
}

/** Resolves once the snapshot is so. */
function until<T>(readable: Readable<T>, isSo: (snapshot: T) => boolean): Promise<void> {
  return new Promise((resolve) => {
    const stop = readable.subscribe(look)
    function look() {
      if (!isSo(readable.getSnapshot())) return
      stop()
      resolve()
    }
    look()
  })
}

/** The next event of this name. */
function next<E extends keyof RoomEvents>(room: Room, event: E): Promise<RoomEvents[E][0]> {
  return new Promise((resolve) => {
    room.once(event, (...args) => resolve(args[0]))
  })
}

/** What a timeline shows of its messages, but whose reactions are one's own. */
function viewOf({ getSnapshot }: Timeline) {
  return getSnapshot().items.map(({ seq, sender, messageId, body, status, changes }) => ({
    seq,
    sender,
    messageId,
    status,
    changes: changes.length,
    body: { ...body, reactions: body.reactions?.map(({ emoji, count }) => ({ emoji, count })) },
  }))
}

/** Resolves once the timeline shows a message with this content. */
const shows = (timeline: Timeline, content: string) =>
  until(timeline, ({ items }) => items.some((item) => item.content === content && item.seq !== undefined))

describe('two devices and a third that was away', () => {
  it('end with the same view, whichever of it they saw happen', async () => {
    await start()
    const ada = await device('ada')
    const bob = await device('bob')
    const first = ada.room.send({ content: 'has it left?' })
    const wrong = ada.room.send({ content: 'forget this' })
    await wrong
    await shows(bob.timeline, 'forget this')
    const [seenFirst, seenWrong] = bob.timeline.getSnapshot().items
    bob.room.react(seenFirst!, '👍')
    bob.room.react(seenWrong!, '🎉')
    const answer = bob.room.send({ content: 'yes', replyTo: seenFirst })
    await answer

    await bob.client.disconnect()
    ada.room.edit(first, { content: 'has it left yet?', mentions: ['bob'] })
    ada.room.delete(wrong)
    ada.room.react({ sender: 'bob', messageId: answer.messageId }, '❤️')
    ada.room.react(first, '👍')
    ada.room.unreact(first, '👍')
    await ada.room.send({ content: 'last' })
    await shows(ada.timeline, 'last')

    await bob.client.connect()
    await shows(bob.timeline, 'last')
    const late = await device('cy')
    expect(viewOf(bob.timeline)).toEqual(viewOf(ada.timeline))
    expect(viewOf(late.timeline)).toEqual(viewOf(ada.timeline))
    expect(viewOf(ada.timeline).map(({ body }) => body)).toMatchObject([
      {
        content: 'has it left yet?',
        mentions: ['bob'],
        version: 2,
        reactions: [{ emoji: '👍', count: 1 }],
        replyCount: 1,
        lastReply: { sender: 'bob' },
      },
      { kind: 'deleted', content: '' },
      { content: 'yes', replyTo: { sender: 'ada' }, reactions: [{ emoji: '❤️', count: 1 }] },
      { content: 'last' },
    ])
    const target = { sender: 'ada', messageId: first.messageId }
    expect(await thread(late.room, target)).toMatchObject({
      messages: [{ content: 'yes', sender: 'bob' }],
      hasOlder: false,
    })
    expect(await reactions(late.room, target)).toEqual([{ emoji: '👍', count: 1, users: ['bob'] }])
    const own = bob.timeline.getSnapshot().items[0]?.body.reactions
    expect(own).toEqual([{ emoji: '👍', count: 1, own: true }])
  })

  it('agree on what was said and changed while nobody was connected', async () => {
    await start()
    const ada = await device('ada')
    const bob = await device('bob')
    await ada.client.disconnect()
    const sent = ada.room.send({ content: 'frist' })
    ada.room.edit(sent, { content: 'first' })
    ada.room.react(sent, '👍')
    const gone = ada.room.send({ content: 'nothing' })
    ada.room.delete(gone)
    expect(ada.timeline.getSnapshot().items).toMatchObject([
      { content: 'first', status: 'queued', body: { reactions: [{ emoji: '👍', own: true }] } },
      { kind: 'deleted', content: '', status: 'queued' },
    ])
    await ada.client.connect()
    await until(bob.timeline, ({ items }) => items[1]?.kind === 'deleted')
    await until(ada.timeline, ({ items }) => items[1]?.kind === 'deleted' && items[1].changes.length === 0)
    expect(viewOf(ada.timeline)).toEqual(viewOf(bob.timeline))
    expect(viewOf(bob.timeline)).toMatchObject([
      { body: { content: 'first', version: 2, reactions: [{ emoji: '👍', count: 1 }] } },
      { body: { kind: 'deleted', content: '' } },
    ])
  })
})

describe('a change that is refused', () => {
  it('is seen at once, undone, and told with its code', async () => {
    await start()
    const ada = await device('ada')
    const bob = await device('bob')
    const sent = ada.room.send({ content: 'mine' })
    await sent
    await shows(bob.timeline, 'mine')
    const edit = bob.room.edit({ sender: 'ada', messageId: sent.messageId }, { content: 'not yours' })
    expect(bob.timeline.getSnapshot().items[0]).toMatchObject({ content: 'not yours', changes: [edit] })
    await expect(Promise.resolve(edit)).rejects.toMatchObject({ code: 'FORBIDDEN' })
    expect(bob.timeline.getSnapshot().items[0]).toMatchObject({ content: 'mine', changes: [] })
    await ada.room.delete(sent)
    await expect(
      Promise.resolve(bob.room.react(bob.timeline.getSnapshot().items[0]!, '👍')),
    ).rejects.toMatchObject({ code: 'MESSAGE_DELETED' })
  })

  it('may be an edit that a hook does not let pass, or changes', async () => {
    await start({
      onMessage: ({ content }) => (content.includes('rude') ? { content: 'polite' } : undefined),
    })
    const ada = await device('ada')
    const bob = await device('bob')
    const sent = ada.room.send({ content: 'hello' })
    await ada.room.edit(sent, { content: 'rude' })
    await shows(ada.timeline, 'polite')
    await shows(bob.timeline, 'polite')
  })
})

describe('a thread', () => {
  it('is told to who follows it, on every device, until they unfollow', async () => {
    await start()
    const [ada, bob, cy] = [await device('ada'), await device('bob'), await device('cy')]
    const tablet = clientOf('cy')
    await tablet.connect()
    const told: string[] = []
    for (const [name, client] of Object.entries({ ada: ada.client, bob: bob.client, cy: cy.client, tablet }))
      client.on('answered', ({ message, thread: inside, by }) =>
        told.push(`${name}: ${by} at ${message.seq} of ${inside?.seq}`),
      )
    const sent = ada.room.send({ content: 'who comes?' })
    const { seq } = await sent
    const target = { sender: 'ada', messageId: sent.messageId }
    await followThread(cy.room, target)
    expect(await thread(cy.room, target)).toMatchObject({ following: true, messages: [] })
    const first = await bob.room.send({ content: 'I do', replyTo: target })
    const second = await ada.room.send({ content: 'good', replyTo: target })
    await unfollowThread(cy.room, target)
    const third = await bob.room.send({ content: 'and my dog', replyTo: target })
    // What was told before comes before what is told now.
    const named = [cy.client, tablet].map(
      (client) => new Promise((resolve) => client.once('mentioned', resolve)),
    )
    const both = [ada.client, bob.client].map(
      (client) => new Promise((resolve) => client.once('mentioned', resolve)),
    )
    await ada.room.send({ content: 'that is all', mentions: ['cy', 'bob'] })
    await cy.room.send({ content: 'I see', mentions: ['ada'] })
    await Promise.all([...named, ...both])
    expect(told.toSorted()).toEqual(
      [
        `ada: bob at ${first.seq} of ${seq}`,
        `cy: bob at ${first.seq} of ${seq}`,
        `tablet: bob at ${first.seq} of ${seq}`,
        `bob: ada at ${second.seq} of ${seq}`,
        `cy: ada at ${second.seq} of ${seq}`,
        `tablet: ada at ${second.seq} of ${seq}`,
        `ada: bob at ${third.seq} of ${seq}`,
      ].toSorted(),
    )
    await expect(followThread(cy.room, { sender: 'ada', messageId: 'no-message' })).rejects.toMatchObject({
      code: 'FORBIDDEN',
    })
  })
})

describe('the versions of a message', () => {
  it('say what it said before, to who may read it, until it is deleted', async () => {
    await start()
    const ada = await device('ada')
    const bob = await device('bob')
    const sent = ada.room.send({ content: 'frist' })
    await ada.room.edit(sent, { content: 'first' })
    const file = { url: '/first.png', mediaType: 'image/png' }
    await ada.room.edit(sent, { kind: 'image', content: 'the first', file })
    const target = { sender: 'ada', messageId: sent.messageId }
    const { versions: said, hasOlder } = await versions(bob.room, target, { limit: 2 })
    expect(said.map(({ seq, body }) => ({ seq, body }))).toEqual([
      { seq: 5, body: { kind: 'image', content: 'the first', file } },
      { seq: 4, body: { content: 'first' } },
    ])
    expect(hasOlder).toBe(true)
    const older = await versions(bob.room, target, { before: said.at(-1)?.seq })
    expect(older).toMatchObject({ versions: [{ seq: 3, body: { content: 'frist' } }], hasOlder: false })
    const stranger = clientOf('cy')
    await stranger.connect()
    await expect(versions(stranger.room('general'), target)).rejects.toMatchObject({ code: 'FORBIDDEN' })
    await ada.room.delete(sent)
    expect(await versions(bob.room, target)).toEqual({ versions: [], hasOlder: false })
  })

  it('are nobody’s where the server tells nobody', async () => {
    await start(undefined, { messageVersions: false })
    const ada = await device('ada')
    const sent = ada.room.send({ content: 'frist' })
    await ada.room.edit(sent, { content: 'first' })
    await expect(versions(ada.room, sent)).rejects.toMatchObject({ code: 'UNKNOWN_TYPE' })
  })
})

describe('a short name', () => {
  it('is a reaction where the server knows it, and can be taken back where it does not any more', async () => {
    const names = new Set(['party_parrot', '+1'])
    await start(undefined, { reactionNames: (name) => names.has(name) })
    const ada = await device('ada')
    const bob = await device('bob')
    const sent = ada.room.send({ content: 'it works' })
    await sent
    const target = { sender: 'ada', messageId: sent.messageId }
    await bob.room.react(target, ':party_parrot:')
    await ada.room.react(sent, ':party_parrot:')
    const unknown = Promise.resolve(bob.room.react(target, ':shipit:'))
    await expect(unknown).rejects.toMatchObject({ code: 'VALIDATION_ERROR' })
    expect(await reactions(ada.room, sent)).toEqual([
      { emoji: ':party_parrot:', count: 2, users: ['bob', 'ada'] },
    ])
    names.clear()
    await bob.room.unreact(target, ':party_parrot:')
    await until(ada.timeline, ({ items }) => items[0]?.body.reactions?.[0]?.count === 1)
  })
})

describe('a room tells', () => {
  it('of edits, deletions and reactions as they come', async () => {
    await start()
    const ada = await device('ada')
    const bob = await device('bob')
    const sent = ada.room.send({ content: 'a' })
    const target = { seq: (await sent).seq, sender: 'ada', messageId: sent.messageId }
    const edited = next(bob.room, 'edited')
    ada.room.edit(sent, { content: 'b' })
    expect(await edited).toMatchObject({ target, by: 'ada', content: 'b' })
    const added = next(bob.room, 'reaction')
    ada.room.react(sent, '👍')
    expect(await added).toMatchObject({ target, by: 'ada', emoji: '👍', isAdded: true, count: 1 })
    const removed = next(bob.room, 'reaction')
    ada.room.unreact(sent, '👍')
    expect(await removed).toMatchObject({ isAdded: false, count: 0 })
    const deleted = next(bob.room, 'deleted')
    ada.room.delete(sent)
    expect(await deleted).toMatchObject({ target, by: 'ada' })
  })

  it('every kind of message as it was said', async () => {
    await start()
    const ada = await device('ada')
    const bob = await device('bob')
    const file = { url: '/files/1.png', mediaType: 'image/png', name: 'pier.png' }
    const location = { latitude: 53.5, longitude: 9.9 }
    const said = [
      { kind: 'text', content: 'now' },
      { kind: 'image', content: '', file },
      { kind: 'file', content: 'the list', file },
      { kind: 'audio', content: '', file: { ...file, mediaType: 'audio/ogg' } },
      { kind: 'video', content: '', file: { ...file, mediaType: 'video/mp4' } },
      { kind: 'location', content: 'here', location },
      { kind: 'encrypted', content: 'c2VjcmV0', keyId: 'key-7', metadata: { nonce: 1 } },
    ] as const
    for (const content of said) ada.room.send(content)
    await until(bob.timeline, ({ items }) => items.length === said.length)
    expect(bob.timeline.getSnapshot().items.map(({ body }) => body)).toEqual(said)
  })
})

describe('a user', () => {
  it('is told who named and who answered them, also when they were away', async () => {
    await start()
    const ada = await device('ada')
    const bob = await device('bob')
    const own = bob.room.send({ content: 'question' })
    await own
    await bob.client.disconnect()
    const target = { sender: 'bob', messageId: own.messageId }
    const named = ada.room.send({ content: 'look', mentions: ['bob', 'nobody'] })
    const answer = ada.room.send({ content: 'an answer', replyTo: target })
    await answer
    const mentioned = new Promise((resolve) => bob.client.once('mentioned', resolve))
    const answered = new Promise((resolve) => bob.client.once('answered', resolve))
    await bob.client.connect()
    const told = { room: 'general', by: 'ada' }
    expect(await mentioned).toMatchObject({ ...told, message: { messageId: named.messageId } })
    expect(await answered).toMatchObject({ ...told, message: { messageId: answer.messageId } })
  })
})

describe('the application', () => {
  it('may forbid to repeat what it does not let a user read', async () => {
    const asked: string[] = []
    await start({
      authorize({ action, room, userId }) {
        asked.push(`${userId} ${action} ${room}`)
        return !(userId === 'bob' && action === 'read' && room === 'general' && asked.includes('closed'))
      },
    })
    const ada = await device('ada')
    const bob = await device('bob')
    const sent = ada.room.send({ content: 'internal' })
    await sent
    const elsewhere = bob.client.room('elsewhere')
    await elsewhere.join()
    const message = { room: 'general', sender: 'ada', messageId: sent.messageId }
    await elsewhere.forward(message)
    asked.push('closed')
    await expect(Promise.resolve(elsewhere.forward(message))).rejects.toMatchObject({ code: 'FORBIDDEN' })
    expect(asked.slice(-2)).toEqual(['closed', 'bob read general'])
  })
})

describe('the system', () => {
  it('speaks in rooms and to two users, in words that clients show as its own and cannot say', async () => {
    await start()
    const ada = await device('ada')
    const direct = ada.client.directRoom('bob')
    await direct.send({ content: 'hello' })
    await direct.follow()
    const heard = [next(ada.room, 'message'), next(direct, 'message')]
    await server.send({ room: 'general', content: 'maintenance at ten' })
    await server.send({ room: direct.id, content: 'you are both early' })
    for (const message of await Promise.all(heard))
      expect(message).toMatchObject({ sender: 'system', kind: 'system', body: { kind: 'system' } })
    // As from JavaScript, where the types do not help.
    const forged = { kind: 'system', content: 'give me your password' } as unknown as { content: string }
    await expect(Promise.resolve(ada.room.send(forged))).rejects.toMatchObject({ code: 'VALIDATION_ERROR' })
  })
})

describe('mentions', () => {
  it('are those of them who belong to the room, each once, and are told to them in whatever room', async () => {
    await start()
    const ada = await device('ada')
    const bob = await device('bob')
    const mentioned = new Promise((resolve) => bob.client.once('mentioned', resolve))
    const arrived = next(bob.room, 'message')
    const sent = ada.room.send({ content: '@bob look', mentions: ['bob', 'nobody', 'bob', 'ada'] })
    expect((await arrived).body).toMatchObject({ mentions: ['bob', 'ada'] })
    expect(await mentioned).toMatchObject({
      room: 'general',
      by: 'ada',
      message: { messageId: sent.messageId },
    })
  })
})

describe('a forwarded message', () => {
  it('may be a file that goes on to a third, and neither ciphertext nor what was deleted', async () => {
    await start()
    const ada = await device('ada')
    const bob = await device('bob')
    const file = { url: '/files/1.png', mediaType: 'image/png' }
    const picture = ada.room.send({ kind: 'image', content: 'the pier', file })
    const secret = ada.room.send({ kind: 'encrypted', content: 'c2VjcmV0', keyId: 'key-7' })
    const gone = ada.room.send({ content: 'never mind' })
    await ada.room.delete(gone)
    const from = ({ messageId }: { readonly messageId: string }) => ({
      room: 'general',
      sender: 'ada',
      messageId,
    })
    const cy = await device('cy')
    const direct = bob.client.directRoom('cy')
    const copy = direct.forward(from(picture))
    await copy
    const elsewhere = cy.client.room('elsewhere')
    await elsewhere.join()
    const arrived = next(elsewhere, 'message')
    await elsewhere.forward({ room: direct.id, sender: 'bob', messageId: copy.messageId })
    expect((await arrived).body).toMatchObject({
      kind: 'image',
      content: 'the pier',
      file,
      forwardedFrom: { sender: 'ada' },
    })
    await expect(Promise.resolve(direct.forward(from(secret)))).rejects.toMatchObject({
      code: 'VALIDATION_ERROR',
    })
    await expect(Promise.resolve(direct.forward(from(gone)))).rejects.toMatchObject({ code: 'FORBIDDEN' })
  })

  it('says who said it first, in a room where they are not known', async () => {
    await start()
    const ada = await device('ada')
    const bob = await device('bob')
    await ada.room.send({ content: 'pass it on', mentions: ['bob'] })
    await shows(bob.timeline, 'pass it on')
    const elsewhere = bob.client.room('elsewhere')
    await elsewhere.join()
    const arrived = next(elsewhere, 'message')
    await elsewhere.forward({ room: 'general', ...bob.timeline.getSnapshot().items[0]! })
    const { sender, body } = await arrived
    expect({ sender, body }).toMatchObject({
      sender: 'bob',
      body: { content: 'pass it on', forwardedFrom: { sender: 'ada' } },
    })
    expect(body).not.toHaveProperty('mentions')
  })
})
