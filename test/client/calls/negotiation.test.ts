// Two negotiations, and a wire between them that the test holds.

import { describe, expect, it } from 'vitest'
import type { SignalContent } from '../../../packages/client/src/calls/core/signal-lane.ts'
import { createLocalMedia, type LocalMedia } from '../../../packages/client/src/calls/local-media.ts'
import { createNegotiation, type Negotiation } from '../../../packages/client/src/calls/negotiation.ts'
import type { PeerConnection } from '../../../packages/client/src/calls/peer-connection.ts'
import { idle } from '../support/virtual-time.ts'
import { createFakeRtc, fakeStream, fakeTrack } from './fake-peer-connection.ts'

/** Also what comes up in a later turn: candidates. */
async function ready(): Promise<void> {
  await idle()
  await idle()
}

interface Side {
  readonly negotiation: Negotiation
  readonly connection: PeerConnection
  readonly local: LocalMedia
  readonly said: SignalContent[]
  readonly states: RTCPeerConnectionState[]
  /** Ids of the streams that arrive, as they are now. */
  streams: string[]
}

function stage(streams: readonly [MediaStream | undefined, MediaStream | undefined]) {
  const rtc = createFakeRtc()
  const errors: unknown[] = []
  const side = (isPolite: boolean, stream: MediaStream | undefined): Side => {
    const connection = new rtc.RTCPeerConnection()
    const local = createLocalMedia()
    local.setStream(stream)
    const made: Omit<Side, 'negotiation'> = { connection, local, said: [], states: [], streams: [] }
    const negotiation = createNegotiation({
      connection,
      isPolite,
      media: 'video',
      local,
      say: (content) => made.said.push(content),
      onState: (state) => made.states.push(state),
      onStreams(now) {
        result.streams = now.map(({ id }) => id)
      },
      onError: (error) => errors.push(error),
    })
    const result: Side = { ...made, negotiation }
    return result
  }
  const sides = [side(true, streams[0]), side(false, streams[1])] as const
  const [polite, impolite] = sides

  /** Brings one thing that one side said to the other; false: there was nothing. */
  async function carry(from: Side): Promise<boolean> {
    const content = from.said.shift()
    if (!content) return false
    const to = from === polite ? impolite : polite
    to.negotiation.hear(content)
    await ready()
    return true
  }

  /** Until nothing is on its way. */
  async function settle(): Promise<void> {
    await ready()
    while ([await carry(impolite), await carry(polite)].includes(true)) await ready()
  }

  return { rtc, polite, impolite, errors, carry, settle }
}

const CAMERAS = [fakeStream('cam-p', 'audio', 'video'), fakeStream('cam-i', 'audio', 'video')] as const

describe('two peers', () => {
  it('need one offer and one answer, and send each other what they have', async () => {
    const { rtc, polite, impolite, errors, settle } = stage(CAMERAS)
    await settle()
    expect(rtc.offers()).toBe(1)
    expect([polite.states.at(-1), impolite.states.at(-1)]).toEqual(['connected', 'connected'])
    expect([polite.streams, impolite.streams]).toEqual([['cam-i'], ['cam-p']])
    expect(errors).toEqual([])
  })

  it.each([
    ['one sends nothing', [fakeStream('cam-p', 'audio'), undefined]],
    ['neither sends anything', [undefined, undefined]],
  ] as const)('connect where %s', async (_what, streams) => {
    const { polite, impolite, errors, settle } = stage([streams[0], streams[1]])
    await settle()
    expect([polite.states.at(-1), impolite.states.at(-1)]).toEqual(['connected', 'connected'])
    expect(errors).toEqual([])
  })

  it('connect whatever of the candidates comes before the description', async () => {
    const { polite, impolite, errors, settle } = stage(CAMERAS)
    await ready()
    impolite.said.reverse()
    await settle()
    expect([polite.states.at(-1), impolite.states.at(-1)]).toEqual(['connected', 'connected'])
    expect(errors).toEqual([])
  })

  it('that both change something at once agree: the polite one gives way, and is heard after that', async () => {
    const { rtc, polite, impolite, errors, settle } = stage(CAMERAS)
    await settle()
    for (const side of [polite, impolite]) {
      const name = side === polite ? 'screen-p' : 'screen-i'
      side.local.addTrack(fakeTrack('video', name), fakeStream(name))
      side.negotiation.sendTracks()
    }
    await ready()
    // Both are out, and cross each other.
    expect([polite.said[0]?.description?.type, impolite.said[0]?.description?.type]).toEqual([
      'offer',
      'offer',
    ])
    await settle()
    expect([polite.streams, impolite.streams]).toEqual([
      ['cam-i', 'screen-i'],
      ['cam-p', 'screen-p'],
    ])
    expect([polite.connection.signalingState, impolite.connection.signalingState]).toEqual([
      'stable',
      'stable',
    ])
    expect(rtc.offers()).toBeGreaterThanOrEqual(3)
    expect(errors).toEqual([])
  })

  it('change a camera without a word, and tell when one stops', async () => {
    const { rtc, polite, impolite, settle } = stage(CAMERAS)
    await settle()
    impolite.local.setStream(fakeStream('other', 'audio', 'video'))
    impolite.negotiation.sendTracks()
    await settle()
    expect(rtc.offers()).toBe(1)
    impolite.local.setStream(undefined)
    impolite.negotiation.sendTracks()
    await settle()
    expect(rtc.offers()).toBe(2)
    expect(polite.streams).toEqual([])
  })

  it('find another way where the one was cut, also where both look for it', async () => {
    const { rtc, polite, impolite, errors, settle } = stage(CAMERAS)
    await settle()
    rtc.cut()
    rtc.mend()
    expect([polite.states.at(-1), impolite.states.at(-1)]).toEqual(['failed', 'failed'])
    polite.negotiation.restart()
    impolite.negotiation.restart()
    await settle()
    expect([polite.states.at(-1), impolite.states.at(-1)]).toEqual(['connected', 'connected'])
    expect(errors).toEqual([])
  })

  it('say nothing and hear nothing any more when one is closed', async () => {
    const { polite, impolite, errors, settle } = stage(CAMERAS)
    await settle()
    polite.negotiation.close()
    impolite.negotiation.restart()
    await settle()
    expect(polite.said).toEqual([])
    expect(impolite.states.at(-1)).toBe('failed')
    expect(errors).toEqual([])
  })
})
