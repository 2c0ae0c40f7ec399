// @vitest-environment jsdom
// What the page says by itself stays true while nobody does anything: without a connection, of times, of what waits.

import { type Client, type ClientOptions, durable } from '@tautline/client'
import { memoryStore } from '@tautline/client/memory'
import { TautlineProvider } from '@tautline/react'
import { createServer, memory, type Server } from '@tautline/server'
import { act, cleanup, fireEvent, render, screen } from '@testing-library/react'
import type { ReactNode } from 'react'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { NotificationsMenu } from '../../packages/demo/src/notifications-menu.tsx'
import { OfflineBanner } from '../../packages/demo/src/offline-banner.tsx'
import { SignOut } from '../../packages/demo/src/sign-out.tsx'
import { type LocalServer, localClients } from '../support/local-server.ts'

// jsdom has none.
HTMLDialogElement.prototype.showModal = function showModal(this: HTMLDialogElement) {
  this.open = true
}

let server: Server
let local: LocalServer

beforeEach(async () => {
  server = await createServer({ auth: { verify: (userId) => ({ userId }) }, store: memory(), logger: false })
  local = localClients(server)
})

afterEach(async () => {
  vi.useRealTimers()
  cleanup()
  await local.close()
  await server.close()
})

async function show(page: ReactNode, options: Partial<ClientOptions> = {}): Promise<Client> {
  const client = local.client('alice', options)
  await client.connect()
  render(<TautlineProvider client={client}>{page}</TautlineProvider>)
  return client
}

describe('without a connection', () => {
  it('an attempt that fails as the one before is announced to nobody, but seen', async () => {
    let isThere = true
    const attempts: (() => void)[] = []
    const client = await show(<OfflineBanner />, {
      transport: (events) => {
        if (isThere) return local.transport(events)
        attempts.push(() => events.onClose(1006, ''))
        return { send() {}, close() {} }
      },
    })
    isThere = false
    act(() => local.cut())
    const announced = screen.getByRole('status')
    await vi.waitFor(() => expect(announced.textContent).toMatch(/^No connection/))
    const said = announced.textContent

    act(() => void client.connect().catch(() => {}))
    await screen.findByText('trying to connect …')
    expect(announced.textContent).toBe(said)
    await vi.waitFor(() => expect(attempts).toHaveLength(1))
    act(() => attempts[0]?.())
    await screen.findByText(/^next attempt/)
    expect(announced.textContent).toBe(said)
  })
})

describe('a notification', () => {
  it('is not from just now for as long as nobody looks', async () => {
    vi.useFakeTimers({ toFake: ['Date', 'setInterval', 'clearInterval'], now: Date.now() })
    await show(<NotificationsMenu onShow={() => {}} />)
    await act(() => server.notify('alice', { title: 'Tea' }))
    expect((await screen.findByText(/just now/)).textContent).toBe('just now')
    act(() => void vi.advanceTimersByTime(150_000))
    expect(screen.queryByText(/just now/)).toBeNull()
    expect(screen.getByText('2 minutes ago')).toBeDefined()
  })
})

describe('who signs out', () => {
  it('is asked about nothing any more once what waited has arrived', async () => {
    const client = await show(<SignOut onSignedOut={() => {}} />)
    await client.room('general').join()
    await act(() => client.disconnect())
    act(() => void client.room('general').send({ content: 'Later.' }))
    fireEvent.click(screen.getByRole('button', { name: 'Sign out' }))
    await screen.findByText('One message has not arrived yet')
    await act(() => client.connect())
    await screen.findByText('Everything has arrived')
    expect(choices()).toEqual(['Stay', 'Sign out'])
  })

  it('before it is known what a former load left waits for that', async () => {
    let read = () => {}
    const isRead = new Promise<void>((resolve) => {
      read = resolve
    })
    const store = durable({
      async open(scope, events) {
        const opened = await memoryStore().open(scope, events)
        return { ...opened, list: () => isRead.then(() => opened.list()) }
      },
    })
    await show(<SignOut onSignedOut={() => {}} />, { url: 'ws://127.0.0.1/ws', outbox: { store } })
    fireEvent.click(screen.getByRole('button', { name: 'Sign out' }))
    await screen.findByText('Looking for what has not arrived yet …')
    expect(choices()).toEqual(['Stay'])
    act(read)
    await screen.findByText('Everything has arrived')
    expect(choices()).toEqual(['Stay', 'Sign out'])
  })
})

function choices(): (string | null)[] {
  const { children } = screen.getByRole('dialog').querySelector('.dialog-actions') ?? { children: [] }
  return Array.from(children, ({ textContent }) => textContent)
}
