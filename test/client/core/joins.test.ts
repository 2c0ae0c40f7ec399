import { history } from '@tautline/client/history'
import { memoryStore } from '@tautline/client/memory'
import { afterEach, describe, expect, it } from 'vitest'
import { type LocalServer, startLocalServer } from '../../support/local-server.ts'

let server: LocalServer
afterEach(() => server.close())

async function connectable(options: { readonly createRooms?: boolean } = {}) {
  server = await startLocalServer(options)
  return server.client('alice')
}

describe('joining', () => {
  it('may be asked for before the client is connected, and so may sending', async () => {
    const client = await connectable()
    const room = client.room('general')
    const joined = room.join()
    const sent = room.send({ content: 'written before anything else' })
    expect(sent.status).toBe('queued')
    await client.connect()
    await joined
    expect(await sent).toMatchObject({ seq: 2 })
  })

  it('fails all who asked, and what was sent, where the server refuses it', async () => {
    const client = await connectable({ createRooms: false })
    const room = client.room('nowhere')
    const joins = [room.join(), room.join()].map((join) => join.catch((error: unknown) => error))
    const sent = room.send({ content: 'to nobody' })
    await client.connect()
    expect(await Promise.all(joins)).toMatchObject([{ code: 'FORBIDDEN' }, { code: 'FORBIDDEN' }])
    await expect(sent).rejects.toMatchObject({ code: 'FORBIDDEN' })
  })

  it('ends with the client', async () => {
    const client = await connectable()
    const joined = client.room('general').join()
    const ended = expect(joined).rejects.toMatchObject({ code: 'CLOSED' })
    await client.close()
    await ended
  })
})

describe('a join that had no answer when the page went away', () => {
  async function leftBehind(options: { readonly createRooms?: boolean } = {}) {
    server = await startLocalServer(options)
    const outbox = { store: memoryStore() }
    const client = () => server.client('alice', { url: 'ws://chat.example/ws', outbox })
    const before = client()
    before
      .room('general')
      .join()
      .catch(() => {})
    const sent = before.room('general').send({ content: 'first words' })
    await expect.poll(() => sent.status).toBe('queued')
    await before.close()
    return client
  }

  it('is asked for by what waited for it, whatever the application asks for first', async () => {
    const client = await leftBehind()
    const after = client()
    const failed: unknown[] = []
    after.on('failed', (sent) => failed.push(sent.error?.code))
    await after.connect()
    const joined = after.room('general').join()
    await expect.poll(() => after.outbox.list().length).toBe(0)
    await joined
    const { messages } = await history(after.room('general'))
    expect(messages.map(({ content }) => content)).toEqual(['first words'])
    expect(failed).toEqual([])
  })

  it('fails what waited for it where the server refuses it', async () => {
    const client = await leftBehind({ createRooms: false })
    const after = client()
    await after.connect()
    await expect.poll(() => after.outbox.list()[0]?.error?.code).toBe('FORBIDDEN')
  })

  it('is not asked for where nothing waited for it', async () => {
    const client = await leftBehind()
    const first = client()
    await first.connect()
    await expect.poll(() => first.outbox.list().length).toBe(0)
    await first.room('general').leave()
    const left = first.room('general').send({ content: 'from outside' })
    await expect(left).rejects.toMatchObject({ code: 'FORBIDDEN' })
    await first.close()
    const second = client()
    await second.connect()
    await expect(second.room('general').send({ content: 'again' })).rejects.toMatchObject({
      code: 'FORBIDDEN',
    })
  })
})
