// Calls between real clients by the real server; only the peer connections are of this process (fake-peer-connection.ts).

import { callProtocol } from '@tautline/protocol/calls'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { fakeStream, fakeTrack } from './fake-peer-connection.ts'
import { becomes, CallStage, type Device, ends, eventually, rings } from './stage.ts'

const stages: CallStage[] = []

async function open(options?: Parameters<typeof CallStage.open>[0]): Promise<CallStage> {
  const stage = await CallStage.open(options)
  stages.push(stage)
  return stage
}

afterEach(async () => {
  vi.restoreAllMocks()
  for (const stage of stages.splice(0)) await stage.close()
})

const camera = (user: string) => fakeStream(`cam-${user}`, 'audio', 'video')

/** Ids of the streams that come from a user. */
function streamsOf(
  call: { getSnapshot(): { participants: readonly { userId: string; streams: readonly MediaStream[] }[] } },
  userId: string,
): string[] {
  const participant = call.getSnapshot().participants.find((each) => each.userId === userId)
  return participant?.streams.map(({ id }) => id) ?? []
}

/** Ann and Bob in a call, with media. */
async function talk(stage: CallStage, ann: Device, bob: Device) {
  const atAnn = ann.calls.start({ to: 'bob', stream: camera('ann') })
  const atBob = await rings(bob)
  await atBob.answer(camera('bob'))
  await becomes(atAnn, 'connected')
  await becomes(atBob, 'connected')
  return { atAnn, atBob, room: atAnn.room, stage }
}

describe('two users', () => {
  let stage: CallStage
  let ann: Device
  let bob: Device

  beforeEach(async () => {
    stage = await open()
    ann = await stage.device('ann')
    bob = await stage.device('bob')
  })

  it('call each other, hear each other, and hang up; the room knows how it went', async () => {
    const statuses: string[] = []
    const atAnn = ann.calls.start({ to: 'bob', stream: camera('ann') })
    atAnn.on('status', ({ status }) => statuses.push(status))
    const atBob = await rings(bob)
    expect(atBob.getSnapshot()).toMatchObject({
      isIncoming: true,
      startedBy: 'ann',
      media: 'video',
      room: '~ann~bob',
    })
    await atBob.answer(camera('bob'))
    await becomes(atAnn, 'connected')
    await becomes(atBob, 'connected')
    expect([streamsOf(atAnn, 'bob'), streamsOf(atBob, 'ann')]).toEqual([['cam-bob'], ['cam-ann']])
    expect(statuses).toEqual(['calling', 'connecting', 'connected'])
    atBob.hangUp()
    expect(atBob.getSnapshot()).toMatchObject({ status: 'ended', reason: 'ended' })
    await ends(atAnn, 'ended')
    expect(ann.calls.getSnapshot().calls).toEqual([])
    await eventually(async () => (await ann.calls.history(atAnn.room)).calls.length, 1)
    const { calls } = await bob.calls.history(atAnn.room)
    expect(calls).toMatchObject([
      { callId: atAnn.callId, media: 'video', startedBy: 'ann', reason: 'ended', users: ['ann', 'bob'] },
    ])
    expect(calls[0]?.answeredAt).toBeGreaterThanOrEqual(Number(calls[0]?.startedAt))
  })

  it('of whom one rejects: it stops ringing on all devices, and nothing was missed', async () => {
    const phone = await stage.device('bob')
    const atAnn = ann.calls.start({ to: 'bob' })
    const [atDesk, atPhone] = [await rings(bob), await rings(phone)]
    atPhone.reject()
    await ends(atAnn, 'rejected')
    await ends(atDesk, 'rejected')
    expect(atPhone.getSnapshot().reason).toBe('rejected')
  })

  it('of whom one has two devices: the first answer wins, and the other is told', async () => {
    const phone = await stage.device('bob')
    const atAnn = ann.calls.start({ to: 'bob', stream: camera('ann') })
    const [atDesk, atPhone] = [await rings(bob), await rings(phone)]
    const answers = await Promise.allSettled([atDesk.answer(camera('desk')), atPhone.answer(camera('phone'))])
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
    expect(
      callProtocol.isError(answers[1]?.status === 'rejected' && answers[1].reason, 'ANSWERED_ELSEWHERE'),
    ).toBe(true)
    await ends(atPhone, 'answered_elsewhere')
    await becomes(atDesk, 'connected')
    await becomes(atAnn, 'connected')
    expect(streamsOf(atAnn, 'bob')).toEqual(['cam-desk'])
  })

  it('of whom one cancels: it stops ringing, and is in the log of who missed it', async () => {
    const atAnn = ann.calls.start({ to: 'bob' })
    const atBob = await rings(bob)
    const missed = new Promise((resolve) => {
      bob.client.port.onOwnEntries(
        (entries) => resolve(entries.at(-1)),
        () => {},
      )
    })
    atAnn.hangUp()
    expect(atAnn.getSnapshot().reason).toBe('cancelled')
    await ends(atBob, 'cancelled')
    expect(await missed).toMatchObject({
      type: 'missed_call',
      sender: 'ann',
      payload: { callId: atAnn.callId, room: '~ann~bob', media: 'audio' },
    })
  })

  it('of whom one is in another call: busy, and told as missed', async () => {
    const { atAnn } = await talk(stage, ann, bob)
    const cleo = await stage.device('cleo')
    const atCleo = cleo.calls.start({ to: 'bob' })
    await ends(atCleo, 'busy')
    expect(bob.incoming).toHaveLength(1)
    expect(atAnn.status).toBe('connected')
  })

  it('who call each other at once are in one call', async () => {
    const [atAnn, atBob] = [
      ann.calls.start({ to: 'bob', stream: camera('ann') }),
      bob.calls.start({ to: 'ann', stream: camera('bob') }),
    ]
    await becomes(atAnn, 'connected')
    await becomes(atBob, 'connected')
    expect(atAnn.callId).toBe(atBob.callId)
    expect([streamsOf(atAnn, 'bob'), streamsOf(atBob, 'ann')]).toEqual([['cam-bob'], ['cam-ann']])
    expect([ann.calls.getSnapshot().calls, bob.calls.getSnapshot().calls]).toEqual([[atAnn], [atBob]])
  })

  it('add a screen at the same moment, and both see both', async () => {
    const { atAnn, atBob } = await talk(stage, ann, bob)
    for (const [call, name] of [
      [atAnn, 'screen-ann'],
      [atBob, 'screen-bob'],
    ] as const)
      call.addTrack(fakeTrack('video', name), fakeStream(name))
    await eventually(
      () => [streamsOf(atAnn, 'bob'), streamsOf(atBob, 'ann')],
      [
        ['cam-bob', 'screen-bob'],
        ['cam-ann', 'screen-ann'],
      ],
    )
  })

  it('cannot be called in a room that is not one’s own, and not by name from outside', async () => {
    await ann.client.rooms.create({ id: 'club', visibility: 'private', name: 'Club' })
    const atBob = bob.calls.start({ room: 'club' })
    await ends(atBob, 'failed')
    expect(atBob.getSnapshot().error?.code).toBe('FORBIDDEN')
    const atAnn = ann.calls.start({ room: 'club', to: ['bob'] })
    await ends(atAnn, 'failed')
    expect(atAnn.getSnapshot().error?.code).toBe('FORBIDDEN')
    expect(bob.incoming).toEqual([])
  })
})

describe('a call that nobody answers', () => {
  it('is missed when its time is over, by both and in the room', async () => {
    const stage = await open({ ringTimeoutMs: 30 })
    const [ann, bob] = [await stage.device('ann'), await stage.device('bob')]
    const atAnn = ann.calls.start({ to: 'bob' })
    await ends(atAnn, 'missed')
    await eventually(() => bob.incoming[0]?.getSnapshot().reason, 'missed')
    await eventually(async () => (await ann.calls.history(atAnn.room)).calls.at(-1)?.reason, 'missed')
    const { calls } = await ann.calls.history(atAnn.room)
    expect(calls[0]).toMatchObject({ durationMs: 0 })
    expect(calls[0]?.answeredAt).toBeUndefined()
  })

  it('rings at a device that connects while it rings', async () => {
    const stage = await open()
    const ann = await stage.device('ann')
    const atAnn = ann.calls.start({ to: 'bob', stream: camera('ann') })
    await becomes(atAnn, 'calling')
    const bob = await stage.device('bob')
    await (await rings(bob)).answer(camera('bob'))
    await becomes(atAnn, 'connected')
  })
})

describe('a lost connection', () => {
  let stage: CallStage
  let ann: Device
  let bob: Device

  beforeEach(async () => {
    stage = await open({ reconnectTimeoutMs: 5_000 })
    ann = await stage.device('ann')
    bob = await stage.device('bob')
  })

  const isBack = (call: { getSnapshot(): { participants: readonly { isConnected: boolean }[] } }) =>
    call.getSnapshot().participants.every(({ isConnected }) => isConnected)

  it('in mid call does not touch media, and the call goes on when it is back', async () => {
    const { atAnn, atBob } = await talk(stage, ann, bob)
    const before = stage.rtc.connections.length
    const seen: (readonly [boolean, string, string])[] = []
    atAnn.subscribe(() => seen.push([isBack(atAnn), atAnn.status, atBob.status]))
    bob.cut()
    await eventually(() => seen.at(-1)?.[0] === true && seen.length > 1)
    expect(seen[0]).toEqual([false, 'connected', 'connected'])
    expect(stage.rtc.connections.length).toBe(before)
    // And what is said after it is heard.
    atBob.addTrack(fakeTrack('video', 'screen'), fakeStream('screen'))
    await eventually(() => streamsOf(atAnn, 'bob'), ['cam-bob', 'screen'])
    atAnn.hangUp()
    await ends(atBob, 'ended')
  })

  it('keeps what one had to say meanwhile: an offer is heard when both are back', async () => {
    const { atAnn, atBob } = await talk(stage, ann, bob)
    bob.cut()
    ann.cut()
    atAnn.addTrack(fakeTrack('video', 'screen-ann'), fakeStream('screen-ann'))
    atBob.addTrack(fakeTrack('video', 'screen-bob'), fakeStream('screen-bob'))
    await eventually(
      () => [streamsOf(atAnn, 'bob'), streamsOf(atBob, 'ann')],
      [
        ['cam-bob', 'screen-bob'],
        ['cam-ann', 'screen-ann'],
      ],
    )
  })

  it('swallows no signal: what was on its way to the other is said again', async () => {
    const { atAnn, atBob } = await talk(stage, ann, bob)
    bob.deafen()
    atAnn.addTrack(fakeTrack('video', 'screen-ann'), fakeStream('screen-ann'))
    await eventually(() => stage.rtc.offers(), 2)
    await ann.client.rooms.list() // By its answer the server has passed the offer on.
    bob.cut()
    await eventually(() => streamsOf(atBob, 'ann'), ['cam-ann', 'screen-ann'])
  })

  it('of the media is repaired, by whomever', async () => {
    const { atAnn, atBob } = await talk(stage, ann, bob)
    stage.rtc.cut()
    await becomes(atAnn, 'interrupted')
    await becomes(atBob, 'interrupted')
    stage.rtc.mend()
    ann.cut()
    await becomes(atAnn, 'connected')
    await becomes(atBob, 'connected')
  })

  it('while one hangs up ends it for the other when it is back', async () => {
    const { atAnn, atBob } = await talk(stage, ann, bob)
    bob.cut()
    atBob.hangUp()
    await ends(atAnn, 'ended')
  })

  it('that was closed on purpose ends what this device has of it at once', async () => {
    const { atBob } = await talk(stage, ann, bob)
    await bob.client.close()
    expect(atBob.getSnapshot()).toMatchObject({ status: 'ended', reason: 'ended' })
    expect(stage.rtc.connections.map(({ connectionState }) => connectionState)).toContain('closed')
  })

  it('while it rings: what ended meanwhile rings no more', async () => {
    const atAnn = ann.calls.start({ to: 'bob' })
    const atBob = await rings(bob)
    bob.cut()
    atAnn.hangUp()
    await eventually(() => atBob.status, 'ended')
  })

  it('for good ends the call', async () => {
    const other = await open({ reconnectTimeoutMs: 50 })
    const [cleo, dora] = [await other.device('cleo'), await other.device('dora')]
    const atCleo = cleo.calls.start({ to: 'dora', stream: camera('cleo') })
    await (await rings(dora)).answer(camera('dora'))
    await becomes(atCleo, 'connected')
    await dora.client.close()
    await ends(atCleo, 'failed')
    await eventually(async () => (await cleo.calls.history(atCleo.room)).calls.at(-1)?.reason, 'failed')
  })
})

describe('a server that is started anew', () => {
  it('finds those who talk where they are: media goes on, and how it ends is in the room', async () => {
    const stage = await open({ reconnectTimeoutMs: 5_000 })
    const [ann, bob] = [await stage.device('ann'), await stage.device('bob')]
    const { atAnn, atBob, room } = await talk(stage, ann, bob)
    const before = stage.rtc.connections.length
    await stage.server.close()
    expect([atAnn.status, atBob.status]).toEqual(['connected', 'connected'])
    await stage.startServer()
    const isBoth = () => atAnn.getSnapshot().participants.map(({ isConnected }) => isConnected)
    await eventually(isBoth, [true, true])
    expect([atAnn.status, atBob.status, stage.rtc.connections.length]).toEqual([
      'connected',
      'connected',
      before,
    ])
    atBob.addTrack(fakeTrack('video', 'screen'), fakeStream('screen'))
    await eventually(() => streamsOf(atAnn, 'bob'), ['cam-bob', 'screen'])
    atAnn.hangUp()
    await ends(atBob, 'ended')
    await eventually(async () => (await bob.calls.history(room)).calls.map(({ reason }) => reason), ['ended'])
  })

  it('goes on also where its clock was set back', async () => {
    const stage = await open({ reconnectTimeoutMs: 5_000 })
    const [ann, bob] = [await stage.device('ann'), await stage.device('bob')]
    const { atAnn, atBob } = await talk(stage, ann, bob)
    await stage.server.close()
    const before = Date.now() - 3_600_000
    vi.spyOn(Date, 'now').mockReturnValue(before)
    await stage.startServer()
    atAnn.addTrack(fakeTrack('video', 'screen'), fakeStream('screen'))
    await eventually(() => streamsOf(atBob, 'ann'), ['cam-ann', 'screen'])
    atAnn.hangUp()
    await ends(atBob, 'ended')
  })

  it('hears that one has hung up while there was none', async () => {
    const stage = await open({ reconnectTimeoutMs: 60_000 })
    const [ann, bob] = [await stage.device('ann'), await stage.device('bob')]
    const { atAnn, atBob, room } = await talk(stage, ann, bob)
    await stage.server.close()
    atAnn.hangUp()
    await stage.startServer()
    await ends(atBob, 'ended')
    await eventually(async () => (await bob.calls.history(room)).calls.map(({ reason }) => reason), ['ended'])
  })

  it('does not bring back what ended before', async () => {
    const stage = await open({ reconnectTimeoutMs: 5_000 })
    const [ann, bob] = [await stage.device('ann'), await stage.device('bob')]
    const { atAnn, atBob, room } = await talk(stage, ann, bob)
    bob.goOffline()
    atAnn.hangUp()
    await eventually(async () => (await ann.calls.history(room)).calls.length, 1)
    await stage.server.close()
    await stage.startServer()
    bob.goOnline()
    await ends(atBob, 'failed')
    expect(callProtocol.isError(atBob.getSnapshot().error, 'CALL_NOT_FOUND')).toBe(true)
  })

  it('rings again where it rang', async () => {
    const stage = await open()
    const [ann, bob] = [await stage.device('ann'), await stage.device('bob')]
    const atAnn = ann.calls.start({ to: 'bob', stream: camera('ann') })
    await rings(bob)
    await stage.server.close()
    await stage.startServer()
    await eventually(() => bob.client.status, 'connected')
    await eventually(() => bob.calls.getSnapshot().calls.some(({ status }) => status === 'ringing'))
    await eventually(() => ann.client.status, 'connected')
    await (await rings(bob)).answer(camera('bob'))
    await becomes(atAnn, 'connected')
  })
})

describe('a room', () => {
  async function team(stage: CallStage, ...names: readonly string[]): Promise<Device[]> {
    const devices = await Promise.all(names.map((name) => stage.device(name)))
    await devices[0]?.client.rooms.create({ id: 'team', visibility: 'public', name: 'Team' })
    for (const { client } of devices.slice(1)) await client.room('team').join()
    return devices
  }

  it('talks together: each has the streams of all others, and the call goes on when one leaves', async () => {
    const stage = await open()
    const names = ['ann', 'bob', 'cleo', 'dora'] as const
    const devices = await team(stage, ...names)
    const first = devices[0]!.calls.start({ room: 'team', stream: camera('ann') })
    const joined = [first]
    for (const [i, name] of names.entries()) {
      if (i === 0) continue
      const call = await rings(devices[i]!)
      await call.answer(camera(name))
      joined.push(call)
    }
    const heard = () =>
      joined.map((call, i) =>
        names.filter((name) => name !== names[i]).map((name) => streamsOf(call, name)[0]),
      )
    await eventually(
      heard,
      names.map((own) => names.filter((name) => name !== own).map((name) => `cam-${name}`)),
    )
    joined[0]!.hangUp()
    await eventually(
      () => joined[1]!.getSnapshot().participants.map(({ state }) => state),
      ['left', 'joined', 'joined', 'joined'],
    )
    expect(joined.slice(1).map(({ status }) => status)).toEqual(['connected', 'connected', 'connected'])
    // Who went comes back by calling again.
    const again = devices[0]!.calls.start({ room: 'team', stream: camera('ann') })
    await becomes(again, 'connected')
    expect(again.callId).toBe(first.callId)
    await eventually(
      () => [streamsOf(again, 'dora'), streamsOf(joined[3]!, 'ann')],
      [['cam-dora'], ['cam-ann']],
    )
    for (const call of [...joined.slice(1), again]) call.hangUp()
    await eventually(
      async () => (await devices[0]!.calls.history('team')).calls.map(({ users }) => users),
      [['ann', 'bob', 'cleo', 'dora']],
    )
  })

  it('puts somebody out, and they are out of its call', async () => {
    const stage = await open({ membershipIntervalMs: 20 })
    const devices = await team(stage, 'ann', 'bob', 'cleo')
    const atAnn = devices[0]!.calls.start({ room: 'team', stream: camera('ann') })
    const [atBob, atCleo] = [await rings(devices[1]!), await rings(devices[2]!)]
    await atBob.answer(camera('bob'))
    await becomes(atAnn, 'connected')
    await stage.server.rooms.removeMember('team', 'cleo')
    await ends(atCleo, 'ended')
    await stage.server.rooms.removeMember('team', 'bob')
    await ends(atBob, 'ended')
    await ends(atAnn, 'ended')
  })

  it('that is too large is not called as a whole', async () => {
    const stage = await open()
    const names = Array.from({ length: 9 }, (_, i) => `user${i}`)
    const devices = await team(stage, ...names)
    const call = devices[0]!.calls.start({ room: 'team' })
    await ends(call, 'failed')
    expect(callProtocol.isError(call.getSnapshot().error, 'ROOM_TOO_LARGE')).toBe(true)
    const some = devices[0]!.calls.start({ room: 'team', to: ['user3'] })
    await rings(devices[3]!)
    expect(devices[4]!.incoming).toEqual([])
    some.hangUp()
  })
})

describe('what only the server says', () => {
  it('is said by nobody else', async () => {
    const stage = await open()
    const ann = await stage.device('ann')
    const sent = ann.client.port.send('~ann~bob', 'call_ended', {
      callId: 'call-forged',
      media: 'audio',
      startedBy: 'bob',
      startedAt: 1,
      durationMs: 1,
      reason: 'ended',
      users: ['bob'],
    })
    await expect(sent).rejects.toMatchObject({ applicationCode: 'SAID_BY_THE_SERVER' })
  })
})
