import { describe, expect, it } from 'vitest'
import { local, localInDen } from './support/local.ts'
import { idle } from './support/virtual-time.ts'

describe('the outbox as the application sees it', () => {
  it('lists what is undecided or failed, in the order of saying, and forgets what is acknowledged', async () => {
    const { client } = local()
    const one = client.room('den').send({ content: 'one' })
    const bad = client.room('hall').send({ content: '' })
    const two = client.room('hall').send({ content: 'two' })
    expect(client.outbox.list()).toEqual([one, bad, two])
    await client.connect()
    await Promise.all([one, two])
    expect(client.outbox.list()).toEqual([bad])
    client.outbox.discard(bad.messageId)
    expect(client.outbox.list()).toEqual([])
    client.outbox.discard('unknown')
  })

  it('gives a message up: the server says whether it was in time', async () => {
    const { client, server } = local()
    const room = client.room('den')
    const early = room.send({ content: 'early' })
    client.outbox.cancel(early.messageId)
    expect(early.status).toBe('queued')
    await client.connect()
    await expect(Promise.resolve(early)).rejects.toMatchObject({ code: 'CANCELLED' })
    const late = room.send({ content: 'late' })
    client.outbox.cancel(late.messageId)
    expect((await late).seq).toBe(1)
    expect(server.logs.get('den')).toHaveLength(1)
  })

  it('leaves what is undecided alone: only a failed message is tried again or forgotten', async () => {
    const { client } = local()
    const sent = client.room('den').send({ content: 'x' })
    expect(client.outbox.retry(sent.messageId)).toBeUndefined()
    client.outbox.discard(sent.messageId)
    expect(client.outbox.list()).toEqual([sent])
    await client.connect()
    expect((await sent).seq).toBe(1)
  })

  it('keeps the hundred last that failed', async () => {
    const { client, room } = await localInDen()
    const failed: string[] = []
    client.on('failed', ({ messageId }) => failed.push(messageId))
    for (let i = 0; i < 130; i++) room.send({ content: '' })
    await idle()
    expect(failed).toHaveLength(130)
    expect(client.outbox.list().map(({ messageId }) => messageId)).toEqual(failed.slice(30))
  })
})
