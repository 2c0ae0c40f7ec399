// The whole outbox against a model (../support/outbox-model.ts): whatever is said and given up, however the connection, the
// server and the storage behave in between, and as often as the page is loaded again, every message has one outcome in
// the end, and it is true. fast-check chooses the steps, and shrinks them where something does not hold.

import { type Code, DEFAULT_LIMITS, type Limits } from '@tautline/protocol'
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { keepInStore } from '../../../packages/client/src/core/durable-keeper.ts'
import type { StoreCall } from '../../../packages/client/src/core/keeper.ts'
import { DEFAULT_OUTBOX } from '../../../packages/client/src/core/outbox.ts'
import { createOutboxTable } from '../../../packages/client/src/stores/outbox-table.ts'
import { commandsOf, drive, ids, ofType, rowOf, SERVER_TIME } from '../support/drive.ts'
import {
  createOutboxModel,
  type Frame,
  type Mood,
  messagesFor,
  type OutboxModel,
} from '../support/outbox-model.ts'
import { holds } from '../support/property.ts'
import { answerOf } from '../support/store-calls.ts'

const LIMITS: Limits = {
  ...DEFAULT_LIMITS,
  windowPerRoom: 3,
  windowPerConnection: 4,
  windowBytes: 1_200,
  messagesPerSecond: 4,
  messageBurst: 6,
}
const OUTBOX = { ...DEFAULT_OUTBOX, maxRows: 12, timeToLiveMs: 90_000 }

type Words = Parameters<typeof messagesFor>[0]

/** What the server has decided and not said yet, or too late. */
interface Answer {
  readonly load: number
  readonly link: number
  readonly words: Words
}

/** The page with its core, the wires and the store; the model looks on. */
function createPage(model: OutboxModel, isKept: boolean) {
  let client = load()
  let before = 0
  let table = createOutboxTable()
  let calls: { readonly id: number; readonly call: StoreCall }[] = []
  /** Not taken by the server: of this connection, and of older ones, where they may still arrive. */
  let frames: Frame[] = []
  let oldFrames: Frame[] = []
  let answers: Answer[] = []
  const late: Answer[] = []

  function load() {
    const keeper = isKept ? keepInStore : undefined
    const sid = `lane-of-load-${model.load()}`
    return drive({ limits: LIMITS, outbox: OUTBOX, keeper, sid }, 7 + model.load())
  }

  const isUp = (): boolean => client.core.status() === 'connected'

  /** What has happened since the last time. */
  function look(): void {
    const effects = client.take()
    model.see(effects, client.now())
    for (const { id, call } of ofType(effects, 'store')) calls.push({ id, call })
    for (const commands of commandsOf(effects))
      frames.push({ load: model.load(), link: client.link(), commands })
    if (!isUp()) hangUp()
  }

  function hangUp(): void {
    oldFrames.push(...frames)
    late.push(...answers)
    frames = []
    answers = []
  }

  function answerCall(): void {
    const next = calls.shift()
    if (!next) return
    const result = answerOf(table, next.call)
    if (result) client.step({ type: 'stored', id: next.id, result })
    if (next.call.do === 'open') client.step({ type: 'held', isHeld: true })
    look()
  }

  function begin(): void {
    client.step({ type: 'connect' })
    look()
  }

  const page = {
    send(messageId: string, room: string, size: number): void {
      const createdAt = SERVER_TIME + before + client.now()
      const row = rowOf(room, messageId, {
        payload: { content: 'x'.repeat(size) },
        bytes: size + 20,
        createdAt,
      })
      model.say(messageId, room, row.bytes)
      client.step({ type: 'send', row })
      look()
    },
    cancel(messageId: string): void {
      client.step({ type: 'cancel', messageId })
      look()
    },
    /** The server takes the oldest frame: of this connection, or of one that is gone. */
    take(mood: Mood): void {
      const frame = frames.shift()
      if (frame) answers.push({ ...frame, words: model.server.take(frame.commands, mood) })
    },
    takeOld(mood: Mood): void {
      const frame = oldFrames.shift()
      if (frame) late.push({ ...frame, words: model.server.take(frame.commands, mood) })
    },
    /** The client hears what the server has decided. */
    hear(): void {
      for (const { link, words } of answers.splice(0)) {
        model.heard(words)
        client.step({ type: 'received', link, messages: messagesFor(words) })
        look()
      }
    },
    /** Something that was said on an old connection of this load arrives after all, and then its end. */
    hearLate(): void {
      if (late[0]?.load === model.load() && late[0].link === client.link()) return
      const answer = late.shift()
      if (answer?.load !== model.load()) return
      const { link, words } = answer
      client.endTurn()
      look()
      expect(client.step({ type: 'received', link, messages: messagesFor(words) })).toEqual([])
      expect(client.step({ type: 'lost', link, closeCode: 1006, reason: '' })).toEqual([])
      look()
    },
    lose(): void {
      if (!isUp()) return
      client.lose()
      look()
    },
    restore(): void {
      if (isUp()) return
      for (let tries = 0; client.core.status() !== 'connecting'; tries++) {
        expect(tries, 'it tries again').toBeLessThan(1_000)
        page.wait(1_000)
      }
      client.signIn(LIMITS, SERVER_TIME + before + client.now())
      look()
    },
    /** With a server that answers pings. */
    wait(ms: number): void {
      const end = client.now() + ms
      while (client.now() < end) {
        const gap = Math.min(end, client.core.nextDeadline()) - client.now()
        if (isUp()) client.live(Math.max(gap, 0.001))
        else client.advance(Math.max(gap, 0.001))
        look()
      }
    },
    answerCalls(count: number): void {
      for (let i = 0; i < count; i++) answerCall()
    },
    failCall(): void {
      if (calls.length === 0) return
      calls = []
      client.step({ type: 'store_lost', detail: 'the disk is full' })
      look()
    },
    /** A crash: of the calls under way so many took effect. A store that failed is not there any more. */
    reload(count: number): void {
      for (const { call } of calls.splice(0).slice(0, count)) answerOf(table, call)
      hangUp()
      if (client.core.storage() === 'lost') table = createOutboxTable()
      const isReliable = client.core.storage() === 'durable' || client.core.storage() === 'opening'
      model.reload(isReliable ? new Set(table.list().map(({ messageId }) => messageId)) : undefined)
      before += client.now()
      client = load()
      begin()
    },
    /** The server comes back with its logs, and without its lanes; what was on its way to it is gone. */
    forget(): void {
      page.lose()
      oldFrames = []
      model.server.forget()
    },
    /** Nothing goes wrong any more. */
    letThrough(): void {
      for (let rounds = 0; page.isBusy(); rounds++) {
        expect(rounds, 'it comes to an end').toBeLessThan(300)
        while (calls.length > 0) answerCall()
        while (oldFrames.length > 0) page.takeOld('honest')
        if (!isUp()) page.restore()
        while (late.length > 0) page.hearLate()
        while (frames.length > 0) page.take('honest')
        page.hear()
        page.wait(500)
      }
    },
    isBusy: () =>
      [calls, frames, oldFrames, answers].some(({ length }) => length > 0) || client.core.queued().rows > 0,
  }
  begin()
  return page
}

type Page = ReturnType<typeof createPage>

type Step = fc.Command<OutboxModel, Page>

/** A step that cannot be taken now does nothing. */
function step(words: string, run: (page: Page, model: OutboxModel) => void): Step {
  return {
    check: () => true,
    run(model, page) {
      run(page, model)
      model.checkOrder()
    },
    toString: () => words,
  }
}

const mood: fc.Arbitrary<Mood> = fc.oneof(
  { weight: 4, arbitrary: fc.constant('honest' as const) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Code>('FORBIDDEN', 'VALIDATION_ERROR').map((refuse) => ({ refuse })),
  },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom<Code>('UNAVAILABLE', 'RATE_LIMIT', 'INTERNAL_ERROR')
      .map((retry) => ({ retry })),
  },
)

/** Of those that were said, counted from the last. */
function cancel(back: number): Step {
  return step(`cancel ${back}`, (page, model) => {
    const messageId = Array.from(model.said.keys()).at(-1 - back)
    if (messageId) page.cancel(messageId)
  })
}

function send(room: string, count: number, size: number): Step {
  return step(`send ${count} of ${size} to ${room}`, (page, model) => {
    const first = model.said.size + 1
    for (const messageId of ids(first, first + count - 1)) page.send(messageId, room, size)
  })
}

const sends = fc
  .tuple(fc.constantFrom('den', 'lab'), fc.integer({ min: 1, max: 4 }), fc.constantFrom(5, 5, 5, 300))
  .map((of) => send(...of))
const exchange = mood.map((of) =>
  step(`the server takes a frame, and is heard: ${JSON.stringify(of)}`, (page) => {
    page.take(of)
    page.hear()
  }),
)

const steps = [
  sends,
  sends,
  exchange,
  exchange,
  fc.nat(5).map(cancel),
  mood.map((of) => step(`the server takes a frame: ${JSON.stringify(of)}`, (page) => page.take(of))),
  fc.constant(step('the server is heard', (page) => page.hear())),
  mood.map((of) => step(`an old frame arrives: ${JSON.stringify(of)}`, (page) => page.takeOld(of))),
  fc.constant(step('an old answer arrives', (page) => page.hearLate())),
  fc.constant(step('the connection is lost', (page) => page.lose())),
  fc.constant(step('the connection is restored', (page) => page.restore())),
  fc.constant(step('the connection is restored', (page) => page.restore())),
  fc.constantFrom(20, 300, 2_000, 40_000).map((ms) => step(`${ms} ms pass`, (page) => page.wait(ms))),
]
const rareSteps = [
  fc.nat(3).map((count) => step(`a reload, after ${count} calls`, (page) => page.reload(count))),
  fc.constant(step('the server forgets its lanes', (page) => page.forget())),
]
const storeSteps = [
  fc
    .integer({ min: 1, max: 4 })
    .map((count) => step(`the store answers ${count}`, (page) => page.answerCalls(count))),
  fc.constant(step('the store answers', (page) => page.answerCalls(99))),
  fc.constant(step('the store answers', (page) => page.answerCalls(99))),
]
const failingStore = fc.constant(step('a call of the store fails', (page) => page.failCall()))

it.each([
  ['in memory', false, [...steps, ...steps, ...steps, ...rareSteps]],
  ['in a store', true, [...steps, ...storeSteps, ...steps, ...storeSteps, ...rareSteps, failingStore]],
])(
  'every message of an outbox %s has one outcome, which is true, whatever happens',
  (_where, isKept, from) => {
    const seen = new Set<string>()
    holds(
      fc.property(fc.commands(from, { maxCommands: 60, size: 'max' }), (commands) => {
        const model = createOutboxModel(LIMITS)
        const page = createPage(model, isKept)
        fc.modelRun(() => ({ model, real: page }), commands)
        page.letThrough()
        model.checkOrder()
        model.checkEnd()
        for (const { outcome, status } of model.said.values()) {
          const word = outcome?.is.status === 'failed' ? outcome.is.code : (outcome?.is.status ?? status)
          seen.add(word)
        }
      }),
      150,
    )
    const outcomes = ['acknowledged', 'CANCELLED', 'EXPIRED', 'FORBIDDEN', 'OUTBOX_FULL', 'gone']
    expect(Array.from(seen)).toEqual(expect.arrayContaining(outcomes))
  },
)
