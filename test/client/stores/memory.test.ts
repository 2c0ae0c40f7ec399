import { memoryStore } from '@tautline/client/memory'
import { describeOutboxStoreContract } from '../../contracts/outbox-store.ts'
import { idle } from '../support/virtual-time.ts'

describeOutboxStoreContract('in memory', { isShared: true, canCrash: false }, async () => {
  const storage = memoryStore()
  return { storage: () => storage, settle: idle, dispose: idle }
})
