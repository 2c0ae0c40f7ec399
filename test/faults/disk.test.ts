/** What becomes of messages while the server's disk is full, or its file in other hands. */

import type { Client, Sent } from '@tautline/client'
import { history } from '@tautline/client/history'
import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { killableServer, openTheatre, ROOM } from './support/theatre.ts'

/** Resolves when the server refused it for now: it was on its way, and waits again. */
function putBack(sent: Sent): Promise<void> {
  let wasSent = false
  return new Promise((resolve) => {
    const stop = sent.subscribe(() => {
      wasSent ||= sent.status === 'sent'
      if (!wasSent || sent.status !== 'queued') return
      stop()
      resolve()
    })
  })
}

function statusesOf(client: Client): string[] {
  const statuses: string[] = []
  client.on('status', ({ status }) => statuses.push(status))
  return statuses
}

describe('a server whose disk is full', () => {
  it('takes nothing more and stays up: what is sent waits, what was said is read, and all arrives once there is room', async () => {
    const server = killableServer()
    await server.start()
    const { alice, bob, say, judge } = await openTheatre(server)
    await Promise.all(say(20))
    const statuses = statusesOf(alice)

    server.pragma('max_page_count = 1')
    const waiting = say(60)
    await Promise.race(waiting.map(putBack))
    expect(waiting.filter(({ status }) => status === 'failed')).toEqual([])
    expect(waiting.filter(({ status }) => status === 'queued').length).toBeGreaterThan(0)
    expect((await history(bob.room(ROOM), { limit: 100 })).messages.length).toBeGreaterThanOrEqual(20)

    server.pragma('max_page_count = 1000000')
    await Promise.all(waiting)
    expect(statuses).toEqual([])
    const { violations, counts } = await judge()
    expect(violations).toEqual([])
    expect(counts.ok).toBe(81)
    expect(counts.deliver).toBeGreaterThan(5 * 81 - 81)
  })
})

describe('a file in other hands', () => {
  it('is left alone by a second server, which says why, and the first goes on', async () => {
    const server = killableServer()
    await server.start()
    const { say, judge } = await openTheatre(server)
    const sent = say(300)
    await expect(killableServer(server).start()).rejects.toThrow(
      `${server.file}: another process has it open. One server alone may use a file`,
    )
    await Promise.all([...sent, ...say(100)])
    const { violations, counts } = await judge()
    expect(violations).toEqual([])
    expect(counts.ok).toBe(401)
  })

  it('keeps a server from starting, which says why; its clients wait, and lose nothing', async () => {
    const server = killableServer()
    await server.start()
    const { say, judge } = await openTheatre(server)
    await Promise.all(say(20))
    await server.kill()
    const other = new Database(server.file)
    other.pragma('locking_mode = exclusive')
    other.exec('begin immediate')
    const waiting = say(20)
    await expect(server.start()).rejects.toThrow('another process has it open')
    expect(new Set(waiting.map(({ status }) => status))).toEqual(new Set(['queued']))
    other.close()
    await server.start()
    await Promise.all(waiting)
    const { violations, counts } = await judge()
    expect(violations).toEqual([])
    expect(counts.ok).toBe(41)
  })
})
