// What a hostile client may not do with calls, asked in their own words: real clients, the real server.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Client, createClient } from '@tautline/client'
import { extend } from '@tautline/client/extension'
import type { TautlineError } from '@tautline/protocol'
import { callProtocol } from '@tautline/protocol/calls'
import { createServer, type Server, sqlite } from '@tautline/server'
import { calls } from '@tautline/server/calls'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

let server: Server
let clients: Client[]
/** Who may not write where, as `authorize` says it. */
let silenced: Set<string>

let folder: string

async function startServer(): Promise<void> {
  server = await createServer({
    port: 0,
    auth: { verify: (token) => ({ userId: token }) },
    store: sqlite(join(folder, 'chat.db')),
    logger: false,
    extensions: [calls()],
    hooks: { authorize: ({ action, userId }) => action !== 'write' || !silenced.has(userId) },
  })
}

beforeEach(async () => {
  clients = []
  silenced = new Set()
  folder = mkdtempSync(join(tmpdir(), 'tautline-call-rights-'))
  await startServer()
})

async function stop(): Promise<void> {
  for (const client of clients.splice(0)) await client.close()
  await server.close()
}

afterEach(async () => {
  await stop()
  rmSync(folder, { recursive: true, force: true })
})

async function caller(userId: string) {
  const client = createClient({ url: String(server.url), userId, getToken: () => userId })
  clients.push(client)
  await client.connect()
  return extend(client, callProtocol)
}

const call = (callId: string, room: string, peerId = 'peer-0001') => ({
  callId,
  peerId,
  room,
  media: 'audio' as const,
})

/** The application's own code, where it has one. */
async function refusalOf(request: Promise<unknown>): Promise<string | undefined> {
  return request.then(
    () => undefined,
    (error: unknown) => {
      const { applicationCode, code } = error as TautlineError
      return applicationCode ?? code
    },
  )
}

describe('a call', () => {
  it('does not ring for whom authorize keeps from writing in the room, nor let them into one that is on', async () => {
    const [ann, bob] = [await caller('ann'), await caller('bob')]
    silenced.add('ann')
    expect(await refusalOf(ann.request('start_call', call('call-0001', '~ann~bob')))).toBe('FORBIDDEN')
    expect(await bob.request('get_calls', {})).toEqual({ calls: [] })

    await server.rooms.create({ id: 'team', visibility: 'private' })
    for (const user of ['ann', 'bob', 'cleo']) await server.rooms.addMember('team', user)
    await caller('cleo')
    await bob.request('start_call', { ...call('call-0002', 'team'), to: ['cleo'] })
    expect(await refusalOf(ann.request('start_call', call('call-0003', 'team', 'peer-0002')))).toBe(
      'FORBIDDEN',
    )
    silenced.delete('ann')
    const { call: joined } = await ann.request('start_call', call('call-0003', 'team', 'peer-0002'))
    expect(joined.callId).toBe('call-0002')
  })
  it('that is over does not ring again by its old id, for which the log would have nothing to show', async () => {
    const ann = await caller('ann')
    const first = call('call-0001', '~ann~bob')
    await ann.request('start_call', first)
    await ann.request('end_call', { callId: 'call-0001', peerId: 'peer-0001' })
    await expect
      .poll(async () => (await server.getEntries('~ann~bob', { as: 'ann' }))?.map(({ type }) => type))
      .toContain('call_ended')
    await stop()
    await startServer()
    const [again, bob] = [await caller('ann'), await caller('bob')]
    expect(await refusalOf(again.request('start_call', first))).toBe('CALL_ENDED')
    expect(await bob.request('get_calls', {})).toEqual({ calls: [] })
  })

  it('that is over is not brought back, however much was said while it was on', async () => {
    const ann = await caller('ann')
    const { call: begun } = await ann.request('start_call', call('call-0001', '~ann~bob'))
    for (let i = 0; i < 250; i++) await server.send({ room: '~ann~bob', content: `${i}` })
    await ann.request('end_call', { callId: 'call-0001', peerId: 'peer-0001' })
    await expect.poll(() => ends('~ann~bob', 250)).toEqual(['call-0001'])
    await stop()
    await startServer()
    const resumed = { callId: 'call-0001', peerId: 'peer-0001', room: '~ann~bob', seq: begun.seq, others: 1 }
    expect(await refusalOf((await caller('ann')).request('resume_call', resumed))).toBe('CALL_NOT_FOUND')
    expect(await refusalOf((await caller('ann')).request('start_call', call('call-0001', '~ann~bob')))).toBe(
      'CALL_ENDED',
    )
  })

  it('is written as over in its own room, also where one of another room had its id', async () => {
    for (const user of ['ann', 'eve']) {
      const room = user === 'ann' ? '~ann~bob' : '~bob~eve'
      const app = await caller(user)
      await app.request('start_call', call('call-0001', room))
      await app.request('end_call', { callId: 'call-0001', peerId: 'peer-0001' })
      await expect.poll(() => ends(room, 0)).toEqual(['call-0001'])
      await stop()
      await startServer()
    }
  })
})

/** The calls whose ends are in the log of the room, after this position. */
async function ends(room: string, after: number): Promise<unknown[]> {
  const entries = (await server.getEntries(room, { as: 'bob', after })) ?? []
  return entries.flatMap(({ type, payload }) => (type === 'call_ended' ? [payload['callId']] : []))
}
