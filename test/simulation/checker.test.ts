// The checker is no better than what it notices: the history of a good run is broken in one place, once for each
// promise, and the promise that was broken must be named.

import type { MessageBody } from '@tautline/protocol/wire'
import { beforeAll, describe, expect, it } from 'vitest'
import { INVARIANTS, type Invariant } from './checker/violation.ts'
import { check, checkOne } from './checker.ts'
import type { History, Link, Outcome, Sent, Session, Spoken } from './history.ts'
import { simulate } from './simulate.ts'

/** A run with most of what there is: two servers, all rooms, messages of every outcome. */
const SEED = 5

let good: History

beforeAll(async () => {
  const { history, violations } = await simulate({ seed: SEED, profile: 'members' })
  expect(violations).toEqual([])
  good = history
})

function acknowledged({ sessions }: History): { readonly session: Session; readonly sent: Sent } {
  for (const session of sessions) {
    const sent = session.sends.find(({ outcomes }) => outcomes[0]?.status === 'acknowledged')
    if (sent && session.endedBy === 'end') return { session, sent }
  }
  throw new Error('nothing was acknowledged')
}

function logOf(history: History, room: string) {
  const log = history.lines[history.lines.length - 1]?.logs.get(room)
  if (!log || log.length < 3) throw new Error(`next to nothing was said in ${room}`)
  return log
}

/** What a session was told of den, without a gap, more than twice. */
function stream({ sessions }: History) {
  const told = sessions
    .flatMap(({ streams }) => streams)
    .find(({ room, events }) => room === 'den' && events.filter(({ type }) => type === 'entries').length > 2)
  if (!told) throw new Error('nobody was told much')
  return told
}

function readyLink({ sessions }: History): { readonly session: Session; readonly link: Link } {
  for (const session of sessions) {
    const link = session.links.find(
      ({ readyAt, up }) => readyAt < 1e9 && up.some(({ message }) => message.type === 'commands'),
    )
    if (link) return { session, link }
  }
  throw new Error('nobody was connected')
}

function spoken({ status, seq }: Pick<Outcome, 'status' | 'seq'>): Spoken {
  const code = status === 'failed' ? 'FORBIDDEN' : undefined
  const outcomes: Outcome[] = [{ at: 1e9, status, code, seq }]
  return { messageId: 'said-by-nobody', user: 'ada', room: 'den', at: 1, outcomes }
}

/** At 1e6 + 1 a read tells that den is not pushed any more. */
function readInVain(history: History): Link {
  const { link } = readyLink(history)
  const after = { seq: 1, h: '' }
  const asked = { ref: 9_000, room: 'den', after }
  link.up.push({ at: 1e6, order: 1e7, message: { type: 'get_page', payload: asked } })
  const page = { ref: 9_000, room: 'den', epoch: '', after, entries: [], h: '', head: 1, oldest: 1 }
  link.overAt = Number.POSITIVE_INFINITY
  link.down.push({
    at: 1e6 + 1,
    order: 1e7 + 1,
    message: { type: 'page', payload: { ...page, live: false } },
  })
  return link
}

/** So many commands at once to a room in which nothing else was said. */
function sayTooMuch(history: History, times: number) {
  const { session, link } = readyLink(history)
  const said = link.up.find(({ message }) => message.type === 'commands')!
  if (said.message.type !== 'commands') throw new Error('no commands')
  const room = 'nowhere-else'
  const commands = Array.from({ length: times }, (_, i) => ({
    type: 'skip',
    messageId: `many-${i}`,
    payload: {},
  }))
  const payload = { ...said.message.payload, ref: 5_000, room, commands }
  link.up.push({ at: said.at, order: 1e6, message: { type: 'commands', payload } })
  return { room, session }
}

function windowPerRoom(history: History): number {
  for (const { message } of readyLink(history).link.down)
    if (message.type === 'connected') return message.payload.limits.windowPerRoom
  throw new Error('nobody was told a window')
}

const PLANTED: readonly [Invariant, string, (history: History) => void][] = [
  [
    'I1',
    'an acknowledged message that is in no log',
    (history) => {
      const { sent } = acknowledged(history)
      for (const { logs } of history.lines) logs.delete(sent.room)
    },
  ],
  [
    'I2',
    'a message that is twice in a log',
    (history) => {
      const log = logOf(history, 'den')
      log.push({ ...log[0]!, entry: { ...log[0]!.entry, seq: log.length + 1 } })
    },
  ],
  [
    'I3',
    'a hole in a log',
    (history) => {
      logOf(history, 'den').splice(1, 1)
    },
  ],
  [
    'I3',
    'an entry that is another in the store',
    (history) => {
      const log = logOf(history, 'den')
      log[1] = { ...log[1]!, entry: { ...log[1]!.entry, messageId: 'another' } }
    },
  ],
  [
    'I4',
    'entries that are applied twice',
    (history) => {
      const { events } = stream(history)
      events.push(events[0]!)
    },
  ],
  [
    'I4',
    'entries that are passed over',
    (history) => {
      stream(history).events.splice(1, 1)
    },
  ],
  [
    'I4',
    'a gap that does not begin where the reader is',
    (history) => {
      stream(history).events.push({ at: 1, type: 'gap', from: 5_000, to: 5_001 })
    },
  ],
  [
    'I5',
    'messages that overtook each other',
    (history) => {
      for (const { sends } of history.sessions) sends.reverse()
    },
  ],
  [
    'I6',
    'a second outcome',
    (history) => {
      const { sent } = acknowledged(history)
      sent.outcomes.push(sent.outcomes[0]!)
    },
  ],
  [
    'I6',
    'a failure of what is in the log',
    (history) => {
      const { sent } = acknowledged(history)
      sent.outcomes[0] = { ...sent.outcomes[0]!, status: 'failed', code: 'FORBIDDEN' }
    },
  ],
  [
    'I7',
    'a message without an outcome',
    (history) => {
      history.hintsWereLost = false
      acknowledged(history).sent.outcomes.length = 0
    },
  ],
  [
    'I7',
    'a client that is not connected',
    (history) => {
      history.hintsWereLost = false
      acknowledged(history).session.status = 'waiting'
    },
  ],
  [
    'I7',
    'a reader who is behind',
    (history) => {
      history.hintsWereLost = false
      const log = logOf(history, 'den')
      log.push({ at: 1, entry: { ...log[0]!.entry, seq: log.length + 1, messageId: 'the last' } })
    },
  ],
  [
    'I8',
    'a refusal for want of a right that was there',
    (history) => {
      const { sent } = acknowledged(history)
      sent.outcomes[0] = { ...sent.outcomes[0]!, status: 'failed', code: 'FORBIDDEN' }
    },
  ],
  [
    'I8',
    'a code with which no message fails',
    (history) => {
      const { sent } = acknowledged(history)
      sent.outcomes[0] = { ...sent.outcomes[0]!, status: 'failed', code: 'ID_CONFLICT' }
    },
  ],
  [
    'I8',
    'a client that is stopped for a rival that there is not',
    (history) => {
      acknowledged(history).session.statuses.push({ at: 1, status: 'stopped', reason: 'REPLACED' })
    },
  ],
  [
    'I9',
    'an entry of who is no member',
    (history) => {
      const log = logOf(history, 'den')
      const entry = {
        ...log[0]!.entry,
        seq: log.length + 1,
        sender: 'eve',
        messageId: 'evil',
        type: 'new_message',
      }
      log.push({ at: 1, entry })
    },
  ],
  [
    'I9',
    'a reader who is no member',
    (history) => {
      const { link } = readyLink(history)
      const entries = logOf(history, 'den').map(({ entry }) => entry)
      link.down.push({
        at: 1,
        order: 0,
        message: { type: 'entries', payload: { room: '~eve', entries, h: '' } },
      })
    },
  ],
  [
    'I10',
    'an ack that came before its commit',
    (history) => {
      const { sent } = acknowledged(history)
      sent.outcomes[0] = { ...sent.outcomes[0]!, at: -1 }
    },
  ],
  [
    'I11',
    'a server that holds on to who is gone',
    (history) => {
      history.nodes[0] = { connections: 9, open: 3, queuedOps: 0 }
    },
  ],
  [
    'I11',
    'a server that never commits',
    (history) => {
      history.nodes[0] = { connections: 3, open: 3, queuedOps: 1 }
    },
  ],
  [
    'I12',
    'an entry that no log has',
    (history) => {
      const event = stream(history).events.find(({ type }) => type === 'entries')
      if (event?.type === 'entries') (event.entries[0] as { messageId: string }).messageId = 'made up'
    },
  ],
  [
    'I12',
    'a history that was taken back without a word',
    (history) => {
      const logs = new Map([...history.lines[0]!.logs].map(([room]) => [room, []]))
      history.lines.push({ epoch: 'epoch-1', from: history.endedAt, logs })
    },
  ],
  [
    'I13',
    'a read position that goes back',
    (history) => {
      const read = {
        at: 1,
        line: 0,
        op: 'mark_read',
        user: 'ada',
        room: 'den',
        messageId: undefined,
        outcome: 'read',
        code: undefined,
      }
      history.decisions.push({ ...read, seq: 5 }, { ...read, seq: 4 })
    },
  ],
  [
    'I14',
    "a message in another's name",
    (history) => {
      const { sent } = acknowledged(history)
      const decision = history.decisions.find(({ messageId }) => messageId === sent.messageId)!
      history.decisions.push({ ...decision, user: 'eve' })
    },
  ],
  [
    'I14',
    'a message before authentication',
    (history) => {
      const { link } = readyLink(history)
      link.readyAt = Number.POSITIVE_INFINITY
    },
  ],
  [
    'I15',
    'a reader who waits to be told by another server',
    (history) => {
      history.hintsWereLost = true
      const log = logOf(history, 'den')
      log.push({ at: 1, entry: { ...log[0]!.entry, seq: log.length + 1, messageId: 'the last' } })
    },
  ],
  [
    'I16',
    'two sockets',
    (history) => {
      history.sessions[0]!.mostSockets = 2
    },
  ],
  [
    'I16',
    'two timers',
    (history) => {
      history.sessions[0]!.mostTimers = 2
    },
  ],
  [
    'I16',
    'something left after close()',
    (history) => {
      history.sessions[0]!.leftAfterClose = 1
    },
  ],
  [
    'I17',
    'a message that is said twice on one link',
    (history) => {
      const { link } = readyLink(history)
      link.up.push(link.up.find(({ message }) => message.type === 'commands')!)
    },
  ],
  [
    'I17',
    'a message that is said again too early',
    (history) => {
      const { link } = readyLink(history)
      const said = link.up.find(({ message }) => message.type === 'commands')!
      if (said.message.type !== 'commands') throw new Error('no commands')
      const { ref } = said.message.payload
      link.down.length = 0
      link.down.push({
        at: said.at + 1,
        order: 1e6,
        message: { type: 'error', payload: { ref, code: 'UNAVAILABLE', message: '', retryAfterMs: 1_000 } },
      })
      link.up.push({ at: said.at + 2, order: 2e6, message: said.message })
    },
  ],
  [
    'I17',
    'more on the way than the window holds',
    (history) => {
      sayTooMuch(history, 33)
    },
  ],
  [
    'I17',
    'one more on the way than the window holds where a tab is shared and something was cancelled',
    (history) => {
      const { room, session } = sayTooMuch(history, windowPerRoom(history) + 1)
      session.restored.push({ messageId: 'of-another', room, outcomes: [] })
      for (const sent of session.sends) sent.cancelledAt = 0
    },
  ],
  [
    'I17',
    'an attempt at once after another',
    (history) => {
      const { session, link } = readyLink(history)
      session.links.push({
        ...link,
        id: 999,
        dialledAt: session.links.at(-1)!.dialledAt + 10,
        up: [],
        down: [],
      })
    },
  ],
  [
    'I17',
    'a connection given up without a question',
    (history) => {
      const { link } = readyLink(history)
      Object.assign(link, { overBy: 'client', code: 'TIMEOUT', overAt: link.readyAt + 20_000 })
      link.up.length = 0
    },
  ],
  [
    'I17',
    'a second question for a token',
    (history) => {
      const { tokens } = history.sessions[0]!
      tokens.push({ at: 1, link: 99, answeredAt: 9 }, { at: 2, link: 99, answeredAt: 9 })
    },
  ],
  [
    'broken',
    'an exception',
    (history) => {
      history.broken.push({ at: 1, what: 'a core threw' })
    },
  ],
  [
    'I1',
    'an acknowledged message of the application that is in no log',
    (history) => {
      history.spoken.push(spoken({ status: 'acknowledged', seq: 3 }))
    },
  ],
  [
    'I4',
    'a read that is taken for following',
    (history) => {
      readInVain(history)
    },
  ],
  [
    'I6',
    'two places of one message of the application',
    (history) => {
      const one = spoken({ status: 'acknowledged', seq: 3 })
      one.outcomes.push({ ...one.outcomes[0]!, seq: 4 })
      history.spoken.push(one)
    },
  ],
  [
    'I8',
    'a message of the application that fails for nothing',
    (history) => {
      history.spoken.push(spoken({ status: 'failed', seq: undefined }))
    },
  ],
  [
    'I9',
    'a member who lets others in again and is none',
    (history) => {
      const log = logOf(history, 'den')
      const entry = { ...log[0]!.entry, seq: log.length + 1, sender: 'eve', messageId: 'evil' }
      log.push({ at: 1, entry: { ...entry, type: 'member_unbanned', payload: { userId: 'bob' } } })
    },
  ],
  [
    'I9',
    'a message that no hook has seen',
    (history) => {
      history.hasHooks = true
      history.reviewed.clear()
    },
  ],
  [
    'I13',
    'a delivery that goes back',
    (history) => {
      const told = { at: 1, line: 0, op: 'mark_delivered', user: 'ada', room: 'den', messageId: undefined }
      const delivered = { ...told, outcome: 'delivered', code: undefined }
      history.decisions.push({ ...delivered, seq: 5e6 }, { ...delivered, seq: 4 })
    },
  ],
  [
    'I14',
    'a connection that outlives its token',
    (history) => {
      history.revocations.push({ at: 1, life: 'node1/1', tokenId: 'gone', left: 1 })
    },
  ],
  [
    'I14',
    'a row that was to be gone with its user',
    (history) => {
      const { session, sent } = acknowledged(history)
      history.emptied.push({ outbox: session.outbox, from: sent.queuedAt + 1, at: session.startedAt - 1 })
      session.restored.push({ messageId: sent.messageId, room: sent.room, outcomes: [] })
    },
  ],
  [
    'I19',
    'a member of whom the log knows nothing',
    (history) => {
      const { roles } = history.belonging.get('den')!
      history.belonging = new Map([
        ...history.belonging,
        ['den', { ...history.belonging.get('den')!, roles: new Map([...roles, ['eve', 'member']]) }],
      ])
    },
  ],
  [
    'I19',
    'a list of members that leaves one out',
    (history) => {
      const list = history.lists.find(({ room, members }) => room === 'den' && members.size > 0)
      if (!list) throw new Error('nobody asked who belongs to den')
      ;(list.members as Map<string, string>).clear()
    },
  ],
  [
    'I18',
    'a message that stands otherwise in the store',
    (history) => {
      const stood = history.stood.get('den') as Map<number, MessageBody>
      const [seq] = stood.keys()
      stood.set(seq!, { content: 'what nobody said' })
    },
  ],
  [
    'I18',
    'a client that was told another edit',
    (history) => {
      for (const { streams } of history.sessions)
        for (const { events } of streams)
          for (const event of events) {
            if (event.type !== 'entries') continue
            for (const entry of event.entries)
              if (entry.type === 'new_message') Object.assign(entry.payload, { content: 'what nobody said' })
          }
    },
  ],
]

/** The store is set back to before the last entry of the room, and the log goes on from there. */
function setBack(history: History, room: string, from: number): void {
  const last = history.lines.at(-1)!
  const logs = new Map([...last.logs].map(([name, log]) => [name, [...log]]))
  logs.get(room)!.pop()
  history.lines.push({ epoch: last.epoch, from, logs })
}

/** What only looks like a broken promise, each with what makes it one. */
const DECIDED = { status: 'acknowledged', code: undefined, seq: 1 } as const

const ALLOWED: readonly [Invariant, string, (history: History) => void, (history: History) => void][] = [
  [
    'I8',
    'what a tab writes while another one signs out and keeps nothing',
    (history) => {
      const { session, sent } = acknowledged(history)
      sent.outcomes[0] = { ...sent.outcomes[0]!, status: 'failed', code: 'CANCELLED' }
      const { outbox } = session
      history.departures.push({ outbox, from: sent.at - 1, until: sent.at })
    },
    (history) => {
      for (const departure of history.departures) departure.until = departure.from
    },
  ],
  [
    'I4',
    'a room that is followed again when all is heard that came in the frame of the read',
    (history) => {
      const { up, down } = readInVain(history)
      down.push({ at: 1e6 + 1, order: 1e7 + 2, message: { type: 'ack', payload: { acks: [] } } })
      const payload = { ref: 9_001, rooms: [{ room: 'den', limit: 0 }] }
      up.push({ at: 1e6 + 1, order: 1e7 + 3, message: { type: 'subscribe', payload } })
    },
    (history) => {
      const { up } = readyLink(history).link
      up.push({ ...up.pop()!, at: 1e6 + 2 })
    },
  ],
  [
    'I4',
    'a room that is not followed again by who hears in the same frame that they are out of it',
    (history) => {
      const payload = { room: 'den', reason: 'removed' } as const
      readInVain(history).down.push({ at: 1e6 + 1, order: 1e7 + 2, message: { type: 'room_left', payload } })
    },
    (history) => {
      const { down } = readyLink(history).link
      down.push({ ...down.pop()!, at: 1e6 + 2 })
    },
  ],
  [
    'I4',
    'a room that is not followed again by who read it after they had left it',
    (history) => {
      const payload = { room: 'den', reason: 'left' } as const
      readInVain(history).down.push({ at: 1e6, order: 1e7 - 1, message: { type: 'room_left', payload } })
    },
    (history) => {
      const { down } = readyLink(history).link
      down.push({ ...down.pop()!, at: 1e6 + 2 })
    },
  ],
  [
    'I7',
    'a reader to whom the room stayed the same while its store was set back and caught up',
    (history) => {
      history.hintsWereLost = false
      const log = logOf(history, 'den')
      for (const { phases, liveSince, streams } of history.sessions) {
        phases.clear()
        streams.length = 0
        phases.set('den', 'live')
        liveSince.set('den', history.endedAt - 100)
      }
      setBack(history, 'den', history.endedAt - 90)
      logOf(history, 'den').push({ ...log.at(-1)!, at: history.endedAt - 80 })
    },
    (history) => {
      const log = logOf(history, 'den')
      const { at, entry } = log.pop()!
      log.push({ at, entry: { ...entry, messageId: 'another' } })
    },
  ],
  [
    'I5',
    'an acknowledged message that a power cut brought back after the store was set back',
    (history) => {
      const { session, sent } = acknowledged(history)
      const at = history.endedAt
      const log = [...history.lines[0]!.logs.get(sent.room)!]
      const entry = log.find((one) => one.entry.messageId === sent.messageId)!.entry
      const later = { ...sent, messageId: 'later', at: sent.at + 1 }
      session.sends.splice(session.sends.indexOf(sent) + 1, 0, later)
      const both = [
        { at: at + 1, entry: { ...entry, seq: 1, messageId: 'later' } },
        { at: at + 2, entry: { ...entry, seq: 2 } },
      ]
      history.lines.push({ epoch: 'epoch-1', from: at, logs: new Map([[sent.room, both]]) })
    },
    (history) => {
      acknowledged(history).sent.outcomes.length = 0
    },
  ],
  [
    'I17',
    'what went back with a message that stood behind one that another tab had decided',
    (history) => {
      const { session, link } = readyLink(history)
      const from = link.up.at(-1)!.at + 100
      Object.assign(link, { overAt: Number.POSITIVE_INFINITY })
      session.restored.push({ messageId: 'x', room: 'den', outcomes: [{ ...DECIDED, at: from }] })
      const say = (ms: number, ref: number, n: number, messageId: string) => {
        const commands = [{ type: 'send_message', messageId, payload: {} }]
        const payload = { ref, room: 'den', sid: 'a-lane-of-this', n, commands }
        link.up.push({ at: from + ms, order: 1e6 + ms, message: { type: 'commands', payload } })
      }
      const refuse = (ms: number, ref: number, retryAfterMs: number) => {
        const payload = { ref, code: 'UNAVAILABLE', message: '', retryAfterMs }
        link.down.push({ at: from + ms, order: 1e6 + ms, message: { type: 'error', payload } })
      }
      say(0, 9_001, 1, 'x')
      say(1, 9_002, 2, 'y')
      refuse(2, 9_001, 0)
      say(3, 9_003, 3, 'z')
      refuse(4, 9_002, 0)
      refuse(5, 9_003, 1_000)
      say(6, 9_004, 3, 'z')
    },
    (history) => {
      for (const { restored } of history.sessions)
        for (const { messageId, outcomes } of restored) if (messageId === 'x') outcomes.length = 0
    },
  ],
  [
    'I6',
    'a failure that everybody has forgotten',
    (history) => {
      const { session, sent } = acknowledged(history)
      history.evicted.add(session.outbox)
      const [first] = history.lines
      const at = history.endedAt
      const log = first!.logs.get(sent.room)!
      const own = log.splice(
        log.findIndex(({ entry }) => entry.messageId === sent.messageId),
        1,
      )
      sent.outcomes[0] = { at: at - 2, status: 'failed', code: 'FORBIDDEN', seq: undefined }
      const again = own.map(({ entry }) => ({ at, entry }))
      history.lines.push({ epoch: 'epoch-1', from: at - 1, logs: new Map([[sent.room, again]]) })
    },
    (history) => {
      history.evicted.clear()
    },
  ],
]

describe('the checker', () => {
  it('finds nothing in a good run', () => {
    expect(check(structuredClone(good))).toEqual([])
  })

  it.each(PLANTED)('%s notices %s', (invariant, _what, plant) => {
    const history = structuredClone(good)
    plant(history)
    const found = checkOne(invariant, history)
    expect(found.length).toBeGreaterThan(0)
    expect(new Set(found.map((violation) => violation.invariant))).toEqual(new Set([invariant]))
  })

  it.each(ALLOWED)('%s allows %s', (invariant, _what, plant, spoil) => {
    const history = structuredClone(good)
    plant(history)
    expect(checkOne(invariant, history)).toEqual([])
    spoil(history)
    expect(checkOne(invariant, history)).not.toEqual([])
  })

  it('has a planted fault for every promise', () => {
    expect(new Set(PLANTED.map(([invariant]) => invariant))).toEqual(new Set(Object.keys(INVARIANTS)))
  })
})
