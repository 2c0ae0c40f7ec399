// Six users with nine devices use everything there is once, on one real server with its file, over connections that are cut:
// at random (with a fixed seed), and where it hurts. In the end all of them see the same. A story: its acts are in scene/,
// each goes on where the one before it ended.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { theyCall } from './scene/calling.ts'
import type { Device } from './scene/device.ts'
import { theyAreAllThere, theyKeepOrder, theyMeet, theyPart } from './scene/gathering.ts'
import { theHouseHasItsRules, theServerIsGoneForAWhile, theyOfferWork, theySignOut } from './scene/house.ts'
import {
  theyAreToldWhatConcernsThem,
  theyReadOnTwoDevices,
  theySeeHowOthersAre,
  theyType,
} from './scene/signs.ts'
import { openStage, type Stage } from './scene/stage.ts'
import {
  anAnswerIsLost,
  theyAnswer,
  theyPassItOn,
  theyReact,
  theySayAllSortsOfThings,
  theyTakeWordsBack,
} from './scene/talk.ts'
import { openEverything, roomAsRemembered, roomAsShown, userAsShown } from './scene/views.ts'

const SEED = 20_261_121

describe('six users with nine devices, whose connections are cut', () => {
  let stage: Stage
  beforeAll(async () => {
    stage = await openStage(SEED)
  })
  afterAll(() => stage.close())

  const inAStorm = (act: (stage: Stage) => Promise<void>) => async () => {
    stage.weather.storm()
    await act(stage)
  }
  /** What is of the moment, and is not kept for who is away. */
  const inACalm = (act: (stage: Stage) => Promise<void>) => async () => {
    await stage.weather.calm()
    await act(stage)
  }

  it('meet in rooms, by themselves and by invitation', inAStorm(theyMeet))
  it('say all sorts of things, to all and to one', inAStorm(theySayAllSortsOfThings))
  it('say once what was acknowledged to nobody', inACalm(anAnswerIsLost))
  it('take words back, their own alone', inAStorm(theyTakeWordsBack))
  it('answer each other', inAStorm(theyAnswer))
  it('pass on what can be passed on', inAStorm(theyPassItOn))
  it('react', inAStorm(theyReact))
  it('live with the rules of the house', inAStorm(theHouseHasItsRules))
  it('find what they said while the server was gone', inAStorm(theServerIsGoneForAWhile))
  it('see who has read what, and have read on all of their devices', inAStorm(theyReadOnTwoDevices))
  it('see how others are', inACalm(theySeeHowOthersAre))
  it('see who types', inACalm(theyType))
  it('keep order', inAStorm(theyKeepOrder))
  it('are told what concerns them, also while they are away', inAStorm(theyAreToldWhatConcernsThem))
  it('offer work', inACalm(theyOfferWork))
  it('call each other', inACalm(theyCall))
  it('sign out and in', inAStorm(theySignOut))
  it('part', inAStorm(theyPart))
  it('are all there', inACalm(theyAreAllThere))

  describe('in the end', () => {
    /** Each user with the rooms that they have come to belong to. */
    const users = {
      ada: ['harbour', 'pier', '~ada~bob'],
      bob: ['crew', 'harbour', 'pier', '~ada~bob'],
      cy: ['crew', 'harbour', 'pier', '~cy~finn'],
      dee: ['crew', 'harbour'],
      eve: ['harbour'],
      finn: ['harbour', 'pier', '~cy~finn'],
    }
    const newcomers: Device[] = []
    const all = () => [...stage.devices, ...newcomers]

    beforeAll(async () => {
      await stage.weather.calm()
      for (const userId of Object.keys(users)) {
        const device = await stage.newcomer(userId)
        await device.client.connect()
        newcomers.push(device)
      }
      await Promise.all(all().map(openEverything))
    })

    it('have lost many a connection', () => {
      expect(stage.weather.cuts()).toBeGreaterThan(30)
    })

    it('see the same rooms, messages, receipts and members', async () => {
      for (const id of new Set(Object.values(users).flat())) {
        const inside = all().filter(({ rooms }) => rooms.has(id))
        const names = Object.entries(users).filter(([, rooms]) => rooms.includes(id))
        const view = await agreed(() => Promise.all(inside.map((device) => roomAsShown(device, id))))
        expect(view.members.map(({ userId }) => userId)).toEqual(names.map(([userId]) => userId))
        expect(view.messages).toEqual(await roomAsRemembered(inside.at(-1)!, id))
        expect(view.messages.length).toBeGreaterThan(0)
      }
    })

    it.each(Object.entries(users))(
      '%s finds the same on each device, also on a new one',
      async (userId, rooms) => {
        const own = all().filter((device) => device.userId === userId)
        const view = await agreed(() => Promise.all(own.map(userAsShown)))
        expect(view.opened).toEqual(rooms)
        expect(view.listed.map(({ room }) => room)).toEqual(rooms)
        expect(view.unread).toEqual(view.listed.map(({ room, unread }) => [room, unread]))
        expect(view.total).toBe(view.listed.reduce((sum, { unread = 0 }) => sum + unread, 0))
        expect(view.outbox).toEqual([])
      },
    )

    it('have heard everything once and in order', () => {
      for (const { name, rooms } of all())
        for (const [id, { entries }] of rooms) {
          const seqs = entries.map(({ seq }) => seq)
          const first = seqs[0] ?? 0
          expect(seqs, `${name} in ${id}`).toEqual(seqs.map((_, i) => first + i))
        }
    })
  })
})

/** What all of them show, as soon as it is the same. */
async function agreed<T>(look: () => Promise<readonly T[]>): Promise<T> {
  return await eventually(async () => {
    const [first, ...others] = await look()
    for (const other of others) expect(other).toEqual(first)
    return first as T
  })
}
