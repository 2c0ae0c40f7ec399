// Acts about rooms: how people come together, who may do what there, and how they part.

import { admin } from '@tautline/client/admin'
import { users } from '@tautline/client/users'
import { expect } from 'vitest'
import { refused } from './refused.ts'
import type { Stage } from './stage.ts'
import { heard, heardIn, until } from './waiting.ts'

const FORBIDDEN = { code: 'FORBIDDEN' }

/** A public room that ada owns, one that is made by coming to it, and a private one that takes an invitation. */
export async function theyMeet(stage: Stage): Promise<void> {
  const { adaPhone, bobLaptop, cyTablet, dee, eve, finn, devices } = stage
  await Promise.all(devices.map(({ client }) => client.connect()))
  await adaPhone.client.rooms.create({
    id: 'harbour',
    visibility: 'public',
    name: 'Harbour',
    topic: 'Ships and tides',
    metadata: { colour: 'blue' },
  })
  await cyTablet.client.room('pier').join()
  const crew = await bobLaptop.client.rooms.create({ id: 'crew', visibility: 'private', name: 'Crew' })
  const invitations = [cyTablet, dee, eve].map(({ client }) => heard(client, 'invited'))
  await admin(crew).invite('cy')
  await admin(crew).invite('dee', { role: 'moderator' })
  await admin(crew).invite('eve')
  for (const [invited] of await Promise.all(invitations))
    expect(invited).toMatchObject({ room: 'crew', by: 'bob' })
  await cyTablet.client.room('crew').accept()
  await dee.client.room('crew').accept()
  await admin(crew).remove('eve')
  await expect(eve.client.room('crew').accept()).rejects.toMatchObject(FORBIDDEN)

  // Several at once, each with an answer of its own.
  const joined = await finn.client.rooms.join(['harbour', 'pier', 'crew'])
  expect(joined.map(({ room, error }) => [room.id, error?.code])).toEqual([
    ['harbour', undefined],
    ['pier', undefined],
    ['crew', 'FORBIDDEN'],
  ])
  for (const { client } of [adaPhone, bobLaptop, cyTablet, dee, eve])
    await client.rooms.join(['harbour', 'pier'])
  await Promise.all(devices.flatMap((device) => ['harbour', 'pier'].map((room) => device.open(room))))
  const crewDevices = devices.filter(({ userId }) => ['bob', 'cy', 'dee'].includes(userId))
  await Promise.all(crewDevices.map((device) => device.open('crew')))

  const isPublic = await eve.client.rooms.list({ which: 'public' })
  expect(isPublic.rooms.map(({ room, name }) => [room, name])).toEqual([
    ['harbour', 'Harbour'],
    ['pier', undefined],
  ])
  const names = await users(dee.client).get(['ada', 'finn'])
  expect(names.get('finn')).toEqual({ userId: 'finn', name: 'The finn', avatarUrl: '/faces/finn.png' })
}

/** Roles, words of the room, a mute, a ban, and who is there. */
export async function theyKeepOrder({ adaPhone, adaLaptop, bobPhone, bobLaptop, eve, finn }: Stage) {
  const [adas, bobs] = [admin(adaPhone.room('harbour')), admin(bobPhone.room('harbour'))]
  await expect(bobs.update({ topic: 'Bob was here' })).rejects.toMatchObject(FORBIDDEN)
  const appointed = [bobPhone, bobLaptop].map(({ client }) => heard(client, 'appointed'))
  await adas.setRole('bob', 'moderator')
  for (const [told] of await Promise.all(appointed))
    expect(told).toMatchObject({ room: 'harbour', role: 'moderator' })
  const updated = heardIn(adaLaptop.room('harbour'), 'entry', ({ type }) => type === 'room_updated')
  await adas.update({ topic: 'Ships, tides and gulls', metadata: { colour: 'grey' } })
  expect((await updated)[0].payload).toMatchObject({ topic: 'Ships, tides and gulls' })

  await bobs.mute('eve', 60_000)
  const unheard = eve.room('harbour').send({ content: 'let me say …' })
  await refused(eve, unheard, { code: 'MUTED' })
  await bobs.unmute('eve')
  await eve.room('harbour').send({ content: 'thank you' })

  const left = heardIn(finn.room('harbour'), 'left')
  await bobs.ban('finn')
  expect(await left).toEqual(['banned'])
  finn.shut('harbour')
  await expect(finn.client.room('harbour').join()).rejects.toMatchObject(FORBIDDEN)
  await expect(adas.invite('finn')).rejects.toMatchObject(FORBIDDEN)
  await bobs.unban('finn')
  await finn.client.room('harbour').join()
  await finn.open('harbour')
  await finn.room('harbour').send({ content: 'I am sorry' })
}

/** One is put out, one goes, and a room ends with all that was said in it. */
export async function theyPart({ cyTablet, cyLaptop, dee, eve, finn, adaPhone }: Stage): Promise<void> {
  await eve.room('pier').send({ content: 'this is my pier' })
  const removed = heard(eve.client, 'removed', ({ room }) => room === 'pier')
  await admin(cyTablet.room('pier')).remove('eve')
  expect(await removed).toMatchObject([{ room: 'pier', reason: 'removed', by: 'cy' }])
  eve.shut('pier')
  await expect(eve.client.room('pier').follow()).rejects.toMatchObject(FORBIDDEN)
  await dee.room('pier').send({ content: 'it is cold here' })
  const gone = heardIn(cyLaptop.room('pier'), 'entry', ({ type }) => type === 'member_left')
  await dee.room('pier').leave()
  dee.shut('pier')
  expect((await gone)[0].sender).toBe('dee')

  const shed = await finn.client.rooms.create({ id: 'shed', visibility: 'public' })
  await adaPhone.client.room('shed').join()
  await shed.send({ content: 'who has the key?' })
  const ended = heard(adaPhone.client, 'removed', ({ room }) => room === 'shed')
  await admin(shed).destroy()
  expect(await ended).toMatchObject([{ room: 'shed', reason: 'deleted', by: 'finn' }])
  await expect(adaPhone.client.room('shed').join()).rejects.toMatchObject(FORBIDDEN)
  const { rooms } = await finn.client.rooms.list()
  expect(rooms.map(({ room }) => room)).not.toContain('shed')
}

/** Whoever has a device there is there, once, whatever connections they lost. */
export async function theyAreAllThere({ adaLaptop, devices }: Stage): Promise<void> {
  const everybody = ['ada', 'bob', 'cy', 'dee', 'eve', 'finn']
  await Promise.all(
    devices.map(({ name, room }) =>
      until(
        room('harbour'),
        ({ users: there }) =>
          everybody.every((userId) => there.get(userId)?.status !== 'offline' && there.has(userId)),
        `${name} sees everybody in the harbour`,
      ),
    ),
  )
  const { members, count } = await admin(adaLaptop.room('harbour')).activeMembers()
  expect(members.map(({ userId, role }) => `${userId}: ${role}`).toSorted()).toEqual([
    'ada: owner',
    'bob: moderator',
    'cy: member',
    'dee: member',
    'eve: member',
    'finn: member',
  ])
  expect(count).toBe(6)
}
