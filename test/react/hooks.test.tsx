// @vitest-environment jsdom
// What React has beyond what every binding does (test/contracts/binding.ts): Strict Mode, and hydration.

import type { Client, Room } from '@tautline/client'
import { TautlineProvider, useConnection, useMessages, useRoom } from '@tautline/react'
import { act, cleanup, render, screen } from '@testing-library/react'
import { type ReactNode, StrictMode } from 'react'
import { hydrateRoot } from 'react-dom/client'
import { renderToString } from 'react-dom/server'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { countListeners, type LocalServer, startLocalServer } from '../support/local-server.ts'

let server: LocalServer

beforeEach(async () => {
  server = await startLocalServer()
})

afterEach(async () => {
  cleanup()
  await server.close()
})

async function member(userId: string): Promise<{ client: Client; room: Room }> {
  const client = server.client(userId)
  await client.connect()
  const room = client.room('general')
  await room.join()
  return { client, room }
}

function Chat(): ReactNode {
  const { status } = useConnection()
  const { room } = useRoom('general')
  const { items } = useMessages(room)
  return (
    <>
      <p>{status}</p>
      <ol>
        {items.map(({ key, content, status: state }) => (
          <li key={key}>
            {content} ({state})
          </li>
        ))}
      </ol>
    </>
  )
}

const page = (client: Client) => (
  <TautlineProvider client={client}>
    <Chat />
  </TautlineProvider>
)

describe('hooks', () => {
  it('throw where there is no provider', () => {
    expect(() => renderToString(<Chat />)).toThrow('There is no client here')
  })
})

describe('listeners', () => {
  it('are as many under Strict Mode as without it, and gone when everything is unmounted', async () => {
    const { client, room } = await member('alice')
    const count = [countListeners(client), countListeners(room)]
    const counted = () => count.map((each) => each())

    const plain = render(page(client))
    const once = counted()
    expect(once).not.toContain(0)
    plain.unmount()
    expect(counted()).toEqual([0, 0])

    const strict = render(<StrictMode>{page(client)}</StrictMode>)
    await act(async () => void (await room.send({ content: 'one' })))
    expect(screen.queryAllByRole('listitem').map((item) => item.textContent)).toEqual(['one (acknowledged)'])
    expect(counted()).toEqual(once)
    strict.unmount()
    expect(counted()).toEqual([0, 0])
  })
})

describe('rendering on a server', () => {
  it('is taken over by a client that is connected already, without an objection', async () => {
    const { client, room } = await member('alice')
    await room.send({ content: 'hello' })
    const container = document.createElement('div')
    document.body.append(container)
    container.innerHTML = renderToString(page(server.client('alice')))
    const objections: unknown[] = []
    const root = await act(async () =>
      hydrateRoot(container, page(client), { onRecoverableError: (error) => objections.push(error) }),
    )
    await screen.findByText('hello (acknowledged)')
    expect(objections).toEqual([])
    act(() => root.unmount())
    container.remove()
  })
})
