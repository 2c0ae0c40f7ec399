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
})
