// The outbox with a store: what is written before what is said, what a former load left, and outcomes.

import { describe, expect, it } from 'vitest'
import { isStoredRow } from '../../../packages/client/src/stored-row.ts'
import { createOutboxTable, type OutboxTable } from '../../../packages/client/src/stores/outbox-table.ts'
import {
  commandsOf,
  drive,
  ids,
  idsOf,
  ofType,
  outcomesOf,
  rowOf,
  SERVER_TIME,
  SID,
} from '../support/drive.ts'
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

describe('a new message', () => {
  it('is queued when the store has it, and sent only then', () => {
    const { client, answer, effects } = holder()
    client.send('den', 'm-000001')
    client.live(3_000)
    expect(statuses(effects(), 'm-000001')).toEqual([])
    answer()
    const after = effects()
    expect(statuses(after, 'm-000001')).toEqual(['queued', 'sent'])
    expect(idsOf(after)).toEqual(['m-000001'])
  })

  it('waits for the write that is under way, and goes with all others that wait in the next one', () => {
    const { client, answer, asked, effects, table } = holder()
    for (const id of ids(1, 4)) client.send('den', id)
    expect(asked()).toEqual(['add'])
    answer(1)
    expect(idsOf(effects())).toEqual(['m-000001'])
    expect(table.list().map(({ messageId, sid, n }) => [messageId, sid, n])).toEqual(
      ids(1, 4).map((id, i) => [id, SID, i + 1]),
    )
    answer(1)
    expect(idsOf(effects())).toEqual(ids(2, 4))
  })

  it('opens the store, also without a connection', () => {
    const { client, answer, asked, effects } = withStore()
    expect(asked()).toEqual([])
    client.send('den', 'm-000001')
    expect(asked()).toEqual(['open'])
    answer()
    const after = effects()
    expect(statuses(after, 'm-000001')).toEqual(['queued'])
    expect(storageOf(after).map(({ status }) => status)).toEqual(['durable'])
  })

  it('needs no store where there is none', () => {
    const client = drive()
    expect(statuses(client.send('den', 'm-000001'), 'm-000001')).toEqual(['queued'])
    expect(ofType(client.connect(), 'store')).toEqual([])
  })

  it('counts against the bounds together with what is in the store', () => {
    const table = tableOf(...ids(1, 999).map((id, i) => laneRow(id, i + 1)))
    const { client, effects } = holder(table)
    client.send('den', 'm-001000')
    client.send('den', 'm-001001')
    expect(outcomesOf(effects())).toEqual(['m-001001 failed OUTBOX_FULL'])
    expect(client.core.queued()).toMatchObject({ rows: 1_000, pressure: 1 })
  })
})

describe('what is written of a message', () => {
  /** As the clocks of browsers do, it shows parts of milliseconds. */
  const PART_MS = 0.37

  it.each(['before we are connected', 'while we are'])('can be read again, said %s', (when) => {
    const tab = withStore()
    tab.client.advance(PART_MS)
    if (when === 'before we are connected') tab.client.send('den', 'm-000001')
    tab.client.step({ type: 'connect' })
    tab.answer()
    tab.hold()
    tab.client.signIn()
    tab.client.advance(PART_MS)
    if (when === 'while we are') tab.client.send('den', 'm-000001')
    tab.answer()
    const rows = tab.table.list()
    expect(rows.map(({ messageId }) => messageId)).toEqual(['m-000001'])
    expect(rows.filter((row) => !isStoredRow(row))).toEqual([])
    expect(rows.filter(({ createdAt }) => !Number.isSafeInteger(createdAt))).toEqual([])
  })

  it('can be read by a later version, also the time that an earlier one wrote', () => {
    const row = { ...laneRow('m-000001', 1), createdAt: 1_790_000_000_000.5, order: 1 }
    expect(isStoredRow(row)).toBe(true)
    expect(isStoredRow({ ...row, createdAt: Number.NaN })).toBe(false)
  })
})

describe('what a former load left', () => {
  it('is shown, and sent before what is said now, in its own lane', () => {
    const tab = withStore(tableOf(...ids(1, 2).map((id, i) => laneRow(id, i + 5))))
    tab.client.send('den', 'm-000003')
    tab.answer()
    tab.hold()
    expect(ofType(tab.effects(), 'restored').map(({ row, outcome }) => [row.messageId, outcome])).toEqual([
      ['m-000001', undefined],
      ['m-000002', undefined],
    ])
    const first = commandsOf(tab.client.connect())
    expect(first.map(({ sid, n, commands }) => [sid, n, commands.length])).toEqual([[FORMER, 5, 2]])
    // The lane changes: what comes next waits for the outcome of what is before it.
    expect(commandsOf(tab.client.ack(first[0]?.ref ?? 0, 1))).toEqual([])
    const second = commandsOf(tab.client.ack((first[0]?.ref ?? 0) + 1, 2))
    expect(second.map(({ sid, n }) => [sid, n])).toEqual([[SID, 1]])
  })

  it('and failed is shown as failed, and neither sent nor reported again', () => {
    const table = tableOf(laneRow('m-000001', 1))
    table.fail('m-000001', 'REJECTED', 'no', 'JOB_NOT_FOUND')
    const tab = withStore(table)
    tab.client.step({ type: 'connect' })
    tab.answer()
    tab.hold()
    tab.client.signIn()
    const effects = tab.effects()
    expect(ofType(effects, 'restored').map(({ outcome }) => outcome)).toEqual([
      { status: 'failed', code: 'REJECTED', detail: 'no', applicationCode: 'JOB_NOT_FOUND' },
    ])
    expect(outcomesOf(effects)).toEqual([])
    expect(commandsOf(effects)).toEqual([])
    expect(tab.client.core.queued().rows).toBe(0)
  })

  it('is not sent before it was read, by whoever becomes the holder', () => {
    const { client, effects, answer } = guest(tableOf(laneRow('m-000001', 1)))
    client.step({ type: 'held', isHeld: true })
    expect(idsOf(effects())).toEqual([])
    answer()
    expect(idsOf(effects())).toEqual(['m-000001'])
  })

  it('is given up after seven days, and that is written', () => {
    const week = 7 * 86_400_000
    const { asked, table, connected } = holder(
      tableOf(laneRow('m-000001', 1, FORMER, { createdAt: SERVER_TIME - week - 1 }), laneRow('m-000002', 2)),
    )
    expect(idsOf(connected)).toEqual(['-m-000001', 'm-000002'])
    expect(asked()).toEqual([])
    expect(table.list().map(({ skipFor }) => skipFor)).toEqual(['EXPIRED', undefined])
  })
})

describe('an outcome', () => {
  it('of a message that was accepted is reported, removed and told', () => {
    const { client, answer, effects, table } = holder()
    for (const id of ids(1, 3)) client.send('den', id)
    answer()
    const frames = commandsOf(effects())
    client.ack(frames[0]?.ref ?? 0, 1)
    client.ack(frames[1]?.ref ?? 0, 2, 2)
    const after = effects()
    expect(outcomesOf(after)).toEqual(ids(1, 3).map((id, i) => `${id} acknowledged ${i + 1}`))
    const calls = ofType(after, 'store').map(({ call }) => call)
    expect(calls).toEqual([
      { do: 'remove', messageIds: ids(1, 1) },
      {
        do: 'tell',
        notice: {
          settled: [{ messageId: 'm-000001', outcome: acknowledged(1) }],
          isChanged: false,
          isHolder: true,
        },
      },
      { do: 'remove', messageIds: ids(2, 3) },
      expect.objectContaining({ do: 'tell' }),
    ])
    expect(table.list()).toEqual([])
  })

  it('of a message that was refused is written before it is reported and told, and holds up nobody', () => {
    const tab = holder()
    for (const id of ids(1, 2)) tab.client.send('den', id)
    tab.answer()
    tab.refuse(tab.effects(), 'FORBIDDEN')
    expect(tab.asked()).toEqual(['fail'])
    expect(outcomesOf(tab.effects())).toEqual([])
    tab.client.send('den', 'm-000003')
    tab.answer()
    const after = tab.effects()
    expect(outcomesOf(after)).toEqual(['m-000001 failed FORBIDDEN'])
    expect(idsOf(after)).toEqual(['m-000003'])
    expect(tab.table.list()[0]?.failed).toEqual({ code: 'FORBIDDEN', detail: 'no' })
  })

  it('is not undone by an older view of the store', () => {
    const { client, answer, effects } = holder()
    for (const id of ids(1, 2)) client.send('den', id)
    answer()
    const [first, second] = commandsOf(effects())
    // Read while both were there, answered when they are decided.
    client.step({ type: 'told', notice: { settled: [], isChanged: true, isHolder: false } })
    effects()
    client.ack(first?.ref ?? 0, 1)
    client.refuse(second?.ref ?? 0, 'FORBIDDEN')
    answer()
    const after = effects()
    expect(outcomesOf(after)).toEqual(['m-000001 acknowledged 1', 'm-000002 failed FORBIDDEN'])
    expect(ofType(after, 'restored')).toEqual([])
    expect(idsOf(after)).toEqual([])
    expect(client.core.queued().rows).toBe(0)
  })
})

describe('a message that is cancelled', () => {
  it('before it was to be written fails at once, and takes no place', () => {
    const { client, answer, effects, table } = holder()
    for (const id of ids(1, 3)) client.send('den', id)
    client.step({ type: 'cancel', messageId: 'm-000002' })
    expect(outcomesOf(effects())).toEqual(['m-000002 failed CANCELLED'])
    answer()
    expect(table.list().map(({ messageId, n }) => [messageId, n])).toEqual([
      ['m-000001', 1],
      ['m-000003', 2],
    ])
    expect(client.core.queued().rows).toBe(2)
  })

  it('while it is being written gives its place up as soon as it has one', () => {
    const { client, answer, effects, table } = holder()
    client.send('den', 'm-000001')
    client.step({ type: 'cancel', messageId: 'm-000001' })
    answer()
    expect(idsOf(effects())).toEqual(['-m-000001'])
    expect(table.list()[0]?.skipFor).toBe('CANCELLED')
  })

  it('in the store is marked there, and whoever holds it gives its place up', () => {
    const table = createOutboxTable()
    const one = guest(table)
    one.client.send('den', 'm-000001')
    one.answer()
    const two = holder(table)
    two.client.lose()
    one.effects()
    one.client.step({ type: 'cancel', messageId: 'm-000001' })
    one.answer()
    const [notice] = one.told()
    expect(notice?.isChanged).toBe(true)
    two.hear(notice ?? {})
    two.effects()
    expect(idsOf(two.client.reconnect())).toEqual(['-m-000001'])
  })

  it('fails with that reason, and that is written', () => {
    const tab = holder()
    tab.client.send('den', 'm-000001')
    tab.answer()
    tab.client.step({ type: 'cancel', messageId: 'm-000001' })
    tab.effects()
    tab.client.lose()
    tab.answer()
    tab.refuse(tab.client.reconnect(), 'SKIPPED')
    tab.answer()
    expect(outcomesOf(tab.effects())).toEqual(['m-000001 failed CANCELLED'])
    expect(tab.table.list()[0]?.failed?.code).toBe('CANCELLED')
  })
})

describe('a failed message', () => {
  function failedOne(table?: OutboxTable) {
    const tab = holder(table)
    tab.client.send('den', 'm-000001')
    tab.answer()
    tab.refuse(tab.effects(), 'FORBIDDEN')
    tab.answer()
    tab.effects()
    return tab
  }

  it('that is tried again leaves the store when its successor is in it', () => {
    const tab = failedOne()
    tab.client.step({ type: 'send', row: rowOf('den', 'm-000002'), replaces: 'm-000001' })
    tab.client.step({ type: 'discard', messageId: 'm-000001' })
    expect(tab.table.list().map(({ messageId }) => messageId)).toEqual(ids(1, 1))
    tab.answer()
    expect(tab.table.list().map(({ messageId }) => messageId)).toEqual(ids(2, 2))
    expect(ofType(tab.effects(), 'restored')).toEqual([])
  })

  it('that is tried again is not brought back by an older view of the store', () => {
    const tab = failedOne()
    tab.client.step({ type: 'told', notice: { settled: [], isChanged: true, isHolder: false } })
    tab.effects()
    tab.client.step({ type: 'send', row: rowOf('den', 'm-000002'), replaces: 'm-000001' })
    tab.answer()
    expect(ofType(tab.effects(), 'restored')).toEqual([])
  })

  it('that is discarded leaves the store, and the others forget it', () => {
    const table = createOutboxTable()
    const tab = failedOne(table)
    const other = guest(table)
    tab.client.step({ type: 'discard', messageId: 'm-000001' })
    const [notice] = tab.told()
    expect(table.list()).toEqual([])
    other.hear(notice ?? {})
    expect(ofType(other.effects(), 'discarded').map(({ messageId }) => messageId)).toEqual(['m-000001'])
  })

  it('does not count against the bounds', () => {
    const tab = failedOne()
    expect(tab.client.core.queued()).toEqual({ rows: 0, bytes: 0, pressure: 0 })
  })
})
