// What a device tells of how far it has a room: little, late, and again where nobody answered.

import type { ClientMessage, Entry } from '@tautline/protocol'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Context } from '../../../packages/client/src/core/context.ts'
import { createDeliveries, type Deliveries } from '../../../packages/client/src/core/deliveries.ts'

const entry = (seq: number, sender = 'bob', type = 'new_message'): Entry => ({
  type,
  seq,
  sender,
  messageId: `message-${seq}`,
  timestamp: 1,
  payload: {},
})

let sent: ClientMessage[]
let context: Context
let deliveries: Deliveries
let refs: number

beforeEach(() => {
  sent = []
  refs = 0
  context = {
    options: { tellDeliveries: true } as Context['options'],
    random: () => 0.5,
    now: 0,
    limits: {} as Context['limits'],
    online: true,
    ready: true,
    greeting: undefined,
    pending: new Map(),
    emit: () => {},
    send: (message) => void sent.push(message),
    takeRefs: () => ++refs,
  }
  deliveries = createDeliveries(context)
})

function at(ms: number): ClientMessage[] {
  context.now = ms
  deliveries.tick()
  return sent.splice(0)
}
const told = (ref: number, seq: number, room = 'general') => [
  { type: 'mark_delivered', payload: { ref, room, seq } },
]

describe('deliveries', () => {
  it('are told once a second, the newest alone', () => {
    deliveries.heard('general', [entry(1), entry(2)], 'alice')
    deliveries.heard('general', [entry(3)], 'alice')
    expect(deliveries.deadline()).toBe(1_000)
    expect(at(999)).toEqual([])
    expect(at(1_000)).toEqual(told(1, 3))
    deliveries.answered('general', 3)
    deliveries.heard('general', [entry(4)], 'alice')
    expect(at(1_999)).toEqual([])
    expect(at(2_000)).toEqual(told(2, 4))
  })

  it('are of what others said: neither of own messages, nor of other entries, nor of the own log', () => {
    deliveries.heard('general', [entry(1, 'alice'), entry(2, 'bob', 'member_joined')], 'alice')
    deliveries.heard('~alice', [entry(1)], 'alice')
    expect(deliveries.deadline()).toBe(Number.POSITIVE_INFINITY)
    deliveries.heard('~alice~bob', [entry(1)], 'alice')
    expect(at(1_000)).toEqual(told(1, 1, '~alice~bob'))
  })

  it('are told again after a reconnect where no answer came, and not where one did', () => {
    deliveries.heard('general', [entry(1)], 'alice')
    deliveries.heard('other', [entry(5)], 'alice')
    expect(at(1_000)).toEqual([...told(1, 1), ...told(2, 5, 'other')])
    deliveries.answered('other', 5)
    context.ready = false
    expect(deliveries.deadline()).toBe(Number.POSITIVE_INFINITY)
    context.ready = true
    deliveries.start()
    expect(at(2_000)).toEqual(told(3, 1))
  })

  it('wait as long as the server asks, and end where it keeps none', () => {
    deliveries.heard('general', [entry(1)], 'alice')
    at(1_000)
    deliveries.refused('general', 5_000)
    expect(deliveries.deadline()).toBe(6_000)
    expect(at(6_000)).toEqual(told(2, 1))
    deliveries.refused('general', undefined)
    deliveries.heard('general', [entry(2)], 'alice')
    deliveries.start()
    expect(deliveries.deadline()).toBe(Number.POSITIVE_INFINITY)
  })

  it('are not told where they are switched off, or of a room that was left', () => {
    deliveries.heard('general', [entry(1)], 'alice')
    deliveries.leave('general')
    expect(at(1_000)).toEqual([])
    context = { ...context, options: { ...context.options, tellDeliveries: false } }
    deliveries = createDeliveries(context)
    deliveries.heard('general', [entry(1)], 'alice')
    expect(deliveries.deadline()).toBe(Number.POSITIVE_INFINITY)
  })
})
