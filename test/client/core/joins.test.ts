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
