// Acts about messages: what is said, and what comes of it.

import { followThread, reactions, thread, unfollowThread, versions } from '@tautline/client/history'
import { expect } from 'vitest'
import type { Device } from './device.ts'
import { refused } from './refused.ts'
import type { Stage } from './stage.ts'
import { heard, heardIn, until, within } from './waiting.ts'

const FILE = { url: '/files/1.png', mediaType: 'image/png', name: 'pier.png', bytes: 1_024 }

/** The message with this content, as the device shows it, with its place. */
async function shown(device: Device, room: string, content: string) {
  const isMeant = (item: { content: string; seq: number | undefined }) =>
    item.content === content && item.seq !== undefined
  const what = `${device.name} sees “${content}” in ${room}`
  const { items } = await until(device.timeline(room), (snapshot) => snapshot.items.some(isMeant), what)
  return items.find(isMeant)!
}

/** Each kind of message, with words of its own for machines; some of it to one person alone, some of it to two at once. */
export async function theySayAllSortsOfThings(stage: Stage): Promise<void> {
  const { adaPhone, bobPhone, bobLaptop, cyTablet, cyLaptop, dee, eve, finn, server, devices } = stage
  const harbour = (device: Device) => device.room('harbour')
  const named = [eve, finn].map(({ client }) => heard(client, 'mentioned'))
  harbour(adaPhone).send({
    content: '@eve @finn low tide',
    metadata: { height: 0.4 },
    mentions: ['eve', 'finn', 'nobody'],
  })
  harbour(adaPhone).send({ kind: 'image', content: 'the pier', file: FILE })
  harbour(bobPhone).send({ kind: 'file', content: 'the list', file: { ...FILE, mediaType: 'text/csv' } })
  harbour(bobLaptop).send({ kind: 'audio', content: '', file: { ...FILE, mediaType: 'audio/ogg' } })
  harbour(cyTablet).send({ kind: 'video', content: 'waves', file: { ...FILE, mediaType: 'video/mp4' } })
  harbour(cyLaptop).send({ kind: 'location', content: 'here', location: { latitude: 53.5, longitude: 9.9 } })
  harbour(dee).send({ kind: 'encrypted', content: 'c2VjcmV0', keyId: 'key-7', metadata: { nonce: 1 } })
  harbour(finn).send({ content: 'aye' })
  await server.send({ room: 'harbour', content: 'The lock closes at ten.' })
  for (const [mentioned] of await Promise.all(named))
    expect(mentioned).toMatchObject({ room: 'harbour', by: 'ada' })
  const kinds = ['text', 'image', 'file', 'audio', 'video', 'location', 'encrypted', 'system']
  const isThere = devices.map(({ name, timeline }) =>
    until(
      timeline('harbour'),
      ({ items }) =>
        kinds.every((kind) => items.some((item) => item.kind === kind && item.seq !== undefined)),
      `${name} sees a message of every kind`,
    ),
  )
  await Promise.all(isThere)
  expect((await shown(finn, 'harbour', '@eve @finn low tide')).body).toMatchObject({
    mentions: ['eve', 'finn'],
  })

  // The room of two is there once somebody has said something in it, on all devices of both.
  const admitted = [bobPhone, bobLaptop].map(({ client }) =>
    heard(client, 'admitted', ({ by }) => by === 'ada'),
  )
  const direct = adaPhone.client.directRoom('bob')
  await direct.send({ content: 'for you alone' })
  await Promise.all(admitted)
  for (const device of devices.filter(({ userId }) => ['ada', 'bob'].includes(userId))) {
    await device.open(direct.id)
    await shown(device, direct.id, 'for you alone')
  }
  const other = cyLaptop.client.directRoom('finn')
  await other.send({ content: 'are you awake?' })
  for (const device of [cyLaptop, cyTablet, finn]) await device.open(other.id)
  await finn.room(other.id).send({ content: 'no' })
  await expect(eve.client.room(direct.id).follow()).rejects.toMatchObject({ code: 'FORBIDDEN' })
}

/** The acknowledgement is lost with the connection: the message is sent again, and stands there once. */
export async function anAnswerIsLost({ bobPhone, dee }: Stage): Promise<void> {
  const { proxy } = bobPhone
  proxy.set('toClient', { latencyMs: 50 })
  const onItsWay = proxy.carries('"ack"')
  const sent = bobPhone.room('harbour').send({ content: 'said once' })
  await within(onItsWay, 'the acknowledgement is on its way')
  expect(sent.status).not.toBe('acknowledged')
  proxy.cut()
  proxy.heal()
  const { seq } = await sent
  expect((await shown(dee, 'harbour', 'said once')).seq).toBe(seq)
  const { items } = dee.timeline('harbour').getSnapshot()
  expect(items.filter(({ content }) => content === 'said once')).toHaveLength(1)
}

/** One's own words change and go, nobody else's; what they were can be asked for as long as they are there. */
export async function theyTakeWordsBack({
  adaPhone,
  adaLaptop,
  bobLaptop,
  cyTablet,
  finn,
}: Stage): Promise<void> {
  const room = adaPhone.room('harbour')
  const sent = room.send({ content: 'low tide at sevn' })
  room.edit(sent, { content: 'low tide at seven' })
  await room.edit(sent, { content: 'low tide at eight', mentions: ['cy'] })
  const message = { sender: 'ada', messageId: sent.messageId }
  const { versions: said } = await versions(cyTablet.room('harbour'), message)
  expect(said.map(({ body }) => body.content)).toEqual([
    'low tide at eight',
    'low tide at seven',
    'low tide at sevn',
  ])
  await shown(finn, 'harbour', 'low tide at eight')
  const forged = bobLaptop.room('harbour').edit(message, { content: 'low tide never' })
  await refused(bobLaptop, forged, { code: 'FORBIDDEN' })

  const regretted = adaLaptop.room('harbour').send({ content: 'and another thing' })
  await regretted
  const gone = heardIn(
    finn.room('harbour'),
    'deleted',
    ({ target }) => target.messageId === regretted.messageId,
  )
  await room.delete({ sender: 'ada', messageId: regretted.messageId })
  expect(await gone).toMatchObject([{ by: 'ada' }])
  const late = bobLaptop.room('harbour').react({ sender: 'ada', messageId: regretted.messageId }, '👍')
  await refused(bobLaptop, late, { code: 'MESSAGE_DELETED' })
}

/** Answers make a thread; who said, answered or follows it is told, until they follow no more. */
export async function theyAnswer({ adaLaptop, bobPhone, cyLaptop, dee }: Stage): Promise<void> {
  const question = adaLaptop.room('harbour').send({ content: 'who comes along?' })
  await question
  const target = { sender: 'ada', messageId: question.messageId }
  await followThread(dee.room('harbour'), target)
  const told: string[] = []
  const stop = dee.client.on('answered', ({ by }) => told.push(by))
  const answered = heard(adaLaptop.client, 'answered', ({ by }) => by === 'cy')
  const deeHears = heard(dee.client, 'answered', ({ by }) => by === 'bob')
  await bobPhone.room('harbour').send({ content: 'I do', replyTo: target })
  await deeHears
  await unfollowThread(dee.room('harbour'), target)
  await cyLaptop.room('harbour').send({ content: 'me too', replyTo: target })
  await answered
  // What would have been told comes before this.
  const afterwards = heard(dee.client, 'mentioned')
  await bobPhone.room('crew').send({ content: '@dee and you?', mentions: ['dee'] })
  await afterwards
  stop()
  expect(told).toEqual(['bob'])
  const { messages, following } = await thread(dee.room('harbour'), target)
  expect(messages.map(({ sender, content }) => `${sender}: ${content}`)).toEqual(['bob: I do', 'cy: me too'])
  expect(following).toBe(false)
}

/** What was said in one room goes on to another, but for what nobody can read. */
export async function theyPassItOn({ bobLaptop, adaPhone, dee }: Stage): Promise<void> {
  const picture = await shown(bobLaptop, 'harbour', 'the pier')
  const direct = bobLaptop.client.directRoom('ada')
  await direct.forward({ room: 'harbour', ...picture })
  expect((await shown(adaPhone, direct.id, 'the pier')).body).toMatchObject({
    kind: 'image',
    file: FILE,
    forwardedFrom: { sender: 'ada' },
  })
  const secret = await shown(dee, 'harbour', 'c2VjcmV0')
  const leak = dee.room('crew').forward({ room: 'harbour', ...secret })
  await refused(dee, leak, { code: 'VALIDATION_ERROR' })
}

/** Emojis come and go, and so does a short name of the house. */
export async function theyReact({ adaPhone, adaLaptop, bobPhone, bobLaptop, cyTablet, eve, finn }: Stage) {
  const { sender, messageId } = await shown(eve, 'harbour', 'waves')
  const target = { sender, messageId }
  await eve.room('harbour').react(target, '👍')
  await finn.room('harbour').react(target, '👍')
  // The same of the same user, on two devices, is one.
  await Promise.all([adaPhone, adaLaptop].map((device) => device.room('harbour').react(target, '🌊')))
  await bobPhone.room('harbour').react(target, ':party_parrot:')
  await finn.room('harbour').unreact(target, '👍')
  const strange = bobLaptop.room('harbour').react(target, ':unknown:')
  await refused(bobLaptop, strange, { code: 'VALIDATION_ERROR' })
  expect(await reactions(cyTablet.room('harbour'), target)).toEqual([
    { emoji: '👍', count: 1, users: ['eve'] },
    { emoji: '🌊', count: 1, users: ['ada'] },
    { emoji: ':party_parrot:', count: 1, users: ['bob'] },
  ])
}
