import { describe, expect, it } from 'vitest'
import { memory } from '../../../packages/server/src/stores/memory.ts'
import { describeStoreContract, type StoreHarness } from '../../contracts/store.ts'

describeStoreContract('memory', async (): Promise<StoreHarness> => {
  const factory = memory()
  const { rooms, logs, membersOf } = factory.tables
  return {
    open: () => factory.open(),
    cut: async (id, oldest) => {
      const room = rooms.get(id)!
      const log = logs.get(id)!
      rooms.set(id, { ...room, oldest, baseH: log[oldest - 2]!.h })
      logs.set(id, log.slice(oldest - 1))
    },
    limitReading: async (room, user, fromSeq) => {
      const members = membersOf.get(room)!
      members.set(user, { ...members.get(user)!, fromSeq })
    },
    makePrivate: async (id) => {
      rooms.set(id, { ...rooms.get(id)!, visibility: 'private' })
    },
    dispose: async () => {},
  }
})

describe('memory()', () => {
  it('takes its epoch from the caller, so that a simulation repeats itself', async () => {
    const store = await memory({ epoch: 'epoch-of-a-seed' }).open()
    expect(store.epoch).toBe('epoch-of-a-seed')
  })

  it('makes another epoch for each database', async () => {
    expect((await memory().open()).epoch).not.toBe((await memory().open()).epoch)
  })
})
