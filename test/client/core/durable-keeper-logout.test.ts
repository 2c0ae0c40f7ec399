// The outbox with a store at a logout that keeps nothing.

import { describe, expect, it } from 'vitest'
import { createOutboxTable } from '../../../packages/client/src/stores/outbox-table.ts'
import { commandsOf, ids, idsOf, outcomesOf, SID } from '../support/drive.ts'
import { guest, holder, laneRow, OTHER, tableOf, withStore } from '../support/store-tab.ts'

describe('a logout that keeps nothing', () => {
  it('waits for what the server says of what was given up, and empties the store', () => {
    const { client, answer, asked, effects, table } = holder()
    for (const id of ids(1, 2)) client.send('den', id)
    answer()
    const [sent] = commandsOf(effects())
    client.step({ type: 'logout' })
    answer()
    expect(commandsOf(effects())).toEqual([])
    client.refuse(sent?.ref ?? 0, 'UNAVAILABLE')
    client.live(1_300)
    const [skips] = commandsOf(effects())
    expect(skips?.commands.map(({ type }) => type)).toEqual(['skip', 'skip'])
    expect(skips?.n).toBe(sent?.n)
    client.ack(skips?.ref ?? 0, 7)
    client.refuse((skips?.ref ?? 0) + 1, 'SKIPPED')
    expect(asked()).toEqual(['remove', 'tell', 'fail', 'clear'])
    expect(client.core.status()).toBe('closed')
    answer()
    expect(outcomesOf(effects())).toEqual(['m-000001 acknowledged 7', 'm-000002 failed CANCELLED'])
    expect(table.list()).toEqual([])
    expect(client.core.nextDeadline()).toBe(Number.POSITIVE_INFINITY)
  })

  it('waits for five seconds at most: what was sent has no outcome then', () => {
    const { client, answer, effects, table } = holder()
    client.send('den', 'm-000001')
    answer()
    effects()
    client.step({ type: 'logout' })
    answer()
    client.live(4_900)
    expect(client.core.status()).toBe('connected')
    client.live(100)
    expect(client.core.status()).toBe('closed')
    answer()
    expect(outcomesOf(effects())).toEqual([])
    expect(table.list()).toEqual([])
    expect(client.core.queued().rows).toBe(1)
  })

  it('fails what nobody has sent, once the store is empty and not before', () => {
    const { client, answer, asked, effects, table } = holder()
    client.lose()
    for (const id of ids(1, 2)) client.send('den', id)
    answer()
    effects()
    client.step({ type: 'logout' })
    expect(outcomesOf(effects())).toEqual([])
    answer()
    expect(outcomesOf(effects())).toEqual(ids(1, 2).map((id) => `${id} failed CANCELLED`))
    expect(asked()).toEqual([])
    expect(table.list()).toEqual([])
    expect(client.core.queued().rows).toBe(0)
  })

  it.each(['in it', 'on its way into it'])(
    'makes no outcome up of what is %s, when the store is lost',
    (where) => {
      const { client, answer, effects } = holder()
      client.lose()
      client.send('den', 'm-000001')
      if (where === 'in it') answer()
      client.step({ type: 'store_lost', detail: 'gone' })
      client.step({ type: 'logout' })
      expect(client.core.status()).toBe('closed')
      expect(outcomesOf(effects())).toEqual([])
    },
  )

  it('makes no outcome up of what another has given a new lane', () => {
    const { client, answer, effects, hear, table } = holder()
    client.lose()
    client.send('den', 'm-000001')
    answer()
    table.renumber('den', SID, OTHER)
    hear({ isChanged: true })
    client.step({ type: 'logout' })
    answer()
    expect(client.core.status()).toBe('closed')
    expect(outcomesOf(effects())).toEqual([])
  })

  it('makes no outcome up of what another may have sent', () => {
    // Of a former load; written while another tab was the holder; and while we were, until another became it.
    const former = holder(tableOf(laneRow('m-000001', 1)))
    former.client.lose()
    const written = guest()
    written.client.lose()
    written.client.send('den', 'm-000001')
    const held = holder()
    held.client.lose()
    held.client.send('den', 'm-000001')
    held.answer()
    held.hold(false)
    for (const { client, answer, effects, table } of [former, written, held]) {
      answer()
      client.step({ type: 'logout' })
      answer()
      expect(client.core.status()).toBe('closed')
      expect(outcomesOf(effects())).toEqual([])
      expect(table.list()).toEqual([])
    }
  })

  it('gives up at once what the store has not yet, and takes nothing more', () => {
    const { client, answer, effects, table } = holder()
    for (const id of ids(1, 2)) client.send('den', id)
    client.step({ type: 'logout' })
    client.send('den', 'm-000003')
    expect(outcomesOf(effects())).toEqual(['m-000002 failed CANCELLED', 'm-000003 failed CLOSED'])
    answer()
    const skips = effects()
    expect(idsOf(skips)).toEqual(['-m-000001'])
    client.refuse(commandsOf(skips)[0]?.ref ?? 0, 'SKIPPED')
    answer()
    expect(outcomesOf(effects())).toEqual(['m-000001 failed CANCELLED'])
    expect(table.list()).toEqual([])
  })

  it('cancels what comes to light meanwhile', () => {
    const tab = holder()
    tab.client.send('den', 'm-000001')
    tab.answer()
    tab.effects()
    tab.client.step({ type: 'logout' })
    tab.answer()
    tab.effects()
    tab.table.add([{ ...laneRow('m-000002', 1, OTHER), room: 'hall' }])
    tab.hear({ isChanged: true })
    expect(idsOf(tab.effects())).toEqual(['-m-000002'])
  })

  it('opens a store that was not open, to empty it', () => {
    const { client, answer, asked, table } = withStore(tableOf(laneRow('m-000001', 1)))
    client.step({ type: 'logout' })
    expect(asked()).toEqual(['open'])
    answer()
    expect(asked()).toEqual(['list', 'clear', 'tell', 'close'])
    expect(table.list()).toEqual([])
    expect(client.core.nextDeadline()).toBe(Number.POSITIVE_INFINITY)
  })

  it('gives a store up that does not answer in five seconds, and says so', () => {
    for (const isOpen of [true, false]) {
      const { client, answer, asked, effects } = withStore()
      client.send('den', 'm-000001')
      if (isOpen) answer()
      effects()
      client.step({ type: 'logout' })
      asked()
      client.advance(5_000)
      expect(client.core.storage()).toBe('lost')
      expect(asked()).toEqual(['close'])
      expect(client.core.nextDeadline()).toBe(Number.POSITIVE_INFINITY)
      // What is in it may be sent by whoever opens it next.
      expect(outcomesOf(effects())).toEqual(isOpen ? [] : ['m-000001 failed CANCELLED'])
    }
  })

  it('fails what was said after the store was lost, and nothing that is in it', () => {
    const { client, answer, effects, asked } = withStore()
    client.send('den', 'm-000001')
    answer()
    client.step({ type: 'store_lost', detail: 'gone' })
    client.send('den', 'm-000002')
    effects()
    client.step({ type: 'logout' })
    expect(outcomesOf(effects())).toEqual(['m-000002 failed CANCELLED'])
    expect(asked()).not.toContain('clear')
  })

  it('ends with close(), and with the connection', () => {
    for (const end of ['close', 'lose'] as const) {
      const { client, answer, table } = holder()
      client.send('den', 'm-000001')
      answer()
      client.step({ type: 'logout' })
      answer()
      expect(client.core.status()).toBe('connected')
      if (end === 'close') client.step({ type: 'close' })
      else client.lose()
      answer()
      expect(client.core.status()).toBe('closed')
      expect(table.list()).toEqual([])
    }
  })

  it('lets another tab of the user ask the server about its rows, and bring none of them back', () => {
    const table = createOutboxTable()
    const leaver = holder(table)
    const other = guest(table)
    other.client.send('den', 'm-000001')
    other.answer()
    other.effects()
    leaver.client.lose()
    leaver.effects()
    leaver.client.step({ type: 'logout' })
    leaver.answer()
    const [notice] = leaver.told()
    other.hear(notice ?? {})
    const skips = other.effects()
    expect(idsOf(skips)).toEqual(['-m-000001'])
    other.client.refuse(commandsOf(skips)[0]?.ref ?? 0, 'SKIPPED')
    other.answer()
    expect(outcomesOf(other.effects())).toEqual(['m-000001 failed VOID'])
    expect(table.list()).toEqual([])
  })
})
