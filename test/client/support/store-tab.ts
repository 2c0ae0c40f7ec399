/** A core with an outbox in a store, as one tab has it. The store is a table in memory that answers when it is told to. */
import type { Code } from '@tautline/protocol'
import type { CoreOptions, Effect } from '../../../packages/client/src/core/context.ts'
import { keepInStore } from '../../../packages/client/src/core/durable-keeper.ts'
import type { StoreCall, StoreResult } from '../../../packages/client/src/core/keeper.ts'
import type { LaneRow, OutboxNotice, SendOutcome } from '../../../packages/client/src/core/outbox-row.ts'
import { createOutboxTable, type OutboxTable } from '../../../packages/client/src/stores/outbox-table.ts'
import { commandsOf, drive, type EffectOf, ofType, rowOf, SERVER_TIME } from './drive.ts'
import { answerOf } from './store-calls.ts'

export const FORMER = 'lane-of-a-former-load'
export const OTHER = 'lane-of-another-tab'

/** A call, and what the store answers to it: calls take effect at once, answers come when asked for. */
interface Asked {
  readonly id: number
  readonly call: StoreCall
  readonly result: StoreResult | undefined
}

/** A core, and the store that it writes to: answered by hand. */
export function withStore(table: OutboxTable = createOutboxTable(), change: Partial<CoreOptions> = {}) {
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

export function laneRow(messageId: string, n: number, sid = FORMER, change: Partial<LaneRow> = {}): LaneRow {
  return { ...rowOf('den', messageId), sid, n, ...change }
}

/** What the store holds of former loads or other tabs. */
export function tableOf(...rows: readonly LaneRow[]): OutboxTable {
  const table = createOutboxTable()
  table.add(rows)
  return table
}

/** Open, the holder, connected, everything answered. */
export function holder(table?: OutboxTable) {
  const tab = withStore(table)
  tab.client.step({ type: 'connect' })
  tab.answer()
  tab.hold()
  const connected = tab.client.signIn()
  tab.effects()
  return { ...tab, connected }
}

/** As `holder`, but another tab has the store. */
export function guest(table?: OutboxTable) {
  const tab = withStore(table)
  tab.client.step({ type: 'connect' })
  tab.answer()
  tab.client.signIn()
  tab.effects()
  return tab
}

export const statuses = (effects: readonly Effect[], messageId: string): string[] =>
  effects.flatMap((effect) => {
    if (effect.type === 'progress' && effect.messageId === messageId) return [effect.status]
    return effect.type === 'settled' && effect.messageId === messageId ? [effect.outcome.status] : []
  })

export const acknowledged = (seq: number): SendOutcome => ({
  status: 'acknowledged',
  seq,
  timestamp: SERVER_TIME,
})
export const storageOf = (effects: readonly Effect[]): EffectOf<'storage'>[] => ofType(effects, 'storage')
