import { type MemoryPeer, memoryTransport } from '@tautline/client/memory'
import { describe, expect, it } from 'vitest'
import type { TransportEvents } from '../../../packages/client/src/transport.ts'
import { idle } from '../support/virtual-time.ts'

function pair() {
  const heard: string[] = []
  let peer = undefined as MemoryPeer | undefined
  const dial = memoryTransport((accepted) => {
    peer = accepted
    accepted.onMessage = (text) => heard.push(`server heard ${text}`)
    accepted.onClose = (code, reason) => heard.push(`server closed ${code} ${reason}`)
  })
  const events: TransportEvents = {
    onOpen: () => heard.push('open'),
    onMessage: (text) => heard.push(`client heard ${String(text)}`),
    onClose: (code, reason) => heard.push(`client closed ${code} ${reason}`),
  }
  const transport = dial(events)
  return { heard, transport, peer: peer as MemoryPeer }
}

describe('a pair in memory', () => {
  it('opens in a later turn, and carries frames in order both ways', async () => {
    const { heard, transport, peer } = pair()
    expect(heard).toEqual([])
    await idle()
    transport.send('1')
    peer.send('2')
    transport.send('3')
    expect(heard).toEqual(['open'])
    await idle()
    expect(heard).toEqual(['open', 'server heard 1', 'client heard 2', 'server heard 3'])
  })

  it('closes from either end, once, behind what was sent before', async () => {
    for (const end of ['transport', 'peer'] as const) {
      const all = pair()
      await idle()
      all.heard.length = 0
      all.transport.send('last')
      all[end].close(4000, 'done')
      all.transport.send('too late')
      all.peer.send('too late')
      all.transport.close(1000, '')
      all.peer.close(1000, '')
      await idle()
      expect(all.heard.toSorted()).toEqual([
        'client closed 4000 done',
        'server closed 4000 done',
        'server heard last',
      ])
      expect(all.heard[0]).toBe('server heard last')
    }
  })

  it('that is refused throws at the dialling, and opens nothing', async () => {
    const heard: string[] = []
    const dial = memoryTransport(() => {
      throw new Error('full')
    })
    const events = {
      onOpen: () => heard.push('open'),
      onMessage: () => heard.push('message'),
      onClose: () => heard.push('close'),
    }
    expect(() => dial(events)).toThrow('full')
    await idle()
    expect(heard).toEqual([])
  })
})
