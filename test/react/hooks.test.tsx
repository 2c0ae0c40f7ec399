// @vitest-environment jsdom
import type { Client, Room } from '@tautline/client'
import { extend } from '@tautline/client/extension'
import { TautlineProvider, useConnection, useExtension, useMessages, useRoom } from '@tautline/react'
import { handle } from '@tautline/server'
import { act, cleanup, render, screen, waitFor } from '@testing-library/react'
import { type ReactNode, StrictMode, useEffect, useState } from 'react'
import { hydrateRoot } from 'react-dom/client'
import { renderToString } from 'react-dom/server'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { jobs } from '../support/jobs.ts'
import { countListeners, type LocalServer, startLocalServer } from '../support/local-server.ts'

let server: LocalServer

beforeEach(async () => {
  server = await startLocalServer({ extensions: [handle(jobs, { get_job: () => ({ title: 'Painter' }) })] })
})

afterEach(async () => {
  cleanup()
  await server.close()
})

async function member(userId: string, room = 'general'): Promise<{ client: Client; room: Room }> {
  const client = server.client(userId)
  await client.connect()
  await client.room(room).join()
  return { client, room: client.room(room) }
}

function Chat({ id = 'general', pageSize }: { id?: string; pageSize?: number }): ReactNode {
  const { status, queued } = useConnection()
  const { room, phase, users, typing } = useRoom(id)
  const { items, hasOlder, loadOlder } = useMessages(room, { pageSize })
  return (
    <>
      <p>
        {status}, {queued} queued
      </p>
      <p>
        {room.id}: {phase}; here: {[...users.keys()].join(' ')}; typing: {typing.join(' ')}
      </p>
      <ol>
        {items.map(({ key, sender, content, status: state, seq }) => (
          <li key={key}>
            {sender}: {content} ({state}
            {seq === undefined ? '' : ' with a place'})
          </li>
        ))}
      </ol>
      {hasOlder && (
        <button type="button" onClick={() => void loadOlder()}>
          older
        </button>
      )}
    </>
  )
}

const mount = (client: Client, node: ReactNode = <Chat />) =>
  render(<TautlineProvider client={client}>{node}</TautlineProvider>)

const shown = () => screen.queryAllByRole('listitem').map((item) => item.textContent)

function Board(): ReactNode {
  const app = useExtension(jobs)
  const [offers, setOffers] = useState<readonly string[]>([])
  useEffect(
    () => app.room('general').on('job_offer', ({ payload }) => setOffers((all) => [...all, payload.jobId])),
    [app],
  )
  return <p>offers: {offers.join(' ')}</p>
}

describe('useExtension', () => {
  it('hears and says messages of the application’s own, each once', async () => {
    const alice = await member('alice')
    const bob = await member('bob')
    mount(
      alice.client,
      <StrictMode>
        <Board />
      </StrictMode>,
    )
    const sayer = extend(bob.client, jobs).room('general')
    await act(async () => {
      for (const jobId of ['j17', 'j18']) await sayer.send('job_offer', { jobId, rate: 1 })
    })
    await screen.findByText('offers: j17 j18')
  })
})

describe('useConnection and useRoom', () => {
  it('show the connection, the room and who is there', async () => {
    const alice = await member('alice')
    await member('bob')
    mount(alice.client)
    await screen.findByText('connected, 0 queued')
    await screen.findByText('general: live; here: alice bob; typing:')
  })

  it('show who types', async () => {
    const alice = await member('alice')
    const bob = await member('bob')
    mount(alice.client)
    act(() => bob.room.typing())
    await screen.findByText(/typing: bob/)
  })

  it('neither connect nor join by themselves', () => {
    const client = server.client('alice')
    mount(client)
    screen.getByText('idle, 0 queued')
    screen.getByText('general: idle; here: ; typing:')
  })

  it('throw where there is no provider', () => {
    expect(() => renderToString(<Chat />)).toThrow('There is no client here')
  })
})

describe('useMessages', () => {
  it('shows history and live messages', async () => {
    const alice = await member('alice')
    const bob = await member('bob')
    await bob.room.send({ content: 'before' })
    mount(alice.client)
    await screen.findByText('bob: before (acknowledged with a place)')
    bob.room.send({ content: 'live' })
    await screen.findByText('bob: live (acknowledged with a place)')
    expect(shown()).toHaveLength(2)
  })

  it('shows an own message at once and keeps its element until it is acknowledged', async () => {
    const alice = await member('alice')
    mount(alice.client)
    await screen.findByText('connected, 0 queued')
    server.hold()
    act(() => void alice.room.send({ content: 'hello' }))
    const element = screen.getByText('alice: hello (queued)')
    screen.getByText('connected, 1 queued')
    // It goes out at the end of the turn.
    await screen.findByText('alice: hello (sent)')
    expect(screen.getByRole('listitem')).toBe(element)
    server.release()
    await screen.findByText('alice: hello (acknowledged with a place)')
    expect(screen.getByRole('listitem')).toBe(element)
  })

  it('shows what was written without a connection', async () => {
    const alice = await member('alice')
    mount(alice.client)
    await act(() => alice.client.disconnect())
    act(() => void alice.room.send({ content: 'later' }))
    screen.getByText('alice: later (queued)')
    await act(() => alice.client.connect())
    await screen.findByText('alice: later (acknowledged with a place)')
  })

  it('loads older pages', async () => {
    const alice = await member('alice')
    const texts = Array.from({ length: 5 }, (_, n) => `m${n}`)
    for (const content of texts) await alice.room.send({ content })
    mount(alice.client, <Chat pageSize={2} />)
    await waitFor(() => expect(shown()).toHaveLength(2))
    for (let pages = 0; pages < 9 && screen.queryByRole('button'); pages++) {
      await act(async () => screen.getByRole('button').click())
    }
    await waitFor(() =>
      expect(shown()).toEqual(texts.map((text) => `alice: ${text} (acknowledged with a place)`)),
    )
  })

  it('begins anew with another room', async () => {
    const alice = await member('alice')
    const tea = alice.client.room('tea')
    await tea.join()
    await alice.room.send({ content: 'in general' })
    await tea.send({ content: 'in tea' })
    const { rerender } = mount(alice.client)
    await screen.findByText(/in general/)
    rerender(
      <TautlineProvider client={alice.client}>
        <Chat id="tea" />
      </TautlineProvider>,
    )
    expect(screen.queryByText(/in general/)).toBeNull()
    await screen.findByText(/in tea/)
  })
})

describe('listeners', () => {
  it('are as many under Strict Mode as without it, and gone when everything is unmounted', async () => {
    const { client, room } = await member('alice')
    const count = [countListeners(client), countListeners(room)]
    const counted = () => count.map((each) => each())

    const plain = mount(client)
    const once = counted()
    expect(once).not.toContain(0)
    plain.unmount()
    expect(counted()).toEqual([0, 0])

    const strict = mount(
      client,
      <StrictMode>
        <Chat />
      </StrictMode>,
    )
    await act(async () => void (await room.send({ content: 'one' })))
    expect(shown()).toEqual(['alice: one (acknowledged with a place)'])
    expect(counted()).toEqual(once)
    strict.unmount()
    expect(counted()).toEqual([0, 0])
  })

  it('are as many after a hundred renders as after one', async () => {
    const { client, room } = await member('alice')
    const count = countListeners(room)
    const { rerender } = mount(client)
    const before = count()
    for (let n = 0; n < 100; n++) {
      rerender(
        <TautlineProvider client={client}>
          <Chat />
        </TautlineProvider>,
      )
    }
    expect(before).toBeGreaterThan(0)
    expect(count()).toBe(before)
  })
})

describe('rendering on a server', () => {
  const page = (client: Client) => (
    <TautlineProvider client={client}>
      <Chat />
    </TautlineProvider>
  )

  it('shows the state before the first connection, and listens to nothing', async () => {
    const { client, room } = await member('alice')
    const counts = [countListeners(client), countListeners(room)]
    expect(renderToString(page(client))).toContain('idle')
    expect(counts.map((count) => count())).toEqual([0, 0])
  })

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
    await screen.findByText('alice: hello (acknowledged with a place)')
    expect(objections).toEqual([])
    act(() => root.unmount())
    container.remove()
  })
})
