// What the application says of users: asked together, believed for a while, and what it says wrong is left out.

import { describe, expect, it } from 'vitest'
import type { DescribedUsers } from '../../packages/server/src/hooks.ts'
import { createUserDirectory } from '../../packages/server/src/user-directory.ts'

function directory(answer: (userIds: readonly string[]) => unknown, cacheMs = 60_000) {
  const asked: (readonly string[])[] = []
  const errors: string[] = []
  const time = { now: 1_000 }
  const users = createUserDirectory({
    describeUsers(userIds) {
      asked.push(userIds)
      // As from JavaScript, where the types do not help.
      return answer(userIds) as DescribedUsers
    },
    cacheMs,
    timeoutMs: 50,
    logger: { debug() {}, info() {}, warn() {}, error: (_fields, message) => void errors.push(message) },
    now: () => time.now,
  })
  return { users, asked, errors, time }
}

const named = (userIds: readonly string[]) =>
  Object.fromEntries(userIds.map((userId) => [userId, { name: `The ${userId}` }]))

describe('what users are called', () => {
  it('is asked for once for all who ask in one turn, each user once, a hundred at most', async () => {
    const { users, asked } = directory(named)
    const ids = Array.from({ length: 130 }, (_, i) => `user-${i}`)
    const [first, second] = await Promise.all([
      users.describe(ids.slice(0, 80)),
      users.describe([...ids.slice(50), 'user-129']),
    ])
    expect(asked.map(({ length }) => length)).toEqual([100, 30])
    expect(new Set(asked.flat()).size).toBe(130)
    expect(first).toHaveLength(80)
    expect(second?.at(-1)).toEqual({ userId: 'user-129', name: 'The user-129' })
  })

  it('is believed until its time is over, also that nothing is said, and until it is forgotten', async () => {
    const { users, asked, time } = directory(
      (userIds) => new Map(Object.entries(named(userIds.filter((id) => id !== 'eve')))),
    )
    expect(await users.describe(['ada', 'eve'])).toEqual([{ userId: 'ada', name: 'The ada' }])
    time.now += 59_000
    expect(await users.describe(['eve', 'ada'])).toHaveLength(1)
    expect(asked).toEqual([['ada', 'eve']])
    time.now += 2_000
    await users.describe(['ada', 'eve'])
    users.forget(['ada'])
    await users.describe(['ada', 'eve'])
    expect(asked).toEqual([['ada', 'eve'], ['ada', 'eve'], ['ada']])
  })

  it('is not taken from an answer that was forgotten while it was on its way, and asked for again', async () => {
    const answers: ((answer: unknown) => void)[] = []
    const { users, asked } = directory(() => new Promise((resolve) => answers.push(resolve)))
    const before = users.describe(['ada'])
    await Promise.resolve()
    users.forget(['ada'])
    const after = users.describe(['ada'])
    await Promise.resolve()
    answers[0]?.({ ada: { name: 'Old' } })
    await before
    answers[1]?.({ ada: { name: 'New' } })
    expect(await after).toEqual([{ userId: 'ada', name: 'New' }])
    expect(await users.describe(['ada'])).toEqual([{ userId: 'ada', name: 'New' }])
    expect(asked).toHaveLength(2)
  })

  it('is asked for each time where nothing is to be kept', async () => {
    const { users, asked } = directory(named, 0)
    await users.describe(['ada'])
    await users.describe(['ada'])
    expect(asked).toEqual([['ada'], ['ada']])
  })

  it('is absent where it cannot be had, and asked for again', async () => {
    const answers: unknown[] = [
      Promise.reject(new Error('the directory is down')),
      new Promise(() => {}),
      null,
      'names',
      { ada: { name: 'Ada' } },
    ]
    const { users, asked, errors } = directory(() => answers.shift())
    const found: number[] = []
    for (let i = 0; i < 5; i++) found.push((await users.describe(['ada'])).length)
    expect(found).toEqual([0, 0, 0, 0, 1])
    expect(asked).toHaveLength(5)
    expect(errors).toEqual(Array(4).fill('a hook failed'))
  })

  it('is told as far as it is good', async () => {
    const { users } = directory(() => ({
      ada: { name: 'Ada', avatarUrl: 'javascript:alert(1)', password: 'x' },
      bob: { name: '', avatarUrl: '/bob.png' },
      cy: { name: 'x'.repeat(101) },
      dan: { name: 'D\0', avatarUrl: '/\ud800.png' },
      eve: 'Eve',
      fay: { name: 7 },
      __proto__: { gil: { name: 'Gil' } },
    }))
    expect(await users.describe(['ada', 'bob', 'cy', 'dan', 'eve', 'fay', 'gil', 'toString'])).toEqual([
      { userId: 'ada', name: 'Ada' },
      { userId: 'bob', avatarUrl: '/bob.png' },
    ])
  })
})
