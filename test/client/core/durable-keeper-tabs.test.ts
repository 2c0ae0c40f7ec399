// The outbox with a store that tabs share: who sends, what they tell each other, and what each finds by itself.

import { describe, expect, it } from 'vitest'
import type { OutboxNotice } from '../../../packages/client/src/core/outbox-row.ts'
import { createOutboxTable } from '../../../packages/client/src/stores/outbox-table.ts'
import { commandsOf, ids, idsOf, ofType, outcomesOf, SID } from '../support/drive.ts'
import {
  acknowledged,
  FORMER,
  guest,
  holder,
  laneRow,
  OTHER,
  statuses,
  tableOf,
} from '../support/store-tab.ts'

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
    const tab = guest()
    for (const id of ids(1, 12)) tab.client.send('den', id)
    tab.answer()
    tab.table.clear()
    tab.effects()
    tab.hear({ isChanged: true })
    const first = commandsOf(tab.effects())
    expect(first.flatMap(({ commands }) => commands)).toHaveLength(8)
    const [{ ref, commands } = { ref: 0, commands: [] }] = first
    tab.client.ack(ref, 1, commands.length)
    expect(idsOf(tab.effects())).toHaveLength(4)
  })

  it('that are cancelled by it while they are on their way keep their places until their answers decide', () => {
    const tab = holder()
    for (const id of ids(1, 9)) tab.client.send('den', id)
    tab.answer()
    const [first, others] = commandsOf(tab.effects())
    tab.table.skip(ids(1, 2), 'CANCELLED')
    tab.hear({ isChanged: true })
    expect(idsOf(tab.effects())).toEqual([])
    tab.client.ack(first?.ref ?? 0, 1)
    expect(outcomesOf(tab.effects())).toEqual(['m-000001 acknowledged 1'])
    tab.client.refuse(others?.ref ?? 0, 'UNAVAILABLE', { retryAfterMs: 50 })
    tab.effects()
    expect(idsOf(tab.client.live(200))).toContain('-m-000002')
  })

  describe('that are on their way when they are gone from the store', () => {
    /** Eight are on their way, of which another tab has decided the first two. */
    function flying(rows = 8) {
      const tab = holder()
      for (const id of ids(1, rows)) tab.client.send('den', id)
      tab.answer()
      const [first, others] = commandsOf(tab.effects())
      tab.table.remove(ids(1, 2))
      tab.hear({ isChanged: true })
      return { ...tab, first: first?.ref ?? 0, others: others?.ref ?? 0 }
    }

    it('keep their places in the window until their answers decide', () => {
      const { client, effects, first, others } = flying(12)
      expect(idsOf(effects())).toEqual([])
      client.ack(first, 5)
      client.ack(others, 6)
      const after = effects()
      expect(outcomesOf(after)).toEqual(['m-000001 acknowledged 5', 'm-000002 acknowledged 6'])
      expect(idsOf(after)).toEqual(ids(9, 10))
      client.ack(others + 1, 7, 6)
      expect(outcomesOf(effects())).toHaveLength(6)
    })

    it('are asked after where their answer is that it was not the time', () => {
      const { client, effects, first } = flying()
      effects()
      client.refuse(first, 'UNAVAILABLE', { retryAfterMs: 50 })
      expect(idsOf(client.live(200))).toEqual(['-m-000001', '-m-000002'])
    })

    it('are asked after on the next connection, beside what is sent again', () => {
      const { client } = flying()
      client.lose()
      const again = idsOf(client.reconnect())
      expect(again).toEqual([...ids(3, 8), '-m-000001', '-m-000002'])
    })
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

  it('reports a failure with the reason that another has written before', () => {
    const tab = holder()
    tab.client.send('den', 'm-000001')
    tab.answer()
    tab.table.fail('m-000001', 'FORBIDDEN', 'no')
    tab.refuse(tab.effects(), 'VOID')
    tab.answer()
    const after = tab.effects()
    const outcome = { status: 'failed', code: 'FORBIDDEN', detail: 'no' }
    expect(ofType(after, 'settled').map((effect) => effect.outcome)).toEqual([outcome])
    const told = ofType(after, 'store').flatMap(({ call }) => (call.do === 'tell' ? call.notice.settled : []))
    expect(told).toEqual([{ messageId: 'm-000001', outcome }])
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
