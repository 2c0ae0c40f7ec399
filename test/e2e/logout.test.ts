// Signing out, on a real server with the outbox in a file: what stays there is its user's, and what is not to stay is gone.

import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Client, createClient } from '@tautline/client'
import { file } from '@tautline/client/file'
import { history } from '@tautline/client/history'
import { createServer, memory, type Server } from '@tautline/server'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

let server: Server
let folder: string

beforeEach(async () => {
  server = await createServer({
    port: 0,
    auth: { verify: (token) => ({ userId: token }) },
    store: memory(),
    logger: false,
  })
  folder = await mkdtemp(join(tmpdir(), 'tautline-logout-'))
})
afterEach(async () => {
  await server.close()
  await rm(folder, { recursive: true })
})

/** All of them on the same path, as the users of one device are. */
function clientOf(userId: string): Client {
  return createClient({
    url: `ws://127.0.0.1:${server.port}/ws`,
    userId,
    getToken: () => userId,
    outbox: { store: file(join(folder, 'outbox')) },
  })
}

/** Says it without a connection; resolves when it is on the disk. */
async function queue(client: Client, content: string): Promise<void> {
  const sent = client.directRoom('carol').send({ content })
  await new Promise<void>((resolve) => {
    sent.subscribe(() => {
      if (sent.status === 'queued') resolve()
    })
  })
}

async function contentsFor(client: Client, other: string): Promise<string[]> {
  const { messages } = await history(client.directRoom(other))
  return messages.map(({ sender, content }) => `${sender}: ${content}`)
}

async function onDisk(): Promise<string> {
  const names = await readdir(folder)
  const texts = await Promise.all(names.map(async (name) => readFile(join(folder, name), 'utf8')))
  return texts.join('')
}

describe('a logout on a device that several share', () => {
  it('leaves what is queued to its user: the next one sends nothing of it, and the first one all', async () => {
    const alice = clientOf('alice')
    await queue(alice, 'from alice')
    await alice.logout()

    const bob = clientOf('bob')
    await bob.connect()
    expect(bob.outbox.list()).toEqual([])
    await bob.directRoom('carol').send({ content: 'from bob' })
    await bob.logout({ keepOutbox: false })

    const carol = createClient({ url: `ws://127.0.0.1:${server.port}/ws`, getToken: () => 'carol' })
    await carol.connect()
    expect(await contentsFor(carol, 'alice').catch(() => [])).toEqual([])
    expect(await contentsFor(carol, 'bob')).toEqual(['bob: from bob'])

    const arrived = new Promise<void>((resolve) => {
      carol.directRoom('alice').on('message', () => resolve())
    })
    await carol.directRoom('alice').follow()
    const again = clientOf('alice')
    await again.connect()
    await arrived
    expect(await contentsFor(carol, 'alice')).toEqual(['alice: from alice'])
    await again.logout()
    await carol.close()
  })

  it('that keeps nothing leaves nothing on the disk, and its user sends nothing of it later', async () => {
    const alice = clientOf('alice')
    await queue(alice, 'better not said')
    expect(await onDisk()).toContain('better not said')
    await alice.logout({ keepOutbox: false })
    expect(await onDisk()).not.toContain('better not said')

    const again = clientOf('alice')
    await again.connect()
    expect(again.outbox.list()).toEqual([])
    await again.directRoom('carol').send({ content: 'hello' })
    expect(await contentsFor(again, 'carol')).toEqual(['alice: hello'])
    await again.logout()
  })

  it('that keeps nothing asks the server about what is on its way', async () => {
    const alice = clientOf('alice')
    await alice.connect()
    const said = Array.from({ length: 100 }, (_, i) => alice.directRoom('carol').send({ content: `${i}` }))
    await said[0]
    await alice.logout({ keepOutbox: false })
    const arrived = said.filter(({ status }) => status === 'acknowledged').map(({ content }) => content)
    const given = said.filter(({ error }) => error?.code === 'CANCELLED')
    expect(arrived.length + given.length).toBe(100)
    expect(given.length).toBeGreaterThan(0)

    const again = clientOf('alice')
    await again.connect()
    const { messages } = await history(again.directRoom('carol'), { limit: 100 })
    expect(messages.map(({ content }) => content)).toEqual(arrived)
    await again.logout()
  })
})
