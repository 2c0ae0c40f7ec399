// Acts about the house itself: what its hooks say, its own messages, its end and return, and those who sign out.

import { expect } from 'vitest'
import { jobs } from '../../support/jobs.ts'
import { refused } from './refused.ts'
import type { Stage } from './stage.ts'
import { createTape, until, within } from './waiting.ts'

/** What may not be said is not said, what is rude is made polite, and a room can be closed to all words. */
export async function theHouseHasItsRules({ bobLaptop, cyLaptop, dee, eve, frozen }: Stage): Promise<void> {
  const offer = eve.room('harbour').send({ content: 'boats for free' })
  await refused(eve, offer, { code: 'FORBIDDEN', detail: 'No advertising in this room.' })
  const polite = (content: string) =>
    until(
      dee.timeline('harbour'),
      ({ items }) => items.some((item) => item.content === content),
      `dee reads “${content}”`,
    )
  const rude = bobLaptop.room('harbour').send({ content: 'the damn lock' })
  await polite('the **** lock')
  await bobLaptop.room('harbour').edit(rude, { content: 'the damn lock again' })
  await polite('the **** lock again')
  frozen.add('crew')
  const tooLate = cyLaptop.room('crew').send({ content: 'hello?' })
  await refused(cyLaptop, tooLate, { code: 'FORBIDDEN' })
  frozen.delete('crew')
}

/** The server is gone. What is said, changed and offered meanwhile is there when it is back, once and in order. */
export async function theServerIsGoneForAWhile(stage: Stage): Promise<void> {
  const { adaLaptop, bobPhone, cyTablet, dee, eve, devices } = stage
  await stage.restartServer(async () => {
    for (const { name, client } of devices)
      await until(client, ({ status }) => status !== 'connected', `${name} notices`)
    for (const content of ['is', 'anybody', 'there?']) bobPhone.room('harbour').send({ content })
    const sent = adaLaptop.room('harbour').send({ content: 'no' })
    adaLaptop.room('harbour').edit(sent, { content: 'yes' })
    eve.room('harbour').react(sent, '🎉')
    dee.room('crew').send({ content: 'captain?' })
    cyTablet.app.room('harbour').send('job_offer', { jobId: 'j17', rate: 20 })
    for (const { client } of [bobPhone, adaLaptop]) expect(client.getSnapshot().queued).toBeGreaterThan(1)
  })
  for (const { name, client, timeline } of devices) {
    await until(
      timeline('harbour'),
      (shown) => shown.items.some(({ content, changes }) => content === 'yes' && changes.length === 0),
      `${name} reads what ada said meanwhile`,
    )
    await until(client, ({ queued }) => queued === 0, `${name} has said everything`)
  }
  const words = await until(
    dee.timeline('harbour'),
    ({ items }) => items.some(({ content }) => content === 'there?'),
    'dee reads what bob said meanwhile',
  )
  const asked = words.items
    .map(({ content }) => content)
    .filter((content) => ['is', 'anybody', 'there?'].includes(content))
  expect(asked).toEqual(['is', 'anybody', 'there?'])
}

/** A job is offered, looked at, asked about and closed; one that there is not has a code of its own. */
export async function theyOfferWork({ adaPhone, bobPhone, bobLaptop, dee, server }: Stage): Promise<void> {
  const offers = createTape<{ readonly rate: number; readonly sender: string }>()
  const views = createTape<string>()
  const closed = createTape<string>()
  dee.app.room('harbour').on('job_offer', ({ payload, sender }) => offers.add({ rate: payload.rate, sender }))
  adaPhone.app.room('harbour').on('job_viewed', ({ sender }) => views.add(sender))
  for (const { app } of [bobPhone, bobLaptop])
    app.on('job_closed', ({ payload }) => closed.add(payload.jobId))

  await adaPhone.app.room('harbour').send('job_offer', { jobId: 'j17', rate: 10 })
  // The handler has made it a fair one.
  await offers.find(({ rate, sender }) => rate === 12 && sender === 'ada', 'dee hears of the job')
  const none = adaPhone.app.room('harbour').send('job_offer', { jobId: 'j18', rate: 30 })
  expect(jobs.isError(await refused(adaPhone, none, {}), 'JOB_NOT_FOUND')).toBe(true)

  await dee.app.room('harbour').signal('job_viewed', { jobId: 'j17' })
  await views.find((sender) => sender === 'dee', 'ada hears that dee looks at it')
  expect(await bobPhone.app.request('get_job', { jobId: 'j17' })).toEqual({ title: 'Painter' })
  const missing = await bobPhone.app.request('get_job', { jobId: 'j18' }).catch((error: unknown) => error)
  expect(jobs.isError(missing, 'JOB_NOT_FOUND')).toBe(true)
  expect(missing).toMatchObject({ detail: 'Nobody offers j18.' })
  await server.extension(jobs).send('harbour', 'job_offer', { jobId: 'j17', rate: 40 }, { as: 'bob' })
  await offers.find(({ rate, sender }) => rate === 40 && sender === 'bob', 'dee hears of bob’s job')
  expect(server.extension(jobs).tell({ userId: 'bob' }, 'job_closed', { jobId: 'j17' })).toBe(true)
  await closed.find((jobId) => jobId === 'j17', 'bob hears that the job is gone')
}

/** What was written without a connection goes out when its user signs in again; what shall be forgotten does not. */
export async function theySignOut({ adaPhone, dee, eve }: Stage): Promise<void> {
  await dee.client.disconnect()
  const kept = dee.room('harbour').send({ content: 'written in a tunnel' })
  await saved(kept, 'dee’s message is on the disk')
  await within(dee.client.logout(), 'dee signs out')
  await eve.client.disconnect()
  const forgotten = eve.room('harbour').send({ content: 'better not said' })
  await saved(forgotten, 'eve’s message is on the disk')
  await within(eve.client.logout({ keepOutbox: false }), 'eve signs out')

  for (const device of [dee, eve]) {
    device.signInAgain()
    await within(device.client.connect(), `${device.userId} signs in again`)
  }
  await Promise.all(['harbour', 'crew', 'pier'].map((room) => dee.open(room)))
  await Promise.all(['harbour', 'pier'].map((room) => eve.open(room)))
  const { items } = await until(
    adaPhone.timeline('harbour'),
    (shown) => shown.items.some(({ content }) => content === 'written in a tunnel'),
    'ada reads what dee wrote in the tunnel',
  )
  expect(items.map(({ content }) => content)).not.toContain('better not said')
}

const saved = (sent: Parameters<typeof statusOf>[0], what: string) =>
  until(statusOf(sent), (status) => status === 'queued', what)

function statusOf(sent: { readonly status: string; subscribe(listener: () => void): () => void }) {
  return { getSnapshot: () => sent.status, subscribe: sent.subscribe }
}
