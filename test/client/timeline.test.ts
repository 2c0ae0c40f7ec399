import type { Room } from '@tautline/client'
import { timeline as openTimeline, type Timeline } from '@tautline/client/timeline'
import { describe, expect, it } from 'vitest'
import { createRoom } from '../../packages/client/src/room.ts'
import { cpuMs } from '../support/cpu-time.ts'
import { EPOCH, run, SERVER_TIME } from './support/drive.ts'
import { local, localInDen } from './support/local.ts'
import type { ScriptedServer } from './support/scripted-server.ts'
import { idle } from './support/virtual-time.ts'

const texts = (timeline: Timeline): string[] =>
  timeline
    .getSnapshot()
    .items.map(({ content, status }) => (status === 'acknowledged' ? content : `${content} (${status})`))

/** A timeline of `den`, whose log holds this many messages of bob's. */
async function timelineOf(count: number, pageSize?: number) {
  const all = await localInDen()
  for (let i = 1; i <= count; i++) all.server.say('den', `old ${i}`)
  await idle()
  const timeline = openTimeline(all.room, { pageSize })
  await idle()
  return { ...all, timeline }
}

describe('a timeline', () => {
  it('shows the newest page, and older ones when asked', async () => {
    const { timeline } = await timelineOf(25, 10)
    expect(texts(timeline)).toEqual(Array.from({ length: 10 }, (_, i) => `old ${16 + i}`))
    expect(timeline.getSnapshot()).toMatchObject({ hasOlder: true, isLoading: false, error: undefined })
    await timeline.loadOlder()
    expect(texts(timeline)).toHaveLength(20)
    await timeline.loadOlder()
    expect(texts(timeline)).toEqual(Array.from({ length: 25 }, (_, i) => `old ${1 + i}`))
    expect(timeline.getSnapshot().hasOlder).toBe(false)
    const before = timeline.getSnapshot()
    await timeline.loadOlder()
    expect(timeline.getSnapshot()).toBe(before)
  })

  it('asks once however often it is asked', async () => {
    const { timeline, server } = await timelineOf(25, 10)
    await Promise.all([timeline.loadOlder(), timeline.loadOlder(), timeline.loadOlder()])
    expect(server.payloads('get_history')).toHaveLength(2)
    expect(texts(timeline)).toHaveLength(20)
  })

  it('takes live messages at their end, once', async () => {
    const { timeline, server } = await timelineOf(3)
    server.say('den', 'new')
    await idle()
    expect(texts(timeline)).toEqual(['old 1', 'old 2', 'old 3', 'new'])
  })

  it('waits for the room to be live before it loads: no message falls between history and live', async () => {
    const { client, server } = local()
    for (let i = 1; i <= 3; i++) server.say('den', `old ${i}`)
    const room = client.room('den')
    const timeline = openTimeline(room)
    expect(timeline.getSnapshot()).toMatchObject({ items: [], hasOlder: true, isLoading: false })
    room.follow().catch(() => {})
    await client.connect()
    server.say('den', 'new')
    await idle()
    expect(texts(timeline)).toEqual(['old 1', 'old 2', 'old 3', 'new'])
  })

  it('is the same snapshot while nothing changes', async () => {
    const { timeline } = await timelineOf(3)
    const { items } = timeline.getSnapshot()
    expect(timeline.getSnapshot()).toBe(timeline.getSnapshot())
    await timeline.loadOlder()
    expect(timeline.getSnapshot().items).toBe(items)
  })

  it('tells of a page that could not be loaded, and loads it the next time', async () => {
    const { timeline, server } = await timelineOf(25, 10)
    server.intercept = (message, reply) => {
      if (message.type !== 'get_history') return false
      reply({ type: 'error', payload: { ref: message.payload.ref, code: 'FETCH_ERROR', message: 'no' } })
      return true
    }
    await timeline.loadOlder()
    expect(timeline.getSnapshot()).toMatchObject({
      error: { code: 'FETCH_ERROR' },
      isLoading: false,
      hasOlder: true,
    })
    server.intercept = () => false
    await timeline.loadOlder()
    expect(timeline.getSnapshot().error).toBeUndefined()
    expect(texts(timeline)).toHaveLength(20)
  })

  it('that is closed stays as it is', async () => {
    const { timeline, server, room } = await timelineOf(3)
    timeline.close()
    const before = timeline.getSnapshot()
    server.say('den', 'new')
    await room.send({ content: 'mine' })
    expect(timeline.getSnapshot()).toBe(before)
  })
})

describe('what comes of a message', () => {
  const target = { seq: 1, sender: 'bob', messageId: 'bob-says-0001' }

  /** About the first message. */
  function change(server: ScriptedServer, type: string, payload: object): void {
    server.push('den', type, { target, ...payload })
  }

  it('is folded in, whether it came before the page that shows the message or after it', async () => {
    const { server, room } = await localInDen()
    server.say('den', 'said')
    await idle()
    let answer: () => void = () => {}
    server.intercept = (message, reply) => {
      if (message.type !== 'get_history') return false
      // Read now, and told later than what happens meanwhile.
      const entries = [...server.logs.get('den')!]
      const { ref, room: id } = message.payload
      answer = () =>
        reply({
          type: 'history',
          payload: { ref, room: id, entries, at: 1, hasOlder: false, hasNewer: false },
        })
      return true
    }
    const timeline = openTimeline(room)
    await idle()
    change(server, 'message_edited', { content: 'edited' })
    await idle()
    expect(timeline.getSnapshot().items).toEqual([])
    answer()
    await idle()
    expect(texts(timeline)).toEqual(['edited'])
    change(server, 'reaction_added', { emoji: '👍', count: 1 })
    await idle()
    expect(timeline.getSnapshot().items[0]?.body).toMatchObject({
      content: 'edited',
      version: 2,
      reactions: [{ emoji: '👍', count: 1, own: false }],
    })
    change(server, 'message_deleted', {})
    await idle()
    expect(timeline.getSnapshot().items[0]).toMatchObject({ kind: 'deleted', content: '' })
  })

  it('is not folded in twice where the page has it already', async () => {
    const { server, room } = await localInDen()
    server.say('den', 'said')
    change(server, 'message_edited', { content: 'a' })
    change(server, 'message_edited', { content: 'b' })
    await idle()
    server.intercept = (message, reply) => {
      if (message.type !== 'get_history') return false
      const { ref, room: id } = message.payload
      const body = { content: 'c', version: 4, editedAt: 1 }
      // Of a later time than the live entries that follow it.
      reply({
        type: 'history',
        payload: {
          ref,
          room: id,
          entries: [{ ...server.logs.get('den')![0]!, payload: body }],
          at: 4,
          hasOlder: false,
          hasNewer: false,
        },
      })
      return true
    }
    const timeline = openTimeline(room)
    await idle()
    change(server, 'message_edited', { content: 'c' })
    await idle()
    expect(timeline.getSnapshot().items[0]?.body).toMatchObject({ content: 'c', version: 4 })
    change(server, 'message_edited', { content: 'd' })
    await idle()
    expect(timeline.getSnapshot().items[0]?.body).toMatchObject({ content: 'd', version: 5 })
  })

  it('goes on to older pages where one holds nothing but what is folded in', async () => {
    const { server, room } = await localInDen()
    server.say('den', 'said')
    await idle()
    const spans = [
      { from: 5, to: 9 },
      { from: 2, to: 4 },
    ]
    server.intercept = (message, reply) => {
      const span = spans[0]
      if (message.type !== 'get_history' || !span) return false
      spans.shift()
      const { ref, room: id } = message.payload
      reply({
        type: 'history',
        payload: { ref, room: id, entries: [], at: 9, ...span, hasOlder: true, hasNewer: false },
      })
      return true
    }
    const timeline = openTimeline(room)
    await idle()
    expect(texts(timeline)).toEqual(['said'])
    expect(server.payloads('get_history').map(({ before }) => before)).toEqual([undefined, 5, 2])
  })
})

describe('an own message', () => {
  it('stands at the end at once, and keeps its key and place until it is acknowledged', async () => {
    const { timeline, room, server, time } = await timelineOf(1)
    server.isSilent = true
    const keys = new Set<string | undefined>()
    const note = (): void => void keys.add(timeline.getSnapshot().items.at(-1)?.key)
    const sent = room.send({ content: 'mine' })
    note()
    timeline.subscribe(note)
    await idle()
    expect(texts(timeline)).toEqual(['old 1', 'mine (sent)'])
    expect(timeline.getSnapshot().items.at(-1)).toMatchObject({ seq: undefined, sent, sender: 'ada' })
    server.isSilent = false
    server.drop()
    await idle()
    expect(texts(timeline)).toEqual(['old 1', 'mine (queued)'])
    await time.advance(3_000)
    expect(await sent).toMatchObject({ seq: 2 })
    expect(texts(timeline)).toEqual(['old 1', 'mine'])
    expect(keys.size).toBe(1)
  })

  it.each(['ack first', 'entry first'])('appears once, with one key: %s', async (order) => {
    const { timeline, room, server } = await timelineOf(0)
    let ref = 0
    let messageId = ''
    server.intercept = (message) => {
      if (message.type !== 'commands') return false
      ref = message.payload.ref
      messageId = (message.payload.commands as { messageId: string }[])[0]?.messageId ?? ''
      return true
    }
    const sent = room.send({ content: 'mine' })
    await idle()
    const key = timeline.getSnapshot().items[0]?.key
    const entry = {
      type: 'new_message',
      seq: 1,
      sender: 'ada',
      messageId,
      timestamp: SERVER_TIME + 1,
      payload: { content: 'mine' },
    }
    const tell = [
      () => server.tell({ type: 'ack', payload: { acks: [{ ref, seq: 1 }] }, timestamp: SERVER_TIME + 1 }),
      () => server.tell({ type: 'entries', payload: { room: 'den', entries: [entry], h: 'h1' } }),
    ]
    if (order === 'entry first') tell.reverse()
    for (const one of tell) {
      one()
      await idle()
      expect(timeline.getSnapshot().items).toMatchObject([
        { key, content: 'mine', seq: 1, status: 'acknowledged', timestamp: SERVER_TIME + 1, sent: undefined },
      ])
    }
    expect(sent.status).toBe('acknowledged')
  })

  it('keeps its key also where it was written before it was known who we are', async () => {
    const { client, server } = local({ userId: undefined, getToken: () => 'ada' })
    const room = client.room('den')
    const timeline = openTimeline(room)
    room.follow().catch(() => {})
    const sent = room.send({ content: 'early' })
    const key = timeline.getSnapshot().items[0]?.key
    expect(key).toBeDefined()
    const keys = new Set([key])
    timeline.subscribe(() => {
      for (const item of timeline.getSnapshot().items) keys.add(item.key)
    })
    await client.connect()
    await sent
    await idle()
    expect(timeline.getSnapshot().items).toMatchObject([{ content: 'early', sender: 'ada', seq: 1 }])
    expect(keys.size).toBe(1)
    expect(server.logs.get('den')).toHaveLength(1)
  })

  it('is told apart from one of somebody else with the same id', async () => {
    const { timeline, room, server } = await timelineOf(0)
    server.intercept = ({ type }) => type === 'commands'
    const { messageId } = room.send({ content: 'mine' })
    const forged = {
      type: 'new_message',
      seq: 1,
      sender: 'mallory',
      messageId,
      timestamp: SERVER_TIME,
      payload: { content: 'not mine' },
    }
    server.tell({ type: 'entries', payload: { room: 'den', entries: [forged], h: 'h1' } })
    await idle()
    const { items } = timeline.getSnapshot()
    expect(items.map(({ content }) => content).toSorted()).toEqual(['mine', 'not mine'])
    expect(new Set(items.map(({ key }) => key)).size).toBe(2)
  })

  it('takes its place in the order of the room', async () => {
    const { timeline, room, server, time } = await timelineOf(0)
    server.intercept = ({ type }) => type === 'commands'
    const sent = room.send({ content: 'mine' })
    await idle()
    server.say('den', 'theirs')
    await idle()
    expect(texts(timeline)).toEqual(['theirs', 'mine (sent)'])
    server.intercept = () => false
    server.drop()
    await time.advance(3_000)
    expect((await sent).seq).toBe(2)
    server.say('den', 'later')
    await idle()
    expect(texts(timeline)).toEqual(['theirs', 'mine', 'later'])
  })

  it('that failed stays, until it is discarded or tried again', async () => {
    const { client, timeline, room, server } = await timelineOf(1)
    let isRefusing = true
    server.intercept = (message, reply) => {
      if (message.type !== 'commands' || !isRefusing) return false
      const { ref, commands } = message.payload
      const refusal = { ref, code: 'FORBIDDEN', message: 'no', count: commands.length } as const
      reply({ type: 'error', payload: refusal })
      return true
    }
    const first = room.send({ content: 'first' })
    const second = room.send({ content: 'second' })
    await idle()
    expect(texts(timeline)).toEqual(['old 1', 'first (failed)', 'second (failed)'])
    expect(timeline.getSnapshot().items[1]?.sent).toBe(first)
    isRefusing = false
    client.outbox.discard(first.messageId)
    expect(texts(timeline)).toEqual(['old 1', 'second (failed)'])
    const again = client.outbox.retry(second.messageId)
    expect(again?.messageId).not.toBe(second.messageId)
    await again
    await idle()
    expect(texts(timeline)).toEqual(['old 1', 'second'])
    expect(client.outbox.list()).toEqual([])
    expect(client.outbox.retry(second.messageId)).toBeUndefined()
  })

  it('of before the timeline was opened is shown in it', async () => {
    const { room, server } = await localInDen()
    server.isSilent = true
    room.send({ content: 'before' })
    await idle()
    const timeline = openTimeline(room)
    expect(texts(timeline)).toEqual(['before (sent)'])
    timeline.close()
  })
})

describe('what makes a timeline begin anew', () => {
  const seesNoHole = (timeline: Timeline): void => {
    const seqs = timeline.getSnapshot().items.flatMap(({ seq }) => (seq === undefined ? [] : [seq]))
    expect(seqs).toEqual(seqs.map((_, i) => (seqs[0] ?? 0) + i))
  }

  it('is a gap: what is shown has no hole', async () => {
    const { timeline, server, time } = await timelineOf(5, 10)
    server.intercept = (message, reply) => {
      if (message.type !== 'subscribe') return false
      const { ref } = message.payload
      // Too far behind: the server goes on at position 28.
      const entries = server.logs.get('den')?.slice(28) ?? []
      const payload = {
        ref,
        room: 'den',
        epoch: EPOCH,
        after: { seq: 28, h: 'x' },
        entries,
        h: 'y',
        head: 30,
        live: true,
        oldest: 1,
      }
      for (const session of server.sessions) session.rooms.add('den')
      reply({ type: 'page', payload })
      return true
    }
    server.drop()
    for (let i = 6; i <= 30; i++) server.say('den', `old ${i}`)
    await time.advance(3_000)
    seesNoHole(timeline)
    expect(texts(timeline)).toEqual(Array.from({ length: 10 }, (_, i) => `old ${21 + i}`))
    server.say('den', 'new')
    await idle()
    expect(texts(timeline).at(-1)).toBe('new')
    await timeline.loadOlder()
    seesNoHole(timeline)
  })

  it('is another log: nothing of the old one stays, own messages on their way do', async () => {
    const { timeline, server, room, time } = await timelineOf(5)
    server.isSilent = true
    room.send({ content: 'mine' })
    await idle()
    server.isSilent = false
    server.logs.set('den', [])
    server.say('den', 'another world')
    server.epoch = 'epoch-2'
    server.drop()
    await time.advance(3_000)
    expect(texts(timeline)).toEqual(['another world', 'mine'])
  })

  it('voids the pages that were asked before', async () => {
    const { timeline, server, time } = await timelineOf(25, 10)
    let answer = (): void => {}
    server.intercept = (message, reply) => {
      if (message.type !== 'get_history') return false
      const { ref } = message.payload
      const entries = server.logs.get('den')?.slice(0, 10) ?? []
      answer = () =>
        reply({
          type: 'history',
          payload: { ref, room: 'den', entries, at: 25, hasOlder: false, hasNewer: false },
        })
      return true
    }
    void timeline.loadOlder()
    await idle()
    server.intercept = () => false
    server.logs.set('den', [])
    server.say('den', 'another world')
    server.epoch = 'epoch-2'
    server.drop()
    answer()
    await time.advance(3_000)
    expect(texts(timeline)).toEqual(['another world'])
  })

  it('is following again after a pause in which messages came', async () => {
    const { timeline, server, room } = await timelineOf(3)
    room.unfollow()
    await idle()
    for (let i = 4; i <= 6; i++) server.say('den', `old ${i}`)
    await room.follow()
    server.say('den', 'new')
    await idle()
    seesNoHole(timeline)
    expect(texts(timeline)).toEqual(['old 1', 'old 2', 'old 3', 'old 4', 'old 5', 'old 6', 'new'])
  })

  it('is following after a page was loaded without it', async () => {
    const { client, server } = local()
    await client.connect()
    const room: Room = client.room('den')
    for (let i = 1; i <= 3; i++) server.say('den', `old ${i}`)
    const timeline = openTimeline(room)
    await timeline.loadOlder()
    server.say('den', 'between')
    await room.follow()
    server.say('den', 'new')
    await idle()
    seesNoHole(timeline)
    expect(texts(timeline).slice(-2)).toEqual(['between', 'new'])
  })
})

describe('the cost of an arrival', () => {
  /** Milliseconds of computing until so many messages have arrived, in frames of fifty, and how many are shown then. */
  function arrivalOf(count: number): number {
    const nobody = () => {}
    const control = createRoom('den', {
      client: local().client,
      userId: () => 'ada',
      request: () => new Promise(nobody),
      send: () => {
        throw new Error('nothing is sent')
      },
      follow: nobody,
      unfollow: nobody,
      typing: nobody,
      after: () => nobody,
    })
    const timeline = openTimeline(control.room)
    timeline.subscribe(nobody)
    const before = cpuMs()
    for (let seq = 1; seq <= count; seq += 50)
      control.take({ type: 'entries', room: 'den', entries: run(seq, seq + 49) })
    const items = timeline.getSnapshot().items.length
    const tookMs = cpuMs(before)
    expect(items).toBe(count)
    return tookMs
  }

  it('does not grow with what is shown: twenty times as many do not take hundreds of times as long', () => {
    arrivalOf(2_000)
    const few = Math.min(...Array.from({ length: 5 }, () => arrivalOf(2_000)))
    const many = Math.min(...Array.from({ length: 3 }, () => arrivalOf(40_000)))
    // About 20; a list that is copied at each arrival takes 400 times as long and more. In between is room for a machine
    // that has other things to do.
    expect(many / few).toBeLessThan(150)
  })

  it('is the same list until something changes', async () => {
    const { timeline, server } = await timelineOf(3)
    const { items } = timeline.getSnapshot()
    expect(timeline.getSnapshot().items).toBe(items)
    await timeline.loadOlder()
    expect(timeline.getSnapshot().items).toBe(items)
    server.say('den', 'new')
    await idle()
    expect(timeline.getSnapshot().items).not.toBe(items)
    expect(items).toHaveLength(3)
  })
})
