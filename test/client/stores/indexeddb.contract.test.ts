import 'fake-indexeddb/auto'
import { indexedDb } from '@tautline/client/indexeddb'
import { IDBFactory } from 'fake-indexeddb'
import { afterAll, vi } from 'vitest'
import { describeOutboxStoreContract } from '../../contracts/outbox-store.ts'

afterAll(() => {
  vi.unstubAllGlobals()
})

/** Everybody has the lock that is theirs, and heard what was told: what is asked for later comes later. */
async function settle(): Promise<void> {
  for (let round = 0; round < 3; round++) {
    await new Promise((resolve) => {
      setTimeout(resolve, 1)
    })
    await navigator.locks.query()
    await echo()
  }
}

async function echo(): Promise<void> {
  const [here, there] = [new BroadcastChannel('echo'), new BroadcastChannel('echo')]
  await new Promise((resolve) => {
    there.onmessage = resolve
    here.postMessage('')
  })
  here.close()
  there.close()
}

describeOutboxStoreContract('in IndexedDB', { isShared: true, canCrash: false }, async () => {
  vi.stubGlobal('indexedDB', new IDBFactory())
  return { storage: () => indexedDb(), settle, dispose: settle }
})
