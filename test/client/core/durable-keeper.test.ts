// The outbox with a store: what is written before what is said, who sends, and what is left where the store fails. The
// store is a table in memory that answers when it is told to.

import type { Code } from '@tautline/protocol'
import { describe, expect, it } from 'vitest'
import type { CoreOptions, Effect } from '../../../packages/client/src/core/context.ts'
import { keepInStore } from '../../../packages/client/src/core/durable-keeper.ts'
import type { StoreCall, StoreResult } from '../../../packages/client/src/core/keeper.ts'
import type { LaneRow, OutboxNotice, SendOutcome } from '../../../packages/client/src/core/outbox-row.ts'
import { isStoredRow } from '../../../packages/client/src/stored-row.ts'
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
import { answerOf } from '../support/store-calls.ts'

const FORMER = 'lane-of-a-former-load'
const OTHER = 'lane-of-another-tab'

/** A call, and what the store answers to it: calls take effect at once, answers come when asked for. */
interface Asked {
  readonly id: number
  readonly call: StoreCall
  readonly result: StoreResult | undefined
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
      const result = answerOf(table, call)
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

describe('who does not hold the store', () => {
  const nudges = (notices: readonly OutboxNotice[]) =>
    notices.map(({ isChanged, isHolder }) => `${isHolder ? 'holder' : 'guest'}${isChanged ? ' changed' : ''}`)

  it('writes, nudges, and sends nothing', () => {
    const { client, answer, effects } = guest()
    client.send('den', 'm-000001')
    answer()
    client.send('den', 'm-000002')
    answer()
    const after = effects()
    expect(statuses(after, 'm-000002')).toEqual(['queued'])
    expect(idsOf(after)).toEqual([])
    const told = ofType(after, 'store').flatMap(({ call }) => (call.do === 'tell' ? [call.notice] : []))
    expect(nudges(told)).toEqual(['guest changed', 'guest changed'])
  })

  it('reports what the holder tells, and writes nothing of it', () => {
    const { client, answer, asked, effects, hear } = guest()
    for (const id of ids(1, 2)) client.send('den', id)
    answer()
    asked()
    hear({
      settled: [
        { messageId: 'm-000001', outcome: acknowledged(4) },
        { messageId: 'm-000002', outcome: { status: 'failed', code: 'FORBIDDEN', detail: 'no' } },
        { messageId: 'm-000001', outcome: acknowledged(4) },
      ],
    })
    expect(outcomesOf(effects())).toEqual(['m-000001 acknowledged 4', 'm-000002 failed FORBIDDEN'])
    expect(asked()).toEqual([])
    expect(client.core.queued().rows).toBe(0)
  })

  it('reports an outcome that is told before the store has answered', () => {
    const { client, answer, effects, hear, table } = guest()
    client.send('den', 'm-000001')
    effects()
    table.remove(['m-000001'])
    client.step({
      type: 'told',
      notice: {
        settled: [{ messageId: 'm-000001', outcome: acknowledged(4) }],
        isChanged: false,
        isHolder: true,
      },
    })
    expect(statuses(effects(), 'm-000001')).toEqual([])
    answer()
    expect(statuses(effects(), 'm-000001')).toEqual(['queued', 'acknowledged'])
    hear({ isChanged: true })
    expect(statuses(effects(), 'm-000001')).toEqual([])
  })

  it('shows what others say and what became of it', () => {
    const { effects, hear, table } = guest()
    table.add([laneRow('m-000001', 1, OTHER), laneRow('m-000002', 2, OTHER)])
    hear({ isChanged: true, isHolder: false })
    expect(ofType(effects(), 'restored').map(({ row }) => row.messageId)).toEqual(ids(1, 2))
    table.fail('m-000001', 'FORBIDDEN', undefined)
    table.remove(['m-000002'])
    hear({
      settled: [
        { messageId: 'm-000001', outcome: { status: 'failed', code: 'FORBIDDEN' } },
        { messageId: 'm-000002', outcome: acknowledged(3) },
      ],
    })
    expect(outcomesOf(effects())).toEqual(['m-000001 failed FORBIDDEN', 'm-000002 acknowledged 3'])
  })

  it('shows a failure of which it had not known that it was said', () => {
    const { effects, hear, table } = guest()
    table.add([laneRow('m-000001', 1, OTHER)])
    table.fail('m-000001', 'FORBIDDEN', 'no')
    hear({ settled: [{ messageId: 'm-000001', outcome: { status: 'failed', code: 'FORBIDDEN' } }] })
    const restored = ofType(effects(), 'restored')
    expect(restored.map(({ outcome }) => outcome?.status)).toEqual(['failed'])
  })

  it('becomes the holder when it hears nothing of one for five seconds, and not sooner', () => {
    const { client, answer, asked, effects } = guest()
    client.send('den', 'm-000001')
    answer()
    effects()
    client.live(4_999)
    expect(asked()).toEqual([])
    client.live(1)
    expect(asked()).toEqual(['steal', 'tell'])
    client.live(4_999)
    expect(asked()).toEqual([])
    client.live(1)
    expect(asked()).toEqual(['steal', 'tell'])
  })

  it('takes the word of another that a message was accepted, though it was refused here', () => {
    const tab = holder()
    tab.client.send('den', 'm-000001')
    tab.answer()
    tab.refuse(tab.effects(), 'FORBIDDEN')
    tab.client.step({
      type: 'told',
      notice: {
        settled: [{ messageId: 'm-000001', outcome: acknowledged(4) }],
        isChanged: false,
        isHolder: true,
      },
    })
    tab.answer()
    expect(outcomesOf(tab.effects())).toEqual(['m-000001 acknowledged 4'])
    expect(tab.table.list()).toEqual([])
  })

  it('sends again what was refused together with one that another had decided meanwhile', () => {
    const tab = holder()
    for (const id of ids(1, 3)) tab.client.send('den', id)
    tab.answer()
    const [first, run] = commandsOf(tab.effects())
    expect(run?.commands.map(({ messageId }) => messageId)).toEqual(ids(2, 3))
    tab.client.ack(first?.ref ?? 0, 1)
    tab.hear({ settled: [{ messageId: 'm-000002', outcome: acknowledged(2) }] })
    tab.effects()
    tab.client.refuse(run?.ref ?? 0, 'RATE_LIMIT', { count: 2, retryAfterMs: 50 })
    expect(idsOf(tab.client.live(200))).toEqual(['m-000003'])
  })

  it('leaves a holder alone that lives, and looks into the store in case it missed something', () => {
    const { client, answer, asked, effects, hear } = guest()
    client.send('den', 'm-000001')
    answer()
    effects()
    for (let i = 0; i < 10; i++) {
      hear({})
      client.live(5_000)
      expect(asked()).toEqual(['list', 'tell'])
      answer()
      effects()
    }
  })

  it('steals nothing while nothing of the store waits, nor without a connection', () => {
    const { client, answer, asked, effects } = guest()
    client.live(30_000)
    expect(asked()).toEqual([])
    client.lose()
    client.send('den', 'm-000001')
    answer()
    effects()
    for (let i = 0; i < 6; i++) client.advance(10_000)
    expect(asked()).toEqual([])
  })

  it('first asks once more when it was asleep itself: what was told meanwhile comes only now', () => {
    const { client, answer, asked, effects } = guest()
    client.send('den', 'm-000001')
    answer()
    effects()
    client.sleep(20_000)
    client.tick()
    expect(asked()).not.toContain('steal')
  })

  it('sends what waits when it becomes the holder, and no longer when it was', () => {
    const tab = guest()
    for (const id of ids(1, 10)) tab.client.send('den', id)
    tab.answer()
    tab.hold()
    const effects = tab.effects()
    expect(idsOf(effects)).toEqual(ids(1, 8))
    tab.hold(false)
    tab.client.ack(commandsOf(effects)[0]?.ref ?? 0, 1, 8)
    tab.answer()
    const after = tab.effects()
    expect(outcomesOf(after)).toHaveLength(8)
    expect(idsOf(after)).toEqual([])
    expect(tab.table.list().map(({ messageId }) => messageId)).toEqual(ids(9, 10))
  })
})

describe('the holder', () => {
  it('does not steal from itself, however long its messages wait', () => {
    const tab = holder()
    tab.client.send('den', 'm-000001')
    tab.answer()
    tab.refuse(tab.effects(), 'UNAVAILABLE')
    tab.client.live(500)
    tab.effects()
    tab.client.live(60_000)
    expect(tab.asked()).not.toContain('steal')
  })

  it('gives no sign of life by what it tells without a connection', () => {
    const table = createOutboxTable()
    table.add([laneRow('m-000001', 1)])
    table.fail('m-000001', 'FORBIDDEN', undefined)
    const { client, told } = holder(table)
    client.lose()
    told()
    client.step({ type: 'discard', messageId: 'm-000001' })
    expect(told()).toEqual([{ settled: [], isChanged: true, isHolder: false }])
  })

  it('sends again what another holder has given a new lane while it was on its way', () => {
    const { effects, hear, table } = holder(tableOf(...ids(1, 2).map((id, i) => laneRow(id, i + 1))))
    table.renumber('den', FORMER, OTHER)
    hear({ isChanged: true })
    expect(commandsOf(effects()).map(({ sid, n, commands }) => [sid, n, commands.length])).toEqual([
      [OTHER, 1, 2],
    ])
  })

  it('reads what others wrote when they nudge, once for many nudges at a time', () => {
    const { client, answer, effects, table } = holder()
    table.add([laneRow('m-000001', 1, OTHER)])
    const notice = { settled: [], isChanged: true, isHolder: false }
    for (let i = 0; i < 5; i++) client.step({ type: 'told', notice })
    table.add([laneRow('m-000002', 2, OTHER)])
    const lists = () => ofType(effects(), 'store').filter(({ call }) => call.do === 'list').length
    expect(lists()).toBe(1)
    answer(1)
    expect(lists()).toBe(1)
    expect(table.list()).toHaveLength(2)
    answer()
    expect(client.core.queued().rows).toBe(2)
    expect(lists()).toBe(0)
  })

  it('finds in a minute at most what others wrote and nobody told', () => {
    const { client, answer, effects, table } = holder()
    table.add([laneRow('m-000001', 1, OTHER)])
    client.live(59_000)
    answer()
    expect(idsOf(effects())).toEqual([])
    client.live(2_000)
    answer()
    expect(idsOf(effects())).toEqual(['m-000001'])
  })

  it('gives a sign of life to who asks, while it is connected, and to no other holder', () => {
    const { client, hear, told } = holder()
    hear({ isHolder: false })
    expect(told()).toEqual([{ settled: [], isChanged: false, isHolder: true }])
    hear({ isHolder: true })
    expect(told()).toEqual([])
    client.lose()
    hear({ isHolder: false })
    expect(told()).toEqual([])
  })

  it('removes what a crash brought back, instead of reporting it once more', () => {
    const { client, answer, effects, hear, table } = holder()
    client.send('den', 'm-000001')
    answer()
    client.ack(commandsOf(effects())[0]?.ref ?? 0, 1)
    answer()
    table.add([laneRow('m-000001', 1, SID)])
    hear({ isChanged: true, isHolder: false })
    const after = effects()
    expect(idsOf(after)).toEqual([])
    expect(ofType(after, 'restored')).toEqual([])
    expect(table.list()).toEqual([])
  })

  it('keeps the order of the store, whoever wrote: what is in flight stands before', () => {
    const { client, answer, effects, hear, table } = holder()
    client.send('den', 'm-000001')
    answer()
    table.add([laneRow('m-000002', 1, OTHER)])
    client.send('den', 'm-000003')
    answer()
    const first = commandsOf(effects())
    hear({ isChanged: true, isHolder: false })
    const refs = first.map(({ ref }) => ref)
    client.ack(refs[0] ?? 0, 1)
    client.ack(refs[1] ?? 0, 2)
    answer()
    expect(idsOf(effects())).toEqual(['m-000002'])
  })
})

describe('a message that is gone from the store', () => {
  it('and was accepted is acknowledged with its place: the server is asked', () => {
    const { client, answer, effects, hear, table } = guest()
    client.send('den', 'm-000001')
    client.send('den', 'm-000002')
    answer()
    table.remove(['m-000001', 'm-000002'])
    effects()
    hear({ isChanged: true })
    const after = effects()
    expect(outcomesOf(after)).toEqual([])
    expect(commandsOf(after).map(({ sid, n }) => [sid, n])).toEqual([[SID, 1]])
    expect(idsOf(after)).toEqual(['-m-000001', '-m-000002'])
    const ref = commandsOf(after)[0]?.ref ?? 0
    client.ack(ref, 9)
    client.refuse(ref + 1, 'VOID')
    answer()
    const last = effects()
    expect(outcomesOf(last)).toEqual(['m-000001 acknowledged 9', 'm-000002 failed VOID'])
    expect(ofType(last, 'store')).toEqual([])
    expect(client.core.queued()).toMatchObject({ rows: 0, bytes: 0 })
  })

  it('keeps the reason for which it was given up', () => {
    const { client, answer, effects, hear, table } = guest()
    client.send('den', 'm-000001')
    answer()
    client.step({ type: 'cancel', messageId: 'm-000001' })
    effects()
    table.clear()
    hear({ isChanged: true })
    client.refuse(commandsOf(effects())[0]?.ref ?? 0, 'SKIPPED')
    expect(outcomesOf(effects())).toEqual(['m-000001 failed CANCELLED'])
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

describe('a lane that the server has lost', () => {
  /** The oldest of three rows got GAP: the store is to renumber them. */
  function lost() {
    const tab = holder(tableOf(...ids(1, 2).map((id, i) => laneRow(id, i + 7))))
    tab.client.send('den', 'm-000003')
    tab.answer()
    tab.effects()
    tab.refuse(tab.connected, 'GAP')
    return tab
  }

  it('is replaced in the store by one write, before anything more of the room is sent', () => {
    const { client, answer, asked, effects, table } = lost()
    expect(asked()).toEqual(['renumber'])
    client.live(9_000)
    expect(idsOf(effects())).toEqual([])
    answer()
    const frames = commandsOf(effects())
    expect(frames.map(({ n, commands }) => [n, commands.length])).toEqual([[1, 3]])
    const sid = frames[0]?.sid
    expect(sid).not.toBe(FORMER)
    expect(table.list().map((row) => [row.sid, row.n])).toEqual([1, 2, 3].map((n) => [sid, n]))
  })

  it('is from then on the lane of this tab in that room, and messages meanwhile go on in it', () => {
    const { client, answer, effects, table } = lost()
    client.send('den', 'm-000004')
    answer()
    client.live(100)
    answer()
    client.send('hall', 'm-000005')
    answer()
    const sid = table.list()[0]?.sid
    expect(table.list().map((row) => [row.messageId, row.sid, row.n])).toEqual([
      ...ids(1, 4).map((id, i) => [id, sid, i + 1]),
      ['m-000005', SID, 1],
    ])
    expect(idsOf(effects())).toContain('m-000005')
  })

  it('may have been replaced by another holder: its lane is taken over, and our next rows begin one of their own', () => {
    const tab = holder()
    for (const id of ids(1, 2)) tab.client.send('den', id)
    tab.answer()
    const effects = tab.effects()
    tab.table.renumber('den', SID, OTHER)
    tab.refuse(effects, 'GAP')
    tab.answer()
    tab.client.live(100)
    expect(commandsOf(tab.effects()).map(({ sid, n, commands }) => [sid, n, commands.length])).toEqual([
      [OTHER, 1, 2],
    ])
    tab.client.send('den', 'm-000003')
    tab.answer()
    const third = tab.table.list()[2]
    expect([SID, OTHER]).not.toContain(third?.sid)
    expect(third?.n).toBe(1)
  })

  it('of a guest is seen as renumbered when it looks: its next rows begin a new lane', () => {
    const { client, answer, hear, table } = guest()
    for (const id of ids(1, 2)) client.send('den', id)
    answer()
    table.renumber('den', SID, OTHER)
    hear({ isChanged: true })
    client.send('den', 'm-000003')
    client.send('hall', 'm-000004')
    answer()
    const [, , third, fourth] = table.list()
    expect([SID, OTHER]).not.toContain(third?.sid)
    expect(third?.n).toBe(1)
    expect(fourth).toMatchObject({ sid: SID, n: 1 })
  })

  it('is replaced in memory where the store is lost in the midst of it', () => {
    const { client, effects } = lost()
    client.step({ type: 'store_lost', detail: 'the disk is full' })
    client.live(100)
    const frames = commandsOf(effects())
    expect(frames.map(({ n, commands }) => [n, commands.length])).toEqual([[1, 3]])
    expect(frames[0]?.sid).not.toBe(FORMER)
  })

  it('is replaced also where the place of one message is beyond repair', () => {
    const tab = holder()
    for (const id of ids(1, 3)) tab.client.send('den', id)
    tab.answer()
    tab.refuse(tab.effects(), 'INVALID_MESSAGE')
    tab.answer()
    const skip = tab.effects()
    expect(idsOf(skip).slice(0, 1)).toEqual(['-m-000001'])
    tab.refuse(skip, 'INVALID_MESSAGE')
    tab.answer()
    tab.client.live(100)
    const after = tab.effects()
    expect(outcomesOf(after)).toEqual(['m-000001 failed INVALID_MESSAGE'])
    expect(commandsOf(after).map(({ n, commands }) => [n, commands.length])).toEqual([[1, 2]])
    expect(tab.table.list().map(({ failed, n }) => failed?.code ?? n)).toEqual(['INVALID_MESSAGE', 1, 2])
  })
})

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
