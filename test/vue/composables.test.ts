// @vitest-environment jsdom
// What Vue has beyond what every binding does (test/contracts/binding.ts): an application that provides the client, and
// scopes without a component.

import type { Client, Room } from '@tautline/client'
import { provideTautline, useMessages, useRoom } from '@tautline/vue'
import { enableAutoUnmount, mount } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { defineComponent, effectScope, h } from 'vue'
import { eventually } from '../support/eventually.ts'
import { countListeners, type LocalServer, startLocalServer } from '../support/local-server.ts'

let server: LocalServer

beforeEach(async () => {
  server = await startLocalServer()
})

enableAutoUnmount(afterEach)
afterEach(() => server.close())

async function member(userId: string): Promise<{ client: Client; room: Room }> {
  const client = server.client(userId)
  await client.connect()
  const room = client.room('general')
  await room.join()
  return { client, room }
}

const Chat = defineComponent({
  setup() {
    const { room } = useRoom('general')
    const { items } = useMessages(room)
    return () => items.value.map(({ key, content }) => h('p', { key }, content))
  },
})

describe('the client', () => {
  it('may be provided to a whole application', async () => {
    const { client, room } = await member('alice')
    await room.send({ content: 'hello' })
    const count = countListeners(room)
    const wrapper = mount(Chat, { global: { plugins: [(app) => provideTautline(client, app)] } })
    await eventually(() => expect(wrapper.text()).toBe('hello'))
    wrapper.unmount()
    expect(count()).toBe(0)
  })

  it('is missed with an error that says so', () => {
    const silence = vi.spyOn(console, 'warn').mockImplementation(() => {})
    expect(() => mount(Chat)).toThrow('There is no client here')
    silence.mockRestore()
  })
})

describe('listeners', () => {
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
