// What only looks like a broken promise, each with what makes it one.

import type { History } from '../history.ts'
import { acknowledged, logOf, readInVain, readyLink, type Tampering } from './places.ts'

const DECIDED = { status: 'acknowledged', code: undefined, seq: 1 } as const

/** The store is set back to before the last entry of the room, and the log goes on from there. */
function setBack(history: History, room: string, from: number): void {
  const last = history.lines.at(-1)!
  const logs = new Map([...last.logs].map(([name, log]) => [name, [...log]]))
  logs.get(room)!.pop()
  history.lines.push({ epoch: last.epoch, from, logs })
}

/** The last makes a broken promise of it. */
export const ALLOWED: readonly (readonly [...Tampering, (history: History) => void])[] = [
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
