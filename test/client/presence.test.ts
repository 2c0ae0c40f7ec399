import type { Activity, ActivityEvent } from '@tautline/client/presence'
import { type PresenceOptions, presence } from '@tautline/client/presence'
import type { ClientMessage } from '@tautline/protocol'
import { describe, expect, it } from 'vitest'
import { local } from './support/local.ts'

async function connected(options: PresenceOptions = {}) {
  const all = local()
  await all.client.connect()
  const own = presence(all.client, options)
  const said = (type: ClientMessage['type']) => all.server.payloads(type)
  return { ...all, own, said }
}

describe('how we are', () => {
  it('is said at once, then every three seconds at most, as it is then', async () => {
    const { own, said, time } = await connected()
    own.set({ status: 'busy', text: 'On the pier' })
    await time.advance(0)
    expect(said('update_presence')).toEqual([{ status: 'busy', statusText: 'On the pier' }])
    own.set({ status: 'away' })
    own.set({ status: 'online' })
    await time.advance(2_999)
    expect(said('update_presence')).toHaveLength(1)
    await time.advance(1)
    expect(said('update_presence').slice(1)).toEqual([{ status: 'online' }])
    own.set({ status: 'online' })
    await time.advance(60_000)
    expect(said('update_presence')).toHaveLength(2)
  })

  it('is never queued, and said with the next hello', async () => {
    const { client, own, said, time } = await connected()
    await client.disconnect()
    own.set({ status: 'offline' })
    await time.advance(10_000)
    await client.connect()
    await time.advance(10_000)
    expect(said('update_presence')).toEqual([])
    expect(said('authenticate').map(({ presence: greeting }) => greeting)).toEqual([
      undefined,
      { status: 'offline' },
    ])
  })

  it('is one for the client, also after the one before was closed a second time', async () => {
    const { client, own } = await connected()
    expect(presence(client)).toBe(own)
    own.close()
    const next = presence(client)
    expect(next).not.toBe(own)
    own.close()
    expect(presence(client)).toBe(next)
  })

  it('has a bound for its text', async () => {
    const { own } = await connected()
    expect(() => own.set({ status: 'busy', text: 'x'.repeat(101) })).toThrow('VALIDATION_ERROR')
    expect(own.getSnapshot()).toEqual({ status: 'online', text: undefined })
  })
})

describe('away', () => {
  function page() {
    let notice: (event: ActivityEvent) => void = () => {}
    let isListening = true
    const activity: Activity = (given) => {
      notice = given
      return () => {
        isListening = false
      }
    }
    return { activity, tell: (event: ActivityEvent) => notice(event), isListening: () => isListening }
  }

  it('is who did nothing for five minutes, or was out of sight for ten seconds', async () => {
    const { activity, tell } = page()
    const { own, time } = await connected({ autoAway: { activity } })
    const status = async (ms: number) => {
      await time.advance(ms)
      return own.getSnapshot().status
    }
    expect(await status(299_999)).toBe('online')
    expect(await status(1)).toBe('away')
    tell('used')
    expect(await status(0)).toBe('online')
    tell('hidden')
    tell('hidden')
    // As long as a reload takes.
    expect(await status(9_999)).toBe('online')
    tell('used')
    expect(await status(60_000)).toBe('online')
    tell('hidden')
    expect(await status(10_000)).toBe('away')
  })

  it('does not take the place of what was chosen, and ends with it', async () => {
    const { activity, tell, isListening } = page()
    const { own, time } = await connected({ autoAway: { activity, idleMs: Number.POSITIVE_INFINITY } })
    own.set({ status: 'busy' })
    tell('hidden')
    await time.advance(60_000)
    expect(own.getSnapshot().status).toBe('busy')
    own.set({ status: 'online' })
    expect(own.getSnapshot().status).toBe('away')
    own.close()
    expect(isListening()).toBe(false)
  })
})

describe('watching', () => {
  it('asks once for all that is wanted in one go, and takes back what nobody wants any more', async () => {
    const { own, said, time } = await connected()
    const [one, other] = [own.watch(['bob', 'cy']), own.watch(['bob'])]
    await time.advance(0)
    expect(said('subscribe_presence')).toMatchObject([{ users: ['bob', 'cy'] }])
    one.close()
    one.close()
    await time.advance(0)
    expect(said('unsubscribe_presence')).toMatchObject([{ users: ['cy'] }])
    other.close()
    own.watch(['bob'])
    await time.advance(0)
    expect(said('subscribe_presence').at(-1)).toMatchObject({ users: ['bob'] })
    expect(said('unsubscribe_presence')).toHaveLength(1)
  })

  it('gives the same snapshot until one of its users changes', async () => {
    const { own, server, time } = await connected()
    const [bobs, cys] = [own.watch(['bob']), own.watch(['cy'])]
    server.tell({ type: 'user_presence', payload: { users: [{ userId: 'bob', status: 'away' }] } })
    await time.advance(0)
    const before = cys.getSnapshot()
    expect(bobs.getSnapshot().users.get('bob')?.status).toBe('away')
    server.tell({
      type: 'user_presence',
      payload: { users: [{ userId: 'eve', status: 'busy' }], ended: ['bob'] },
    })
    await time.advance(0)
    expect(bobs.getSnapshot().users.size).toBe(0)
    expect(cys.getSnapshot()).toBe(before)
  })
})
