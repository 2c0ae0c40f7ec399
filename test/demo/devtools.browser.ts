// The devtools of the demo, as somebody finds them who looks for what happens to a message when the network goes.

import { expect, it } from 'vitest'
import { picture } from '../support/picture.ts'
import { stageOfEachTest } from './stage.ts'

const stage = stageOfEachTest()

it('come with their button alone, break the connection, show what waits, and leave nothing broken', async () => {
  const alice = await stage().window('alice')
  const bob = await stage().window('bob')
  const scripts: string[] = []
  alice.on('request', (request) => void scripts.push(new URL(request.url()).pathname))
  const composer = alice.getByRole('textbox', { name: /^Message to/ })
  const open = alice.getByRole('button', { name: 'Devtools', exact: true })
  await composer.waitFor()
  await open.click()
  await alice.getByRole('img', { name: /^The connection is connected/ }).waitFor()
  // It was not there before, and the page leaves it room.
  await expect.poll(() => scripts.filter((path) => path.includes('panel'))).toHaveLength(1)
  const overlap = async () => {
    const [field, dock] = [
      await composer.boundingBox(),
      await alice.locator('tautline-devtools').boundingBox(),
    ]
    return field && dock ? field.y + field.height - dock.y : Number.NaN
  }
  await expect.poll(overlap).toBeLessThanOrEqual(0)

  await alice.getByRole('button', { name: 'Offline', exact: true }).click()
  await alice.getByRole('img', { name: /^The connection is (waiting|suspended)/ }).waitFor()
  await composer.fill('Written without a network')
  await composer.press('Enter')
  await alice.getByRole('tab', { name: 'Outbox 1' }).click()
  await alice
    .getByRole('tabpanel', { name: /Outbox/ })
    .getByText('queued')
    .waitFor()
  // Told that it is offline, it waits for half a minute.
  await alice.getByRole('img', { name: 'The connection is waiting, came from connecting by lost' }).waitFor()
  await picture(alice, 'demo-devtools')
  await alice.getByRole('button', { name: 'Close the devtools' }).click()
  await bob.getByText('Written without a network', { exact: true }).waitFor()
  await expect.poll(() => alice.locator('tautline-devtools, .devtools-dock').count()).toBe(0)
  await open.waitFor()
  await alice.setViewportSize({ width: 360, height: 760 })
  await open.click()
  await alice.locator('tautline-devtools').waitFor()
  await expect.poll(() => alice.evaluate(() => document.documentElement.scrollWidth)).toBe(360)
})
