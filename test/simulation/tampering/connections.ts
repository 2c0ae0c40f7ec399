// What breaks a promise about connections: what ends hold on to, how often and how soon they try, how much is on its way.

import type { History } from '../history.ts'
import { readyLink, type Tampering } from './places.ts'

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

export const CONNECTIONS_PLANTED: readonly Tampering[] = [
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
]
