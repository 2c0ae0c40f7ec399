import { describe, expect, it } from 'vitest'
import { connect, startServer } from './wire.ts'

describe("a user's connections", () => {
  it('beyond the limit are refused, until one of the others is gone', async () => {
    const server = await startServer({ maxConnectionsPerUser: 2 })
    const first = await connect(server).login('alice', 'lane-number-1')
    const second = await connect(server).login('alice', 'lane-number-2')
    const third = connect(server)
    await expect(third.login('alice', 'lane-number-3')).rejects.toThrow('closed')
    expect(await third.closed).toBe('4409 TOO_MANY_CONNECTIONS')
    await connect(server).login('bob')
    // The same lane takes the place of its own, whatever the limit.
    await connect(server).login('alice', 'lane-number-2')
    expect(await second.closed).toBe('4410 REPLACED')
    first.socket.terminate()
    while (server.health().sessions > 2) await new Promise((resolve) => setImmediate(resolve))
    await connect(server).login('alice', 'lane-number-3')
  })

  it('replace the oldest where that is the policy', async () => {
    const server = await startServer({ connections: 'replace' })
    const first = await connect(server).login('alice', 'lane-number-1')
    const bob = await connect(server).login('bob')
    const second = await connect(server).login('alice', 'lane-number-2')
    expect(await first.closed).toBe('4410 REPLACED')
    await second.flush()
    await bob.flush()
    expect(server.health().sessions).toBe(2)
  })

  it('are ended by the application, all of them and nobody else’s', async () => {
    const server = await startServer()
    const alice = [
      await connect(server).login('alice', 'lane-number-1'),
      await connect(server).login('alice', 'lane-number-2'),
    ]
    const bob = await connect(server).login('bob')
    server.disconnect('alice')
    server.disconnect('nobody')
    expect(await Promise.all(alice.map((peer) => peer.closed))).toEqual(['1000 NORMAL', '1000 NORMAL'])
    await bob.flush()
    await connect(server).login('alice', 'lane-number-1')
  })
})
