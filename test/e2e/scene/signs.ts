// Acts about what people see of each other, and what each is told: receipts, presence, typing, notifications.

import { type ActivityEvent, presence, type Watch } from '@tautline/client/presence'
import { expect } from 'vitest'
import type { Device } from './device.ts'
import type { Stage } from './stage.ts'
import { until } from './waiting.ts'

const sees = (watch: Watch, viewer: string, userId: string, status: string) =>
  until(watch, ({ users }) => users.get(userId)?.status === status, `${viewer} sees ${userId} as ${status}`)

/** Read on one device is read on the others, and the others of the room see how far somebody is. */
export async function theyReadOnTwoDevices({
  adaPhone,
  adaLaptop,
  bobPhone,
  bobLaptop,
  cyTablet,
  eve,
}: Stage) {
  const { seq } = await eve.room('harbour').send({ content: 'has anybody read this?' })
  for (const { name, room } of [bobPhone, bobLaptop])
    await until(room('harbour'), ({ unread = 0 }) => unread > 0, `${name} shows something unread`)
  const { timestamp } = await bobPhone.room('harbour').markRead(seq)
  await until(bobLaptop.room('harbour'), ({ unread }) => unread === 0, 'bob’s laptop has nothing unread')
  for (const { name, room } of [adaPhone, adaLaptop, eve]) {
    const harbour = room('harbour')
    await until(harbour, ({ read }) => (read.get('bob') ?? 0) >= seq, `${name} sees that bob has read`)
    expect(harbour.receipts().get('bob')).toMatchObject({ read: seq, readAt: timestamp })
    await until(
      harbour,
      ({ delivered }) => (delivered.get('finn') ?? 0) >= seq,
      `${name} sees that finn has it`,
    )
  }
  expect((await bobLaptop.room('harbour').markRead(1)).seq).toBe(seq)
  await until(cyTablet.room('harbour'), ({ unread = 0 }) => unread > 0, 'nobody has read for cy')
}

/** Two devices are one user; who has gone was last seen. */
export async function theySeeHowOthersAre({ adaPhone, adaLaptop, cyTablet, cyLaptop, dee, eve }: Stage) {
  const watches = [adaPhone, adaLaptop].map((device) => {
    const watch = presence(device.client).watch(['cy', 'dee', 'eve'])
    return {
      device,
      watch,
      shows: (userId: string, status: string) => sees(watch, device.name, userId, status),
    }
  })
  const all = (userId: string, status: string) =>
    Promise.all(watches.map(({ shows }) => shows(userId, status)))
  await Promise.all([all('cy', 'online'), all('dee', 'online'), all('eve', 'online')])
  presence(dee.client).set({ status: 'busy', text: 'On the pier' })
  await all('dee', 'busy')
  for (const { watch } of watches) expect(watch.getSnapshot().users.get('dee')?.text).toBe('On the pier')

  let look: (event: ActivityEvent) => void = () => {}
  presence(cyTablet.client, {
    autoAway: {
      hiddenMs: 0,
      activity(notice) {
        look = notice
        return () => {}
      },
    },
  })
  presence(cyLaptop.client).set({ status: 'away' })
  look('hidden')
  await all('cy', 'away')
  // What is shown is of this connection.
  adaPhone.proxy.reset()
  dee.proxy.cut()
  await until(adaPhone.client, ({ status }) => status !== 'connected', 'ada’s phone notices')
  await Promise.all([all('cy', 'away'), all('dee', 'busy')])

  await eve.client.disconnect()
  await all('eve', 'offline')
  for (const { watch } of watches)
    expect(watch.getSnapshot().users.get('eve')?.lastSeenAt).toBeGreaterThan(Date.now() - 60_000)
  await eve.client.connect()
  await all('eve', 'online')
  for (const { watch } of watches) watch.close()
}

/** Three type at once. Each is seen until they are done; who was away meanwhile sees nobody type in the end either. */
export async function theyType({ adaPhone, adaLaptop, bobPhone, cyTablet, dee, eve }: Stage): Promise<void> {
  const type = (names: readonly string[], viewers = [adaPhone, eve]) =>
    Promise.all(
      viewers.map(({ name, room }) =>
        until(
          room('harbour'),
          ({ typing }) => typing.toSorted().join() === names.join(),
          `${name} sees ${names.join(' and ') || 'nobody'} type`,
        ),
      ),
    )
  for (const { room } of [bobPhone, cyTablet, dee]) room('harbour').typing()
  await type(['bob', 'cy', 'dee'], [adaPhone, adaLaptop, eve])
  adaLaptop.proxy.cut()
  await until(adaLaptop.room('harbour'), ({ phase }) => phase !== 'live', 'ada’s laptop notices')
  expect(adaLaptop.room('harbour').getSnapshot().typing).toEqual([])
  await bobPhone.room('harbour').send({ content: 'that is what I wrote' })
  await type(['cy', 'dee'])
  cyTablet.room('harbour').typing(false)
  await type(['dee'])
  await dee.client.disconnect()
  await type([], [adaPhone, adaLaptop, eve])
  await dee.client.connect()
}

/** Who is away is told by a push; what one device reads or clears is so on the other; who wants to hear nothing hears nothing. */
export async function theyAreToldWhatConcernsThem(stage: Stage): Promise<void> {
  const { adaPhone, adaLaptop, bobPhone, bobLaptop, dee, eve, finn, server, pushes } = stage
  const unread = ({ notifications }: Device, count: number, who: string) =>
    until(notifications, (list) => list.isLoaded && list.unread === count, `${who} has ${count} unread`)

  await finn.client.disconnect()
  await until(adaPhone.room('harbour'), ({ users }) => !users.has('finn'), 'finn is away')
  const call = adaPhone.room('harbour').send({ content: '!@finn man overboard', mentions: ['finn', 'dee'] })
  await call
  const push = await pushes.find(
    ({ userId, message }) => userId === 'finn' && message?.messageId === call.messageId,
    'finn is pushed the mention',
  )
  expect(push).toMatchObject({
    type: 'mention',
    room: 'harbour',
    sender: 'ada',
    alert: { priority: 'high', sound: 'horn' },
  })
  expect(push.alert.badge).toBeGreaterThan(0)
  await finn.client.connect()
  await until(
    finn.notifications,
    ({ items }) => items.some(({ message }) => message?.messageId === call.messageId),
    'finn finds the mention when he is back',
  )

  await dee.notifications.settings('harbour').set('none')
  const before = dee.notifications.getSnapshot().items.length
  await adaPhone.room('harbour').send({ content: '@dee are you there?', mentions: ['dee'] })
  await server.notify('dee', { title: 'Dinner is ready', room: 'harbour' })
  const { items } = await until(
    dee.notifications,
    (list) => list.items[0]?.type === 'notice',
    'dee is told of dinner',
  )
  expect(items).toHaveLength(before + 1)
  await dee.notifications.settings('harbour').set('mentions')

  // Read on the phone, cleared on the laptop.
  for (const title of ['one', 'two', 'three']) await server.notify('ada', { title })
  const missed = {
    room: 'harbour',
    sender: 'bob',
    callId: 'call-0001',
    media: 'audio',
    startedAt: Date.now(),
  } as const
  await server.notify('ada', { type: 'missed_call', ...missed })
  for (const device of [adaPhone, adaLaptop])
    await until(
      device.notifications,
      (list) => list.items[0]?.type === 'missed_call',
      `${device.name} tells of a call`,
    )
  const [callNotice, third, second] = adaPhone.notifications.getSnapshot().items
  const pending = adaPhone.notifications.getSnapshot().unread
  await adaPhone.notifications.read([callNotice!.seq])
  await adaLaptop.notifications.clear([second!.seq])
  for (const [device, name] of [
    [adaPhone, 'ada’s phone'],
    [adaLaptop, 'ada’s laptop'],
  ] as const) {
    await unread(device, pending - 2, name)
    const seqs = device.notifications.getSnapshot().items.map(({ seq }) => seq)
    expect(seqs).toContain(third!.seq)
    expect(seqs).not.toContain(second!.seq)
  }
  await server.notify('bob', { title: 'to be cleared' })
  await until(bobPhone.notifications, (list) => list.items[0]?.type === 'notice', 'bob’s phone is told')
  await bobPhone.notifications.clearAll()
  await until(bobLaptop.notifications, (list) => list.items.length === 0, 'bob’s laptop has nothing left')
  await until(eve.notifications, (list) => list.items.length > 0, 'eve has something to read')
  await eve.notifications.readAll()
  await unread(eve, 0, 'eve')
}
