// The outbox with a store that fails, and with one that is closed: nothing is lost with it.

import { describe, expect, it } from 'vitest'
import { commandsOf, ids, idsOf, ofType, outcomesOf } from '../support/drive.ts'
import {
  acknowledged,
  FORMER,
  guest,
  holder,
  laneRow,
  statuses,
  storageOf,
  tableOf,
  withStore,
} from '../support/store-tab.ts'

describe('a store that is lost', () => {
  it('because it does not open in five seconds leaves everything in memory', () => {
    const { client, asked, effects, answer } = withStore()
    client.send('den', 'm-000001')
    client.connect()
    client.live(4_900)
    expect(statuses(effects(), 'm-000001')).toEqual([])
    client.live(200)
    const after = effects()
    expect(storageOf(after).map(({ status }) => status)).toEqual(['lost'])
    expect(statuses(after, 'm-000001')).toEqual(['queued', 'sent'])
    expect(ofType(after, 'store').map(({ call }) => call.do)).toEqual(['close'])
    // It opens after all.
    answer()
    expect(asked()).toEqual([])
    expect(statuses(client.send('den', 'm-000002'), 'm-000002')).toEqual(['queued', 'sent'])
  })

  it('loses nothing: what was being written, what waits, and what is in it goes on in memory, in order', () => {
    const tab = holder(tableOf(laneRow('m-000001', 1)))
    tab.client.lose()
    for (const id of ids(2, 4)) tab.client.send('den', id)
    tab.effects()
    tab.client.step({ type: 'store_lost', detail: 'the disk is full' })
    const lost = tab.effects()
    expect(storageOf(lost)).toEqual([{ type: 'storage', status: 'lost', detail: 'the disk is full' }])
    expect(ofType(lost, 'progress').map(({ messageId, status }) => [messageId, status])).toEqual(
      ids(2, 4).map((id) => [id, 'queued']),
    )
    const first = commandsOf(tab.client.reconnect())
    expect(first.map(({ sid, n }) => [sid, n])).toEqual([[FORMER, 1]])
    tab.client.ack(first[0]?.ref ?? 0, 1)
    const second = tab.effects()
    expect(idsOf(second)).toEqual(['m-000001', ...ids(2, 4)])
    tab.client.ack(commandsOf(second).at(-1)?.ref ?? 0, 2, 3)
    expect(outcomesOf(tab.effects())).toHaveLength(3)
    expect(tab.client.core.queued().rows).toBe(0)
  })

  it('is asked for nothing more', () => {
    const tab = holder()
    tab.client.send('den', 'm-000001')
    tab.answer()
    tab.effects()
    tab.client.step({ type: 'store_lost', detail: 'gone' })
    tab.client.step({ type: 'store_lost', detail: 'gone, said once more' })
    expect(tab.asked()).toEqual(['close'])
    tab.client.send('den', 'm-000002')
    tab.client.step({ type: 'cancel', messageId: 'm-000002' })
    tab.client.step({ type: 'discard', messageId: 'm-000003' })
    tab.hear({ isChanged: true, isHolder: false })
    tab.hold(false)
    tab.client.live(60_000)
    expect(tab.asked()).toEqual([])
  })

  it('before it has answered for a message of which the outcome is known reports that', () => {
    const { client, effects } = guest()
    client.send('den', 'm-000001')
    client.step({
      type: 'told',
      notice: {
        settled: [{ messageId: 'm-000001', outcome: acknowledged(4) }],
        isChanged: false,
        isHolder: true,
      },
    })
    client.step({ type: 'store_lost', detail: 'gone' })
    const after = effects()
    expect(outcomesOf(after)).toEqual(['m-000001 acknowledged 4'])
    expect(idsOf(after)).toEqual([])
  })

  it('after a sleep has its time once more: the answer may come only now', () => {
    const { client } = holder()
    client.send('den', 'm-000001')
    client.sleep(60_000)
    client.tick()
    expect(client.core.storage()).toBe('durable')
    client.live(9_000)
    expect(client.core.storage()).toBe('durable')
    client.live(2_000)
    expect(client.core.storage()).toBe('lost')
  })

  it('when the client is closed changes nothing more: what was being written may be in it', () => {
    const tab = holder()
    tab.client.send('den', 'm-000001')
    tab.client.step({ type: 'close' })
    tab.effects()
    tab.client.step({ type: 'store_lost', detail: 'gone' })
    expect(statuses(tab.effects(), 'm-000001')).toEqual([])
  })

  it('while an outcome was being written reports it all the same', () => {
    const tab = holder()
    tab.client.send('den', 'm-000001')
    tab.answer()
    tab.refuse(tab.effects(), 'FORBIDDEN')
    tab.client.step({ type: 'store_lost', detail: 'the disk is full' })
    expect(outcomesOf(tab.effects())).toEqual(['m-000001 failed FORBIDDEN'])
  })

  it('lets also who did not hold it send what waits', () => {
    const { client, answer, effects } = guest()
    client.send('den', 'm-000001')
    answer()
    effects()
    client.step({ type: 'store_lost', detail: 'evicted' })
    expect(idsOf(effects())).toEqual(['m-000001'])
  })
})

describe('closing', () => {
  it('writes what waits, then lets go', () => {
    const { client, answer, asked, effects } = holder()
    for (const id of ids(1, 3)) client.send('den', id)
    asked()
    client.step({ type: 'close' })
    expect(asked()).toEqual(['add', 'close'])
    answer()
    const after = effects()
    expect(ids(1, 3).map((id) => statuses(after, id))).toEqual([['queued'], ['queued'], ['queued']])
    expect(client.core.nextDeadline()).toBe(Number.POSITIVE_INFINITY)
  })

  it('waits for the store to open where something is to be written', () => {
    const { client, answer, asked, table } = withStore()
    client.send('den', 'm-000001')
    client.step({ type: 'close' })
    expect(asked()).toEqual(['open'])
    answer()
    expect(asked()).toEqual(['list', 'add', 'close'])
    expect(table.list()).toHaveLength(1)
    expect(client.core.nextDeadline()).toBe(Number.POSITIVE_INFINITY)
  })

  it('does not wait for a store for ever that does not open', () => {
    const { client, asked, effects } = withStore()
    client.send('den', 'm-000001')
    client.step({ type: 'close' })
    asked()
    client.advance(5_000)
    expect(asked()).toEqual(['close'])
    expect(storageOf(effects()).map(({ status }) => status)).toEqual(['lost'])
    expect(client.core.nextDeadline()).toBe(Number.POSITIVE_INFINITY)
  })

  it('opens nothing for it', () => {
    const { client, asked } = withStore()
    client.step({ type: 'close' })
    expect(asked()).toEqual(['close'])
  })

  it('is the end of sending: what is said afterwards fails', () => {
    const { client, asked, effects } = holder()
    client.step({ type: 'close' })
    effects()
    client.send('den', 'm-000001')
    expect(outcomesOf(effects())).toEqual(['m-000001 failed CLOSED'])
    expect(asked()).toEqual([])
  })

  it('are told by a holder that is not connected, so that another can send them', () => {
    const tab = holder()
    tab.client.send('den', 'm-000001')
    tab.answer()
    expect(tab.told()).toEqual([])
    tab.client.lose(4410, 'REPLACED')
    expect(tab.told()).toEqual([{ settled: [], isChanged: true, isHolder: false }])
    tab.client.send('den', 'm-000002')
    tab.answer()
    expect(tab.told()).toEqual([{ settled: [], isChanged: true, isHolder: false }])
  })
})
