// Going to a message that is not on the screen, by its quote, from the bell and with the keys: it comes to be seen.

import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { isHere, message, write } from './scenes.ts'
import { focused, isSeenInLog } from './seen.ts'
import { stageOfEachTest } from './stage.ts'

const stage = stageOfEachTest()
/** Several screens of them. */
const MANY = 40

async function writeMany(page: Page): Promise<void> {
  for (let n = 1; n <= MANY; n++) await write(page, `Number ${n}.`)
  await message(page, `Number ${MANY}.`).getByText('acknowledged').waitFor()
}

/** The name of a message that is focused, and in sight. */
const isOurs = (n: number) => new RegExp(`^You, .*: Number ${n}\\.$`)

describe('from the end of the log', () => {
  it('the quote of a message, and the bell, bring who presses them to it', async () => {
    const alice = await stage().window('alice')
    const bob = await stage().window('bob')
    await Promise.all([isHere(alice), isHere(bob)])
    await write(alice, 'Does it hold, @bob?')
    await message(bob, 'Does it hold').hover()
    await bob.getByRole('button', { name: 'Reply' }).click()
    await writeMany(alice)
    await write(bob, 'For years.')

    await message(alice, 'For years.').waitFor()
    await message(alice, 'For years.').getByRole('button', { name: 'In answer to' }).click()
    await isSeenInLog(message(alice, 'Does it hold'), 'what was quoted')
    await alice.getByRole('button', { name: 'Newest' }).click()
    await isSeenInLog(message(alice, 'For years.'), 'the newest')

    await bob.getByRole('button', { name: 'Notifications 1 new' }).click()
    await bob.getByRole('button', { name: 'alice named you in general' }).click()
    await isSeenInLog(message(bob, 'Does it hold'), 'what the bell told of')
  })

  it('the arrow keys go up message by message, Home to the first and End to the newest, each in sight', async () => {
    const alice = await stage().window('alice')
    await isHere(alice)
    await writeMany(alice)
    await expect.poll(() => focused(alice)).toBe('composer-general')
    for (let n = MANY; n > MANY - 25; n--) {
      await alice.keyboard.press('ArrowUp')
      await expect.poll(() => focused(alice)).toMatch(isOurs(n))
    }
    await alice.keyboard.press('End')
    await expect.poll(() => focused(alice)).toMatch(isOurs(MANY))
    await alice.keyboard.press('Home')
    await expect.poll(() => focused(alice)).toMatch(isOurs(1))
    await alice.keyboard.press('ArrowDown')
    await expect.poll(() => focused(alice)).toMatch(isOurs(2))
    await alice.keyboard.press('Escape')
    await expect.poll(() => focused(alice)).toBe('composer-general')
  })
})
