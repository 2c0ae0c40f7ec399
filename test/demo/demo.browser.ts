// The demo as a new user tries it, in a real Chromium: two windows, two users, a server that goes away and comes back.

import { describe, expect, it } from 'vitest'
import {
  composer,
  connect,
  disconnect,
  isHere,
  message,
  offline,
  openConnection,
  roomButton,
  saidInAll,
  typing,
  write,
} from './scenes.ts'
import { isSeenInLog } from './seen.ts'
import { stageOfEachTest } from './stage.ts'

const stage = stageOfEachTest()
/** High enough for everything that is said in a scene: of a long list only what can be seen is in the page. */
const TALL = { viewport: { width: 1200, height: 2_400 } }

describe('two windows', () => {
  it('see each other come, type, write and go', async () => {
    const alice = await stage().window('alice')
    await isHere(alice)
    const bob = await stage().window('bob', { colorScheme: 'dark' })
    await isHere(bob)
    await alice.getByRole('button', { name: '2 here' }).click()
    const people = alice.getByRole('region', { name: 'People' })
    await people.getByText('bob').first().waitFor()

    await composer(bob).pressSequentially('Hel')
    await typing(alice).getByText('bob is typing').waitFor()
    await composer(bob).pressSequentially('lo')
    await composer(bob).press('Enter')
    await message(alice, 'Hello').waitFor()
    await expect.poll(() => typing(alice).textContent()).toBe('')
    await expect.poll(() => message(bob, 'Hello').textContent()).toMatch(/acknowledged #\d+/)
    await message(bob, 'Hello').getByText('Seen by alice').waitFor()

    await bob.context().close()
    await people.getByText('last seen just now').waitFor()
  })

  it('answer a message with its quote, go back to it, and go on in its thread', async () => {
    const alice = await stage().window('alice')
    const bob = await stage().window('bob')
    await Promise.all([isHere(alice), isHere(bob)])
    await write(alice, 'Does it hold?')
    await message(bob, 'Does it hold?').hover()
    await bob.getByRole('button', { name: 'Reply' }).click()
    await bob.getByText('Answering alice').waitFor()
    await write(bob, 'For years, @alice.')
    const answer = message(alice, 'For years')
    await answer.getByRole('button', { name: 'In answer to alice' }).click()
    await isSeenInLog(alice.locator('[data-wanted="true"]').getByText('Does it hold?'), 'what was quoted')

    await alice.getByRole('button', { name: '1 answer' }).click()
    const thread = alice.getByRole('region', { name: 'Thread' })
    await thread.getByText('For years').waitFor()
    await thread.getByRole('textbox', { name: 'Answer yourself' }).fill('Good.')
    await alice.keyboard.press('Enter')
    await thread.getByText('2 answers').waitFor()
    await message(bob, 'Good.').getByRole('button', { name: 'In answer to alice' }).waitFor()

    await alice.getByRole('button', { name: 'Notifications 1 new' }).click()
    await alice.getByRole('button', { name: 'bob named you in general' }).click()
    await isSeenInLog(alice.locator('[data-wanted="true"]').getByText('For years'), 'what the bell told of')
    await alice.getByRole('button', { name: 'Notifications', exact: true }).waitFor()
  })

  it('change what was said: edit, react and delete', async () => {
    const alice = await stage().window('alice')
    const bob = await stage().window('bob')
    await Promise.all([isHere(alice), isHere(bob)])
    await write(alice, 'Tee is ready')
    await message(alice, 'Tee').getByText('acknowledged').waitFor()
    await message(alice, 'Tee').hover()
    await alice.getByRole('button', { name: 'Edit' }).click()
    await composer(alice).fill('Tea is ready')
    await composer(alice).press('Enter')
    await message(bob, 'Tea is ready').getByText('edited').waitFor()
    await message(bob, 'Tea').hover()
    await bob.getByRole('button', { name: 'React with 🎉' }).click()
    await alice.getByRole('button', { name: '🎉, 1' }).waitFor()
    await bob.getByRole('button', { name: '🎉, 1' }).click()
    await alice.getByRole('button', { name: '🎉, 1' }).waitFor({ state: 'detached' })
    await message(alice, 'Tea').hover()
    await alice.getByRole('button', { name: 'Delete' }).click()
    await alice.getByRole('button', { name: 'Delete for everybody?' }).click()
    await message(bob, 'This message was deleted.').waitFor()
  })

  it('count what is unread in the other rooms, make one, invite, and write directly', async () => {
    const alice = await stage().window('alice')
    const bob = await stage().window('bob')
    await Promise.all([isHere(alice), isHere(bob)])
    await roomButton(bob, 'tea-kitchen').click()
    await isHere(bob)
    await write(bob, 'The kettle is on')
    await roomButton(alice, 'tea-kitchen 1 unread').click()
    await message(alice, 'The kettle is on').waitFor()
    await roomButton(alice, /^tea-kitchen$/).waitFor()
    await roomButton(alice, 'workshop').click()
    await write(bob, 'And it boils')
    await roomButton(alice, 'tea-kitchen 1 unread').click()
    await message(alice, 'And it boils').getByText('New', { exact: true }).waitFor()

    await alice.getByRole('button', { name: 'New room, or join one' }).click()
    await alice.getByRole('textbox', { name: 'Name' }).fill('Night shift')
    await alice.getByRole('checkbox', { name: 'Private' }).check()
    await alice.keyboard.press('Enter')
    await write(alice, 'Anybody here?')
    await roomButton(alice, 'night-shift').waitFor()
    await alice.getByRole('button', { name: '1 here' }).click()
    await alice.getByRole('textbox', { name: 'Invite somebody' }).fill('bob')
    await alice.keyboard.press('Enter')
    await bob.getByRole('button', { name: 'Notifications 1 new' }).click()
    await bob.getByRole('button', { name: 'alice invites you to night-shift' }).click()
    await isHere(bob)
    await write(bob, 'I am.')
    await message(alice, 'I am.').waitFor()

    await alice.getByRole('button', { name: 'Write to bob' }).click()
    await write(alice, 'Just for you')
    await roomButton(bob, /alice 1 unread/).click()
    await message(bob, 'Just for you').waitFor()
  })
})

describe('a server that is killed while both write on', () => {
  it('gets everything once and in order when it is back, and so does a reload', async () => {
    const alice = await stage().window('alice', TALL)
    const bob = await stage().window('bob', TALL)
    await Promise.all([isHere(alice), isHere(bob)])
    const own = (name: string) => Array.from({ length: 12 }, (_, n) => `${name} ${n + 1}.`)

    for (const [n, text] of own('alice').entries()) {
      await write(alice, text)
      await write(bob, own('bob')[n] ?? '')
      if (n === 5) await stage().stopServer('SIGKILL')
    }
    await offline(alice).getByText('No connection').waitFor()
    await alice.getByRole('button', { name: /Offline \d+ queued/ }).waitFor()
    await message(alice, 'alice 12.').getByText('queued').waitFor()

    await stage().startServer()
    const atAlice = await saidInAll(alice, 24)
    const atBob = await saidInAll(bob, 24)
    expect(atBob).toEqual(atAlice)
    expect(atAlice.filter((text) => text.startsWith('alice'))).toEqual(own('alice'))
    expect(atAlice.filter((text) => text.startsWith('bob'))).toEqual(own('bob'))
    await alice.getByRole('button', { name: 'Connected', exact: true }).waitFor()

    await alice.reload()
    expect(await saidInAll(alice, 24)).toEqual(atAlice)
  })

  it('is said to the user, with a countdown and a way to try again at once', async () => {
    const context = await stage().browser.newContext()
    await context.clock.install()
    const alice = await stage().tab(context, 'alice')
    await isHere(alice)
    expect(await stage().stopServer('SIGTERM')).toBe(0)
    await offline(alice).getByText('the server does not answer').waitFor()
    // From here on time passes in the page when we say so: a countdown that is long enough does not end by itself.
    await context.clock.pauseAt(await alice.evaluate(() => Date.now() + 1_000))
    const secondsLeft = async () => {
      await context.clock.runFor(500)
      return Number(/next attempt in (\d+) s/.exec((await offline(alice).textContent()) ?? '')?.[1] ?? 0)
    }
    await expect.poll(secondsLeft).toBeGreaterThanOrEqual(2)
    await stage().startServer()
    await offline(alice).getByRole('button', { name: 'Try now' }).click()
    // Sooner than a quarter of a second after the last attempt none is made, whoever asks.
    await context.clock.runFor(300)
    await offline(alice).getByText('next attempt in').waitFor({ state: 'detached' })
    await context.clock.resume()
    await isHere(alice)
    await offline(alice).getByText('No connection').waitFor({ state: 'detached' })
  })
})

describe('the way of a message', () => {
  it('can be ended by its sender while it is queued, and begun again', async () => {
    const alice = await stage().window('alice')
    await isHere(alice)
    await disconnect(alice)
    await write(alice, 'Not this')
    await message(alice, 'Not this').getByRole('button', { name: 'Cancel' }).click()
    await connect(alice)
    await message(alice, 'Not this').getByText('you took it back').waitFor()
    await message(alice, 'Not this').getByRole('button', { name: 'Retry' }).click()
    await message(alice, 'Not this').getByText('acknowledged').waitFor()
    expect(await saidInAll(alice, 1)).toEqual(['Not this'])
  })

  it('ends with the reason where the server refuses it, and with what to do', async () => {
    const alice = await stage().window('alice')
    await isHere(alice)
    await write(alice, 'long '.repeat(1_001))
    await message(alice, 'long').getByText('longer than the server takes').waitFor()
    await message(alice, 'long').getByText('say it in several').waitFor()
    // Said to who cannot see it, too.
    await alice.getByRole('log').getByText('Not sent').waitFor()
    await message(alice, 'long').getByRole('button', { name: 'Discard' }).click()
    await message(alice, 'long').waitFor({ state: 'detached' })
  })
})

describe('several tabs of one user', () => {
  it('share one outbox: what is written offline in both waits in both, and goes out once', async () => {
    const one = await stage().window('alice')
    await isHere(one)
    const two = await stage().tab(one.context(), 'alice')
    await isHere(two)
    await stage().stopServer('SIGKILL')
    await offline(one).getByText('No connection').waitFor()
    await write(one, 'from the first.')
    await write(two, 'from the second.')
    await message(one, 'from the second.').getByText('queued').waitFor()
    await message(two, 'from the first.').getByText('queued').waitFor()
    // The one that closes leaves its message to the other.
    await one.close()
    await stage().startServer()
    await isHere(two)
    await message(two, 'from the second.').getByText('acknowledged').waitFor()
    expect((await saidInAll(two, 2)).sort()).toEqual(['from the first.', 'from the second.'])
    await two.getByRole('button', { name: 'Connected', exact: true }).waitFor()
  })
})

describe('signing out', () => {
  it('asks what becomes of messages that wait, and keeps them until the next time', async () => {
    const alice = await stage().window('alice')
    await isHere(alice)
    await disconnect(alice)
    await write(alice, 'Later.')
    await message(alice, 'Later.').getByText('queued').waitFor()
    await alice.getByRole('button', { name: 'Sign out' }).click()
    await alice.getByText('One message has not arrived yet').waitFor()
    await alice.getByRole('button', { name: 'Keep and sign out' }).click()
    await alice.getByRole('button', { name: 'alice' }).click()
    await roomButton(alice, 'general').click()
    await message(alice, 'Later.').getByText('acknowledged').waitFor()

    await disconnect(alice)
    await write(alice, 'Never.')
    await message(alice, 'Never.').getByText('queued').waitFor()
    await alice.getByRole('button', { name: 'Sign out' }).click()
    await alice.getByRole('button', { name: 'Discard and sign out' }).click()
    await alice.getByRole('button', { name: 'alice' }).click()
    await isHere(alice)
    expect(await saidInAll(alice, 1)).toEqual(['Later.'])
  })
})

describe('a window that is closed while there is no server', () => {
  it('loses nothing: it closes without a question, and the next one sends what was written, once and in order', async () => {
    const alice = await stage().window('alice')
    await isHere(alice)
    await stage().stopServer('SIGKILL')
    const written = ['first.', 'second.', 'third.']
    for (const text of written) await write(alice, text)
    await alice.getByRole('button', { name: '3 queued' }).waitFor()
    await message(alice, 'third.').getByText('queued').waitFor()
    const isClosed = alice.waitForEvent('close')
    await alice.close({ runBeforeUnload: true })
    await isClosed

    await stage().startServer()
    const again = await stage().tab(alice.context(), 'alice')
    await isHere(again)
    await message(again, 'third.').getByText('acknowledged').waitFor()
    expect(await saidInAll(again, 3)).toEqual(written)
    await again.getByRole('button', { name: 'Connected', exact: true }).waitFor()
  })

  it('says so, and asks before it closes, where the browser keeps nothing for it', async () => {
    const alice = await stage().window('alice', {}, () =>
      Object.defineProperty(globalThis, 'indexedDB', { value: undefined }),
    )
    await isHere(alice)
    await disconnect(alice)
    await write(alice, 'first.')
    await offline(alice).getByText('waits in this window only').waitFor()
    await openConnection(alice)
    await alice.getByText('the browser keeps nothing for us').waitFor()
    await alice.keyboard.press('Escape')
    const asked = alice.waitForEvent('dialog')
    await alice.close({ runBeforeUnload: true })
    expect((await asked).type()).toBe('beforeunload')
    await (await asked).dismiss()
    await connect(alice)
    await message(alice, 'first.').getByText('acknowledged').waitFor()
  })
})
