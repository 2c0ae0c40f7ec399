// A tab that shares an outbox with others, as a test sees it: its store, and everything that it was told, in order.

import type { LaneRow, OutboxNotice, OutboxScope, OutboxStorage, OutboxStore } from '@tautline/client'

export interface OutboxTab {
  readonly store: OutboxStore
  /** Every `held`, in order. */
  readonly held: readonly boolean[]
  readonly told: readonly OutboxNotice[]
  losses(): number
}

export async function openTab(storage: OutboxStorage, scope: OutboxScope): Promise<OutboxTab> {
  const held: boolean[] = []
  const told: OutboxNotice[] = []
  let losses = 0
  const store = await storage.open(scope, {
    held: (isHeld) => held.push(isHeld),
    told: (notice) => told.push(notice),
    lost: () => losses++,
  })
  return { store, held, told, losses: () => losses }
}

let users = 0

/** An outbox that nobody else has. */
export function newScope(): OutboxScope {
  users++
  return { server: 'wss://chat.example/ws', userId: `user${users}` }
}

export function laneRow(messageId: string, row: Partial<LaneRow> = {}): LaneRow {
  return {
    room: 'general',
    type: 'send_message',
    payload: { content: messageId },
    messageId,
    bytes: 20,
    createdAt: 1_750_000_000_000,
    sid: 'lane-a',
    n: 1,
    ...row,
  }
}
