// The outbox with a store: what is written before what is said, who sends, and what is left where the store fails. The
// store is a table in memory that answers when it is told to.

import type { Code } from '@tautline/protocol'
import { describe, expect, it } from 'vitest'
import type { CoreOptions, Effect } from '../../../packages/client/src/core/context.ts'
import { keepInStore } from '../../../packages/client/src/core/durable-keeper.ts'
import type { StoreCall, StoreResult } from '../../../packages/client/src/core/keeper.ts'
import type { LaneRow, OutboxNotice, SendOutcome } from '../../../packages/client/src/core/outbox-row.ts'
import { createOutboxTable, type OutboxTable } from '../../../packages/client/src/stores/outbox-table.ts'
import {
  commandsOf,
  drive,
  type EffectOf,
  ids,
  idsOf,
  ofType,
  outcomesOf,
  rowOf,
  SERVER_TIME,
  SID,
} from '../support/drive.ts'

const FORMER = 'lane-of-a-former-load'

/** A call, and what the store answers to it: calls take effect at once, answers come when asked for. */
interface Asked {
  readonly id: number
  readonly call: StoreCall
  readonly result: StoreResult | undefined
}

function apply(table: OutboxTable, call: StoreCall): StoreResult | undefined {
  switch (call.do) {
    case 'open':
      return {}
    case 'list':
      return { rows: table.list() }
    case 'add':
      return { orders: table.add(call.rows) }
    case 'skip':
      table.skip(call.messageIds, call.code)
      return {}
    case 'fail':
      table.fail(call.messageId, call.code, call.detail)
      return {}
    case 'renumber':
      return { rows: table.renumber(call.room, call.lost, call.sid) }
    case 'remove':
      table.remove(call.messageIds)
      return {}
    case 'tell':
    case 'steal':
    case 'close':
      return undefined
    default:
      return call satisfies never
  }
}

/** A core, and the store that it writes to: answered by hand. */
function withStore(table: OutboxTable = createOutboxTable(), change: Partial<CoreOptions> = {}) {
  const client = drive({ keeper: keepInStore, ...change })
  const unanswered: Asked[] = []
  /** What was asked of the store since the last time. */
  let asked: StoreCall[] = []
  let seen: Effect[] = []

  function look(): void {
    for (const effect of client.take()) {
      seen.push(effect)
      if (effect.type !== 'store') continue
      const { id, call } = effect
      asked.push(call)
      const result = apply(table, call)
      if (result) unanswered.push({ id, call, result })
    }
  }

  const tab = {
    client,
    table,
    /** Answers the oldest calls, by default all of them, and what follows from them. */
    answer(count = Number.POSITIVE_INFINITY): void {
      look()
      for (let i = 0; i < count; i++) {
        const next = unanswered.shift()
        if (!next) return
        client.step({ type: 'stored', id: next.id, result: next.result ?? {} })
        look()
      }
    },
    /** Everything since the last time, with the calls. */
    effects(): Effect[] {
      look()
      const taken = seen
      seen = []
      asked = []
      return taken
    },
    asked(): string[] {
      look()
      const taken = asked
      asked = []
      return taken.map((call) => call.do)
    },
    /** What was told since the last time. */
    told: (): OutboxNotice[] =>
      tab
        .effects()
        .flatMap((effect) =>
          effect.type === 'store' && effect.call.do === 'tell' ? [effect.call.notice] : [],
        ),
    hold(isHeld = true): void {
      client.step({ type: 'held', isHeld })
      tab.answer()
    },
    hear(notice: Partial<OutboxNotice>): void {
      client.step({ type: 'told', notice: { settled: [], isChanged: false, isHolder: true, ...notice } })
      tab.answer()
    },
    /** The oldest of these frames is answered with this code. */
    refuse(effects: readonly Effect[], code: Code): void {
      client.refuse(commandsOf(effects)[0]?.ref ?? 0, code)
    },
  }
  return tab
}

function laneRow(messageId: string, n: number, sid = FORMER, change: Partial<LaneRow> = {}): LaneRow {
  return { ...rowOf('den', messageId), sid, n, ...change }
}

/** What the store holds of former loads or other tabs. */
function tableOf(...rows: readonly LaneRow[]): OutboxTable {
  const table = createOutboxTable()
  table.add(rows)
  return table
}

/** Open, the holder, connected, everything answered. */
function holder(table?: OutboxTable) {
  const tab = withStore(table)
  tab.client.step({ type: 'connect' })
  tab.answer()
  tab.hold()
  const connected = tab.client.signIn()
  tab.effects()
  return { ...tab, connected }
}

/** As `holder`, but another tab has the store. */
function guest(table?: OutboxTable) {
  const tab = withStore(table)
  tab.client.step({ type: 'connect' })
  tab.answer()
  tab.client.signIn()
  tab.effects()
  return tab
}

const statuses = (effects: readonly Effect[], messageId: string): string[] =>
  effects.flatMap((effect) => {
    if (effect.type === 'progress' && effect.messageId === messageId) return [effect.status]
    return effect.type === 'settled' && effect.messageId === messageId ? [effect.outcome.status] : []
  })

const acknowledged = (seq: number): SendOutcome => ({ status: 'acknowledged', seq, timestamp: SERVER_TIME })
const storageOf = (effects: readonly Effect[]): EffectOf<'storage'>[] => ofType(effects, 'storage')

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
    table.fail('m-000001', 'FORBIDDEN', 'no')
    const tab = withStore(table)
    tab.client.step({ type: 'connect' })
    tab.answer()
    tab.hold()
    tab.client.signIn()
    const effects = tab.effects()
    expect(ofType(effects, 'restored').map(({ outcome }) => outcome)).toEqual([
      { status: 'failed', code: 'FORBIDDEN', detail: 'no' },
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
    expect(tab.table.list()[0]?.failed).toEqual({ code: 'FORBIDDEN', detail: undefined })
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

describe('rows of another tab', () => {
  it('are sent in the order of the store as soon as nothing is on its way', () => {
    const tab = holder()
    tab.table.add([laneRow('m-000001', 1)])
    tab.client.send('den', 'm-000002')
    tab.answer()
    expect(idsOf(tab.effects())).toEqual(['m-000002'])
    tab.hear({ isChanged: true, isHolder: false })
    tab.client.lose()
    expect(idsOf(tab.client.reconnect())).toEqual(['m-000001'])
  })

  it('keep nobody from a new lane where the server knows none of theirs any more', () => {
    const tab = holder()
    tab.table.add([laneRow('m-000001', 5)])
    tab.client.send('den', 'm-000002')
    tab.answer()
    const flying = tab.effects()
    tab.hear({ isChanged: true, isHolder: false })
    tab.effects()
    tab.refuse(flying, 'GAP')
    tab.answer()
    const again = commandsOf(tab.client.live(200))
    expect(again.map(({ n, commands }) => [n, commands.length])).toEqual([[5, 1]])
    tab.effects()
    tab.client.refuse(again[0]?.ref ?? 0, 'GAP')
    tab.answer()
    expect(commandsOf(tab.client.live(200)).map(({ n, commands }) => [n, commands.length])).toEqual([[1, 2]])
  })

  it('that are gone from the store are asked after within the window of their room', () => {
    const rows = ids(1, 8)
    const tab = holder(tableOf(...rows.map((id, i) => laneRow(id, i + 1))))
    expect(idsOf(tab.connected)).toEqual(rows)
    for (const id of ids(9, 12)) tab.client.send('den', id)
    tab.answer()
    tab.table.remove(rows)
    tab.effects()
    tab.hear({ isChanged: true, isHolder: false })
    const first = commandsOf(tab.effects())
    expect(first.flatMap(({ commands }) => commands)).toHaveLength(8)
    const [{ ref, commands } = { ref: 0, commands: [] }] = first
    tab.client.ack(ref, 1, commands.length)
    expect(idsOf(tab.effects())).toHaveLength(commands.length)
  })
})
