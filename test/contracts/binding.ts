// What every binding does, whatever the framework: one suite, called with a way to mount. Each binding brings the same
// views, written in its own way; what they show is text.

import type { Client, Room } from '@tautline/client'
import { calls } from '@tautline/client/calls'
import { extend } from '@tautline/client/extension'
import { notifications } from '@tautline/client/notifications'
import type { SessionOptions } from '@tautline/client/session'
import { handle } from '@tautline/server'
import { calls as callsOfServer } from '@tautline/server/calls'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createFakeRtc } from '../client/calls/fake-peer-connection.ts'
import { eventually as until } from '../support/eventually.ts'
import { jobs } from '../support/jobs.ts'
import { countListeners, type LocalServer, startLocalServer } from '../support/local-server.ts'

/** What the views do when their buttons are pressed, and what a `Socket` is told by. */
export interface ViewProps {
  /** Of the room. Default `general`. */
  readonly id?: string
  readonly pageSize?: number
  readonly users?: readonly string[]
  readonly options?: SessionOptions
  readonly onMessage?: (text: string) => void
  readonly onRender?: () => void
}

/**
 * - `Chat`: useConnection, useRoom and useMessages, all of them
 * - `Status`, `Count`: one field of the connection, of the room
 * - `Typing`, `Unread`, `UnreadRooms`, `People`, `Bell`, `Phone`, `Offers`, `Socket`: useTyping, useUnread, useUnreadRooms, usePresence,
 *   useNotifications, useCalls with useCall, useExtension, useWebSocket
 */
export type ViewName =
  | 'Chat'
  | 'Status'
  | 'Count'
  | 'Typing'
  | 'Unread'
  | 'UnreadRooms'
  | 'People'
  | 'Bell'
  | 'Phone'
  | 'Offers'
  | 'Socket'

export interface Shown {
  readonly element: HTMLElement
  update(props: ViewProps): void
  unmount(): void
}

export interface Binding {
  /** Below a provider of this client, if there is one. */
  mount(view: ViewName, client: Client | undefined, props?: ViewProps): Shown
  renderToString(view: ViewName, client: Client, props?: ViewProps): Promise<string>
}

export function describeBinding(name: string, binding: Binding): void {
  describe(name, () => {
    let server: LocalServer
    const mounted: Shown[] = []

    beforeEach(async () => {
      server = await startLocalServer({
        extensions: [handle(jobs, { get_job: () => ({ title: 'Painter' }) }), callsOfServer()],
      })
    })

    afterEach(async () => {
      for (const shown of mounted.splice(0)) shown.unmount()
      await server.close()
    })

    async function member(userId: string, room = 'general'): Promise<{ client: Client; room: Room }> {
      const client = server.client(userId)
      await client.connect()
      await client.room(room).join()
      return { client, room: client.room(room) }
    }

    function mount(view: ViewName, client: Client | undefined, props: ViewProps = {}): Shown {
      const shown = binding.mount(view, client, props)
      mounted.push(shown)
      return shown
    }

    const toShow = (shown: Shown, text: string) =>
      until(() => expect(shown.element.textContent).toContain(text))
    const items = (shown: Shown) =>
      Array.from(shown.element.querySelectorAll('li'), (item) => item.textContent)
    function press(shown: Shown, label: string): void {
      for (const button of shown.element.querySelectorAll('button'))
        if (button.textContent === label) return button.click()
      throw new Error(`there is no button ${label}`)
    }

    describe('useConnection and useRoom', () => {
      it('show the connection, the room and who is there', async () => {
        const alice = await member('alice')
        await member('bob')
        const chat = mount('Chat', alice.client)
        await toShow(chat, 'connected, 0 queued')
        await toShow(chat, 'general: live; here: alice bob')
      })

      it('neither connect nor join by themselves', async () => {
        const client = server.client('alice')
        const chat = mount('Chat', client)
        await toShow(chat, 'idle, 0 queued')
        await toShow(chat, 'general: idle; here: ')
        await client.connect()
        await toShow(chat, 'connected, 0 queued')
        await toShow(chat, 'general: idle; here: ')
        expect((await client.rooms.list()).rooms).toEqual([])
      })

      it('render again for what is shown alone', async () => {
        const alice = await member('alice')
        const bob = await member('bob')
        const renders = { Status: 0, Count: 0, Typing: 0, Unread: 0 }
        const count = (view: keyof typeof renders) =>
          mount(view, alice.client, { onRender: () => void renders[view]++ })
        const [status, , typing, unread] = [count('Status'), count('Count'), count('Typing'), count('Unread')]
        await toShow(status, 'connected')
        await toShow(unread, '0 unread')
        const told = { connection: 0, room: 0 }
        alice.client.subscribe(() => void told.connection++)
        alice.room.subscribe(() => void told.room++)

        const first = { ...renders }
        for (let n = 0; n < 10; n++) await bob.room.send({ content: `message ${n}` })
        await toShow(unread, '10 unread')
        expect({ ...renders, Unread: 0 }).toEqual({ ...first, Unread: 0 })
        expect(renders.Unread - first.Unread).toBeGreaterThan(0)

        const second = { ...renders }
        bob.room.typing()
        await toShow(typing, 'typing: bob')
        expect({ ...renders, Typing: 0 }).toEqual({ ...second, Typing: 0 })
        expect(renders.Typing - second.Typing).toBeGreaterThan(0)

        const third = { ...renders }
        await alice.room.send({ content: 'read all of it' })
        await toShow(unread, '0 unread')
        expect({ ...renders, Unread: 0 }).toEqual({ ...third, Unread: 0 })
        expect(told.connection).toBeGreaterThan(0)
        expect(told.room).toBeGreaterThan(10)
      })
    })

    describe('useMessages', () => {
      it('shows history and live messages', async () => {
        const alice = await member('alice')
        const bob = await member('bob')
        await bob.room.send({ content: 'before' })
        const chat = mount('Chat', alice.client)
        await toShow(chat, 'bob: before (acknowledged with a place)')
        bob.room.send({ content: 'live' })
        await toShow(chat, 'bob: live (acknowledged with a place)')
        expect(items(chat)).toHaveLength(2)
      })

      it('shows an own message at once and keeps its element until it is acknowledged', async () => {
        const alice = await member('alice')
        const chat = mount('Chat', alice.client)
        await toShow(chat, 'connected')
        server.hold()
        alice.room.send({ content: 'hello' })
        await toShow(chat, 'alice: hello (sent)')
        await toShow(chat, 'connected, 1 queued')
        const element = chat.element.querySelector('li')
        server.release()
        await toShow(chat, 'alice: hello (acknowledged with a place)')
        expect(chat.element.querySelector('li')).toBe(element)
      })

      it('shows what was written without a connection', async () => {
        const alice = await member('alice')
        const chat = mount('Chat', alice.client)
        await toShow(chat, 'connected')
        await alice.client.disconnect()
        alice.room.send({ content: 'later' })
        await toShow(chat, 'alice: later (queued)')
        await alice.client.connect()
        await toShow(chat, 'alice: later (acknowledged with a place)')
      })

      it('loads older pages', async () => {
        const alice = await member('alice')
        const texts = Array.from({ length: 5 }, (_, n) => `m${n}`)
        for (const content of texts) await alice.room.send({ content })
        const chat = mount('Chat', alice.client, { pageSize: 2 })
        await until(() => expect(items(chat)).toHaveLength(2))
        for (const length of [4, 5]) {
          press(chat, 'older')
          await until(() => expect(items(chat)).toHaveLength(length))
        }
        expect(items(chat)).toEqual(texts.map((text) => `alice: ${text} (acknowledged with a place)`))
      })

      it('begins anew with another room', async () => {
        const alice = await member('alice')
        const tea = alice.client.room('tea')
        await tea.join()
        await alice.room.send({ content: 'in general' })
        await tea.send({ content: 'in tea' })
        const count = countListeners(alice.room)
        const chat = mount('Chat', alice.client, { id: 'general' })
        await toShow(chat, 'in general')
        chat.update({ id: 'tea' })
        await toShow(chat, 'in tea')
        expect(chat.element.textContent).not.toContain('in general')
        await until(() => expect(count()).toBe(0))
      })
    })

    describe('useTyping', () => {
      it('shows who types, and tells the others that we do, until we stop', async () => {
        const alice = await member('alice')
        const bob = await member('bob')
        const typing = mount('Typing', alice.client)
        bob.room.typing()
        await toShow(typing, 'typing: bob')
        bob.room.typing(false)
        await until(() => expect(typing.element.textContent).not.toContain('bob'))
        press(typing, 'start')
        await until(() => expect(bob.room.getSnapshot().typing).toEqual(['alice']))
        press(typing, 'stop')
        await until(() => expect(bob.room.getSnapshot().typing).toEqual([]))
      })
    })

    describe('useUnread', () => {
      it('counts what others said, until it is read', async () => {
        const alice = await member('alice')
        const bob = await member('bob')
        const unread = mount('Unread', alice.client)
        await bob.room.send({ content: 'one' })
        const { seq } = await bob.room.send({ content: 'two' })
        await toShow(unread, '2 unread')
        await alice.room.markRead(seq)
        await toShow(unread, '0 unread')
      })
    })

    describe('useUnreadRooms', () => {
      it('counts what others said in all rooms', async () => {
        const alice = await member('alice')
        const bob = await member('bob')
        const all = mount('UnreadRooms', alice.client)
        await bob.room.send({ content: 'one' })
        const { seq } = await bob.room.send({ content: 'two' })
        await toShow(all, '2 in all: general 2')
        await alice.room.markRead(seq)
        await toShow(all, '0 in all')
      })
    })

    describe('usePresence', () => {
      it('watches each user once, for as long as somebody shows them', async () => {
        const alice = await member('alice')
        const bob = await member('bob')
        const asked: string[] = []
        const { request } = alice.client.port
        alice.client.port.request = (message) => {
          asked.push(message.type)
          return request(message)
        }
        const two = [mount('People', alice.client, { users: ['bob'] })]
        two.push(mount('People', alice.client, { users: ['bob'] }))
        for (const people of two) await toShow(people, 'bob is online')
        expect(asked).toEqual(['subscribe_presence'])
        two[0]?.unmount()
        two[1]?.update({ users: ['bob'] })
        await bob.client.close()
        if (two[1]) await toShow(two[1], 'bob is online')
        expect(asked).toEqual(['subscribe_presence'])
        two[1]?.unmount()
        await until(() => expect(asked).toEqual(['subscribe_presence', 'unsubscribe_presence']))
      })

      it('watches others when the list says others', async () => {
        const alice = await member('alice')
        await member('bob')
        await member('carol')
        const people = mount('People', alice.client, { users: ['bob'] })
        await toShow(people, 'bob is online')
        people.update({ users: ['carol'] })
        await toShow(people, 'carol is online')
        expect(people.element.textContent).not.toContain('bob')
      })
    })

    describe('useNotifications', () => {
      it('shows them, and what was read', async () => {
        const alice = await member('alice')
        const bob = await member('bob')
        const bell = mount('Bell', alice.client)
        await toShow(bell, '0 unread, loaded')
        await bob.room.send({ content: 'look, alice', mentions: ['alice'] })
        await toShow(bell, '1 unread, loaded')
        expect(items(bell)).toEqual(['mention by bob'])
        press(bell, 'read all')
        await toShow(bell, '0 unread')
        press(bell, 'clear all')
        await until(() => expect(items(bell)).toEqual([]))
      })

      it('stop listening with the last component, and stay for the next', async () => {
        const alice = await member('alice')
        const bob = await member('bob')
        const count = countListeners(notifications(alice.client))
        const bell = mount('Bell', alice.client)
        await bob.room.send({ content: 'look, alice', mentions: ['alice'] })
        await toShow(bell, '1 unread')
        expect(count()).toBe(1)
        bell.unmount()
        await until(() => expect(count()).toBe(0))
        const seen: string[] = []
        const again = mount('Bell', alice.client, { onMessage: (text) => void seen.push(text) })
        await toShow(again, '1 unread')
        expect(seen.join()).not.toContain('0 unread')
      })
    })

    describe('useCalls and useCall', () => {
      it('show a call that rings, and that it is over', async () => {
        const alice = await member('alice')
        const bob = await member('bob')
        const phone = mount('Phone', alice.client)
        await toShow(phone, 'no call')
        const call = calls(bob.client, createFakeRtc()).start({ to: 'alice' })
        await toShow(phone, 'ringing, by bob')
        press(phone, 'reject')
        await toShow(phone, 'no call')
        await until(() => expect(call.getSnapshot()).toMatchObject({ status: 'ended', reason: 'rejected' }))
      })
    })

    describe('useExtension', () => {
      it('hears messages of the application’s own, each once', async () => {
        const alice = await member('alice')
        const bob = await member('bob')
        const offers = mount('Offers', alice.client)
        await toShow(offers, 'offers:')
        const sayer = extend(bob.client, jobs).room('general')
        for (const jobId of ['j17', 'j18']) await sayer.send('job_offer', { jobId, rate: 1 })
        await until(() => expect(offers.element.textContent).toBe('offers: j17 j18'))
      })
    })

    describe('useWebSocket', () => {
      const options = (more: Partial<SessionOptions> = {}): SessionOptions => ({
        transport: server.transport,
        token: 'alice',
        userId: 'alice',
        backoff: { minMs: 1, baseMs: 1, capMs: 1 },
        ...more,
      })

      it('connects, joins what it is told to, says and hears', async () => {
        const bob = await member('bob')
        const heard: string[] = []
        bob.room.on('message', ({ sender, content }) => heard.push(`${sender}: ${content}`))
        const got: string[] = []
        const socket = mount('Socket', undefined, {
          options: options(),
          onMessage: (text) => void got.push(text),
        })
        await toShow(socket, 'connected')
        expect(bob.room.getSnapshot().users.has('alice')).toBe(false)
        press(socket, 'join')
        await until(() => expect(bob.room.getSnapshot().users.has('alice')).toBe(true))
        press(socket, 'type')
        await until(() => expect(bob.room.getSnapshot().typing).toEqual(['alice']))
        press(socket, 'stop')
        await until(() => expect(bob.room.getSnapshot().typing).toEqual([]))
        press(socket, 'send')
        await until(() => expect(heard).toEqual(['alice: hello']))
        await bob.room.send({ content: 'hello alice' })
        await until(() => expect(got).toEqual(['general alice: hello', 'general bob: hello alice']))
        press(socket, 'leave')
        await until(() => expect(bob.room.getSnapshot().users.has('alice')).toBe(false))
      })

      it('waits where it is told to, and for a token', async () => {
        const told: string[] = []
        const onConnect = ({ userId }: { userId: string }) => void told.push(userId)
        const waiting = mount('Socket', undefined, { options: options({ autoConnect: false, onConnect }) })
        await toShow(waiting, 'not connected')
        press(waiting, 'connect')
        await toShow(waiting, 'connected as alice')
        const bob = { userId: 'bob', onConnect }
        const later = mount('Socket', undefined, { options: options({ ...bob, token: undefined }) })
        await toShow(later, 'not connected')
        expect(told).toEqual(['alice'])
        later.update({ options: options({ ...bob, token: 'bob' }) })
        await toShow(later, 'connected as bob')
        expect(told).toEqual(['alice', 'bob'])
      })

      it('says that it reconnects, and what the last callbacks are for', async () => {
        const told: string[] = []
        const socket = mount('Socket', undefined, {
          options: options({ onConnect: () => void told.push('not this one') }),
        })
        await toShow(socket, 'connected as alice')
        told.length = 0
        socket.update({
          id: 'kitchen',
          options: options({
            onConnect: () => void told.push('connected'),
            onDisconnect: () => void told.push('lost'),
          }),
        })
        await toShow(socket, 'for kitchen')
        server.cut()
        await until(() => expect(told).toEqual(['lost', 'connected']))
        await toShow(socket, 'connected as alice')
      })

      it('says why it stopped, and tries again with another token', async () => {
        const errors: string[] = []
        const refused = { onError: ({ code }: { code: string }) => void errors.push(code) }
        const socket = mount('Socket', undefined, { options: options({ ...refused, token: 'mallory' }) })
        await toShow(socket, 'not connected because of IDENTITY_MISMATCH')
        expect(errors).toEqual(['IDENTITY_MISMATCH'])
        socket.update({ options: options(refused) })
        await toShow(socket, 'connected as alice')
      })

      it('is another client for another user', async () => {
        const told: string[] = []
        const onDisconnect = () => void told.push('lost')
        const socket = mount('Socket', undefined, { options: options({ onDisconnect }) })
        await toShow(socket, 'connected as alice')
        socket.update({ options: options({ token: 'bob', userId: 'bob', onDisconnect }) })
        await toShow(socket, 'connected as bob')
        await until(() => expect(server.openConnections()).toBe(1))
        expect(told).toEqual([])
      })

      it('leaves nothing open when it goes', async () => {
        const socket = mount('Socket', undefined, { options: options() })
        await toShow(socket, 'connected as alice')
        expect(server.openConnections()).toBe(1)
        socket.unmount()
        await until(() => expect(server.openConnections()).toBe(0))
      })
    })

    describe('listeners', () => {
      it('are as many after a hundred renders as after one, and gone with the component', async () => {
        const { client, room } = await member('alice')
        const counts = [countListeners(client), countListeners(room)]
        const counted = () => counts.map((count) => count())
        const views = (['Chat', 'Status', 'Count', 'Typing', 'Unread'] as const).map((view) =>
          mount(view, client),
        )
        for (const view of views) await until(() => expect(view.element.textContent).not.toBe(''))
        await until(() => expect(counted()).not.toContain(0))
        await room.send({ content: 'hello' })
        const once = counted()
        const renderOf = (view: Shown) =>
          new Promise<void>((resolve) => view.update({ onRender: () => resolve() }))
        for (let n = 0; n < 100; n++) await Promise.all(views.map(renderOf))
        await until(() => expect(counted()).toEqual(once))
        for (const view of views) view.unmount()
        await until(() => expect(counted()).toEqual([0, 0]))
      })
    })

    describe('rendering on a server', () => {
      it('listens to nothing, and opens nothing', async () => {
        const { client, room } = await member('alice')
        const counts = [countListeners(client), countListeners(room)]
        const asked: string[] = []
        const { request } = client.port
        client.port.request = (message) => {
          asked.push(message.type)
          return request(message)
        }
        for (const view of [
          'Chat',
          'Status',
          'Count',
          'Typing',
          'Unread',
          'People',
          'Bell',
          'Phone',
          'UnreadRooms',
        ] as const)
          expect(await binding.renderToString(view, client, { users: ['bob'] }), view).toContain('<')
        const before = server.openConnections()
        const options = { transport: server.transport, token: 'bob', userId: 'bob' }
        expect(await binding.renderToString('Socket', client, { options })).toContain('not connected')
        expect(counts.map((count) => count())).toEqual([0, 0])
        expect(asked).toEqual([])
        expect(server.openConnections()).toBe(before)
      })
    })
  })
}
