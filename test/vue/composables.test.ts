// @vitest-environment jsdom
import type { Client, Room } from '@tautline/client'
import { extend } from '@tautline/client/extension'
import { handle } from '@tautline/server'
import { provideTautline, useConnection, useExtension, useMessages, useRoom } from '@tautline/vue'
import { enableAutoUnmount, flushPromises, mount } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createSSRApp, defineComponent, effectScope, h, nextTick, onScopeDispose, ref } from 'vue'
import { renderToString } from 'vue/server-renderer'
import { jobs } from '../support/jobs.ts'
import { countListeners, type LocalServer, startLocalServer } from '../support/local-server.ts'

let server: LocalServer

beforeEach(async () => {
  server = await startLocalServer({ extensions: [handle(jobs, { get_job: () => ({ title: 'Painter' }) })] })
})

enableAutoUnmount(afterEach)
afterEach(() => server.close())

async function member(userId: string, room = 'general'): Promise<{ client: Client; room: Room }> {
  const client = server.client(userId)
  await client.connect()
  await client.room(room).join()
  return { client, room: client.room(room) }
}

const Chat = defineComponent({
  props: { id: { type: String, default: 'general' }, pageSize: { type: Number, default: 50 } },
  setup(props) {
    const { status, queued } = useConnection()
    const { room, phase, users, typing } = useRoom(() => props.id)
    const { items, hasOlder, loadOlder } = useMessages(room, { pageSize: props.pageSize })
    return () => [
      h('p', `${status.value}, ${queued.value} queued`),
      h(
        'p',
        `${room.value.id}: ${phase.value}; here: ${[...users.value.keys()].join(' ')}; typing: ${typing.value.join(' ')}`,
      ),
      h(
        'ol',
        items.value.map(({ key, sender, content, status: state, seq }) =>
          h('li', { key }, `${sender}: ${content} (${state}${seq === undefined ? '' : ' with a place'})`),
        ),
      ),
      hasOlder.value ? h('button', { onClick: loadOlder }, 'older') : undefined,
    ]
  },
})

const page = (client: Client, props: object = {}) =>
  defineComponent({
    setup() {
      provideTautline(client)
      return () => h(Chat, props)
    },
  })

const mountChat = (client: Client, props: object = {}) => mount(page(client, props))
type Wrapper = ReturnType<typeof mountChat>

const Board = defineComponent({
  setup() {
    const app = useExtension(jobs)
    const offers = ref<string[]>([])
    onScopeDispose(app.room('general').on('job_offer', ({ payload }) => offers.value.push(payload.jobId)))
    return () => h('p', `offers: ${offers.value.join(' ')}`)
  },
})

const shown = (wrapper: Wrapper) => wrapper.findAll('li').map((item) => item.text())
const toShow = (wrapper: Wrapper, text: string) =>
  vi.waitFor(() => expect(wrapper.text()).toContain(text), { interval: 5 })

describe('useExtension', () => {
  it('hears and says messages of the application’s own, each once', async () => {
    const alice = await member('alice')
    const bob = await member('bob')
    const wrapper = mount(
      defineComponent({
        setup() {
          provideTautline(alice.client)
          return () => h(Board)
        },
      }),
    )
    const sayer = extend(bob.client, jobs).room('general')
    for (const jobId of ['j17', 'j18']) await sayer.send('job_offer', { jobId, rate: 1 })
    await vi.waitFor(() => expect(wrapper.text()).toBe('offers: j17 j18'))
  })
})

describe('useConnection and useRoom', () => {
  it('show the connection, the room and who is there', async () => {
    const alice = await member('alice')
    await member('bob')
    const wrapper = mountChat(alice.client)
    await toShow(wrapper, 'connected, 0 queued')
    await toShow(wrapper, 'general: live; here: alice bob; typing:')
  })

  it('show who types', async () => {
    const alice = await member('alice')
    const bob = await member('bob')
    const wrapper = mountChat(alice.client)
    bob.room.typing()
    await toShow(wrapper, 'typing: bob')
  })

  it('neither connect nor join by themselves', () => {
    const wrapper = mountChat(server.client('alice'))
    expect(wrapper.text()).toContain('idle, 0 queued')
    expect(wrapper.text()).toContain('general: idle; here: ; typing:')
  })

  it('throw where no client was provided', () => {
    const silence = vi.spyOn(console, 'warn').mockImplementation(() => {})
    expect(() => mount(Chat)).toThrow('There is no client here')
    silence.mockRestore()
  })
})

describe('useMessages', () => {
  it('shows history and live messages', async () => {
    const alice = await member('alice')
    const bob = await member('bob')
    await bob.room.send({ content: 'before' })
    const wrapper = mountChat(alice.client)
    await toShow(wrapper, 'bob: before (acknowledged with a place)')
    bob.room.send({ content: 'live' })
    await toShow(wrapper, 'bob: live (acknowledged with a place)')
    expect(shown(wrapper)).toHaveLength(2)
  })

  it('shows an own message at once and keeps its element until it is acknowledged', async () => {
    const alice = await member('alice')
    const wrapper = mountChat(alice.client)
    await toShow(wrapper, 'connected')
    server.hold()
    alice.room.send({ content: 'hello' })
    await nextTick()
    expect(shown(wrapper)).toEqual(['alice: hello (sent)'])
    expect(wrapper.text()).toContain('connected, 1 queued')
    const { element } = wrapper.get('li')
    server.release()
    await toShow(wrapper, 'alice: hello (acknowledged with a place)')
    expect(wrapper.get('li').element).toBe(element)
  })

  it('loads older pages', async () => {
    const alice = await member('alice')
    const texts = Array.from({ length: 5 }, (_, n) => `m${n}`)
    for (const content of texts) await alice.room.send({ content })
    const wrapper = mountChat(alice.client, { pageSize: 2 })
    await vi.waitFor(() => expect(shown(wrapper)).toHaveLength(2))
    for (let pages = 0; pages < 9 && wrapper.find('button').exists(); pages++) {
      await wrapper.get('button').trigger('click')
      await flushPromises()
    }
    await vi.waitFor(() =>
      expect(shown(wrapper)).toEqual(texts.map((text) => `alice: ${text} (acknowledged with a place)`)),
    )
  })

  it('begins anew with another room', async () => {
    const alice = await member('alice')
    const tea = alice.client.room('tea')
    await tea.join()
    await alice.room.send({ content: 'in general' })
    await tea.send({ content: 'in tea' })
    const count = countListeners(alice.room)
    const wrapper = mount(Chat, {
      global: { plugins: [(app) => provideTautline(alice.client, app)] },
      props: { id: 'general' },
    })
    await vi.waitFor(() => expect(wrapper.text()).toContain('in general'))
    await wrapper.setProps({ id: 'tea' })
    expect(wrapper.text()).not.toContain('in general')
    await vi.waitFor(() => expect(wrapper.text()).toContain('in tea'))
    expect(count()).toBe(0)
  })
})

describe('listeners', () => {
  it('are gone when the component is', async () => {
    const { client, room } = await member('alice')
    const counts = [countListeners(client), countListeners(room)]
    const wrapper = mountChat(client)
    expect(counts.map((count) => count())).not.toContain(0)
    wrapper.unmount()
    expect(counts.map((count) => count())).toEqual([0, 0])
  })

  it('are gone when a scope without a component is', async () => {
    const { room } = await member('alice')
    const count = countListeners(room)
    const scope = effectScope()
    const messages = scope.run(() => useMessages(room))
    await room.send({ content: 'hello' })
    expect(messages?.items.value.map(({ content }) => content)).toEqual(['hello'])
    scope.stop()
    expect(count()).toBe(0)
  })
})

describe('rendering on a server', () => {
  it('shows the state and listens to nothing', async () => {
    const { client, room } = await member('alice')
    const counts = [countListeners(client), countListeners(room)]
    expect(await renderToString(createSSRApp(page(client)))).toContain('connected')
    expect(counts.map((count) => count())).toEqual([0, 0])
  })
})
