// IndexedDB over an implementation of it for Node, and what the tests of the outbox in it share: tabs that are closed when a
// test is over, and hands on the databases themselves.

import 'fake-indexeddb/auto'
import type { OutboxScope, OutboxStore } from '@tautline/client'
import { indexedDb } from '@tautline/client/indexeddb'
import { expect, vi } from 'vitest'
import { type OutboxTab, openTab } from './outbox-tab.ts'

export const storage = indexedDb()
export const nudge = { settled: [], isChanged: true, isHolder: false } as const
const opened: OutboxStore[] = []

/** After each test. */
export async function tidyUp(): Promise<void> {
  await Promise.all(opened.splice(0).map((store) => store.close()))
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
}

export async function open(scope: OutboxScope, from = storage): Promise<OutboxTab> {
  const tab = await openTab(from, scope)
  opened.push(tab.store)
  return tab
}

export async function databaseOf({ server, userId }: OutboxScope): Promise<string> {
  const names = (await indexedDB.databases()).map(({ name }) => name ?? '')
  const found = names.filter((name) =>
    [server, userId].every((part) => name.includes(encodeURIComponent(part))),
  )
  expect(found).toHaveLength(1)
  return found[0]!
}

export function openRaw(name: string, version?: number): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, version)
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error ?? new Error('no reason'))
  })
}

/** Rejects where somebody has it open, and keeps it. */
export function deleteDatabase(name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase(name)
    request.onsuccess = () => resolve()
    request.onblocked = () => reject(new Error('blocked'))
  })
}

/** All connections that are opened from now on. */
export function watchConnections(): readonly IDBDatabase[] {
  const connections: IDBDatabase[] = []
  const { open: real } = IDBFactory.prototype
  vi.spyOn(IDBFactory.prototype, 'open').mockImplementation(function (this: IDBFactory, ...args) {
    const request = real.apply(this, args)
    request.addEventListener('success', () => connections.push(request.result))
    return request
  })
  return connections
}
