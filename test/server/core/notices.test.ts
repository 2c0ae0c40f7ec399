import type { ClientMessage } from '@tautline/protocol'
import { describe, expect, it } from 'vitest'
import { createBench } from './bench.ts'

/** alice with two devices (1, 2) that follow her own log, and bob (3); three notices for alice. */
async function told() {
  const bench = await createBench()
  for (const [id, user] of [
    [1, 'alice'],
    [2, 'alice'],
    [3, 'bob'],
  ] as const) {
    await bench.login(id, user, `lane-number-${id}`)
    bench.say(id, { type: 'subscribe', payload: { ref: 2, rooms: [{ room: `~${user}` }] } })
  }
  for (const n of [1, 2, 3]) tell(bench, 'alice', n)
  await bench.settle()
  for (const id of [1, 2, 3]) bench.heard(id)
  return bench
}

function tell(bench: Awaited<ReturnType<typeof createBench>>, userId: string, n: number): void {
  const entry = { type: 'notice', payload: { title: `notice ${n}` } }
  const payload = { ref: n, userId, messageId: `notify-number-${n}`, entry }
  bench.step({ type: 'asked', user: 'system', message: { type: 'notify', payload } })
}

describe('notifications', () => {
  it('are told to who follows their log, and listed with what is unread', async () => {
    const bench = await told()
    tell(bench, 'alice', 4)
    await bench.settle()
    expect(bench.heardOf(2, 'entries')).toMatchObject([
      { room: '~alice', entries: [{ type: 'notice', seq: 4, sender: 'system' }] },
    ])
    expect(bench.heardOf(3, 'entries')).toEqual([])
    bench.say(1, { type: 'get_notifications', payload: { ref: 10, limit: 2 } })
    bench.say(3, { type: 'get_notifications', payload: { ref: 10 } })
    await bench.settle()
    expect(bench.heardOf(1, 'notification_list')).toMatchObject([
      {
        ref: 10,
        notifications: [
          { entry: { seq: 3 }, read: false },
          { entry: { seq: 4 }, read: false },
        ],
        unread: 4,
        head: 4,
        hasOlder: true,
      },
    ])
    expect(bench.heardOf(3, 'notification_list')).toMatchObject([{ notifications: [], unread: 0, head: 0 }])
  })

  it.each<[ClientMessage['type'], object, object]>([
    ['read_notifications', { seqs: [1, 3] }, { read: [1, 3], unread: 1 }],
    ['read_all_notifications', { upTo: 2 }, { readUpTo: 2, unread: 1 }],
    ['clear_notifications', { seqs: [2] }, { cleared: [2], unread: 2 }],
    ['clear_all_notifications', { upTo: 3 }, { clearedUpTo: 3, unread: 0 }],
  ])('%s is told to who asked, and to the user’s other devices', async (type, named, changed) => {
    const bench = await told()
    bench.step({
      type: 'received',
      connection: 1,
      text: JSON.stringify({ type, payload: { ref: 20, ...named } }),
    })
    await bench.settle()
    const payload = { ...changed, head: 3 }
    expect(bench.heardOf(1, 'notifications_changed')).toEqual([{ ref: 20, ...payload }])
    expect(bench.heardOf(2, 'notifications_changed')).toEqual([payload])
    expect(bench.heard(3)).toEqual([])
  })

  it('that are read already are news to nobody else', async () => {
    const bench = await told()
    for (const ref of [20, 21]) bench.say(1, { type: 'read_notifications', payload: { ref, seqs: [1] } })
    await bench.settle()
    expect(bench.heardOf(1, 'notifications_changed')).toHaveLength(2)
    expect(bench.heardOf(2, 'notifications_changed')).toHaveLength(1)
  })

  it('change for the other devices where the one that asked is gone', async () => {
    const bench = await told()
    bench.hold('commit')
    bench.say(1, { type: 'clear_all_notifications', payload: { ref: 20, upTo: 3 } })
    await bench.settle()
    bench.step({ type: 'closed', connection: 1 })
    bench.release('commit')
    await bench.settle()
    expect(bench.heardOf(2, 'notifications_changed')).toEqual([{ clearedUpTo: 3, unread: 0, head: 3 }])
  })

  it('of a room are set for all devices of the user, and described with the room', async () => {
    const bench = await told()
    await bench.enter(1, 'general')
    bench.say(1, {
      type: 'set_notifications',
      payload: { ref: 30, room: 'general', level: 'none', silenceMs: 5_000 },
    })
    await bench.settle()
    const set = { room: 'general', level: 'none', silencedUntil: bench.unixMs() + 5_000 }
    expect(bench.heardOf(1, 'notifications_set')).toEqual([{ ref: 30, ...set }])
    expect(bench.heardOf(2, 'notifications_set')).toEqual([set])
    const { room: _room, ...notifications } = set
    const described = async () => {
      bench.say(2, { type: 'get_room', payload: { ref: 31, room: 'general' } })
      await bench.settle()
      return bench.heardOf(2, 'room_info')[0]?.notifications
    }
    expect(await described()).toEqual(notifications)
    bench.advance(5_000)
    expect(await described()).toEqual({ level: 'none' })
    bench.say(3, { type: 'set_notifications', payload: { ref: 32, room: 'general', level: 'all' } })
    await bench.settle()
    expect(bench.heardOf(3, 'error')).toMatchObject([{ ref: 32, code: 'FORBIDDEN', room: 'general' }])
  })

  it('are refused while the server drains, to be asked again', async () => {
    const bench = await told()
    bench.hold('commit')
    bench.send(3, '~alice~bob', ['x'])
    bench.step({ type: 'turn_ended' })
    bench.step({ type: 'drain' })
    bench.say(1, { type: 'read_all_notifications', payload: { ref: 40, upTo: 3 } })
    expect(bench.heardOf(1, 'error')).toMatchObject([{ ref: 40, code: 'UNAVAILABLE' }])
  })
})
