// What breaks a promise about users: who may say, read and be what, who belongs where, and how far each has read.

import { acknowledged, logOf, readyLink, type Tampering } from './places.ts'

export const USERS_PLANTED: readonly Tampering[] = [
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
]
