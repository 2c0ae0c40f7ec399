// The act of the calls: real signalling by the server, with peer connections of this process.

import type { Call } from '@tautline/client/calls'
import { expect } from 'vitest'
import { fakeStream } from '../../client/calls/fake-peer-connection.ts'
import type { Device } from './device.ts'
import type { Stage } from './stage.ts'
import { until } from './waiting.ts'

/** The call that rings at the device. */
async function rings({ calls, name }: Device): Promise<Call> {
  const isRinging = ({ status }: Call) => status === 'ringing'
  const { calls: there } = await until(calls, (list) => list.calls.some(isRinging), `it rings at ${name}`)
  return there.find(isRinging)!
}

const becomes = (call: Call, status: string, who: string) =>
  until(call, (shown) => shown.status === status, `the call is ${status} for ${who}`)

const ends = (call: Call, reason: string, who: string) =>
  until(call, (shown) => shown.reason === reason, `the call is over for ${who}: ${reason}`)

/** It rings on both devices, one answers, connections are lost in the middle of it, and the room knows how it went. */
export async function theyCall({ adaPhone, bobPhone, bobLaptop, cyTablet, finn }: Stage): Promise<void> {
  const atAda = adaPhone.calls.start({ to: 'bob', stream: fakeStream('cam-ada', 'audio', 'video') })
  const [atPhone, atLaptop] = await Promise.all([bobPhone, bobLaptop].map(rings))
  await atLaptop!.answer(fakeStream('cam-bob', 'audio', 'video'))
  await ends(atPhone!, 'answered_elsewhere', 'bob’s phone')
  await becomes(atAda, 'connected', 'ada')
  await becomes(atLaptop!, 'connected', 'bob')

  await Promise.all(
    [adaPhone, bobLaptop].map(async ({ client, name, proxy }) => {
      proxy.reset()
      await until(client, ({ status }) => status !== 'connected', `${name} has lost its connection`)
      await until(client, ({ status }) => status === 'connected', `${name} has another one`)
    }),
  )
  expect([atAda.status, atLaptop!.status]).toEqual(['connected', 'connected'])
  atLaptop!.hangUp()
  await ends(atAda, 'ended', 'ada')

  const atCy = cyTablet.calls.start({ to: 'finn' })
  const atFinn = await rings(finn)
  atFinn.reject()
  await ends(atCy, 'rejected', 'cy')
  const { calls } = await finn.calls.history(atCy.room)
  expect(calls).toMatchObject([{ media: 'audio', startedBy: 'cy', reason: 'rejected' }])
}
