// What breaks a promise about a message: that it is kept once, in its place, decided truly, read
// by everybody, and shown as its log says.

import type { MessageBody } from '@tautline/protocol/wire'
import type { Outcome, Spoken } from '../history.ts'
import { acknowledged, logOf, readInVain, stream, type Tampering } from './places.ts'

function spoken({ status, seq }: Pick<Outcome, 'status' | 'seq'>): Spoken {
  const code = status === 'failed' ? 'FORBIDDEN' : undefined
  const outcomes: Outcome[] = [{ at: 1e9, status, code, seq }]
  return { messageId: 'said-by-nobody', user: 'ada', room: 'den', at: 1, outcomes }
}

export const MESSAGES_PLANTED: readonly Tampering[] = [
  [
    'I1',
    'an acknowledged message that is in no log',
    (history) => {
      const { sent } = acknowledged(history)
      for (const { logs } of history.lines) logs.delete(sent.room)
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
    'I4',
    'a read that is taken for following',
    (history) => {
      readInVain(history)
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
    'I6',
    'two places of one message of the application',
    (history) => {
      const one = spoken({ status: 'acknowledged', seq: 3 })
      one.outcomes.push({ ...one.outcomes[0]!, seq: 4 })
      history.spoken.push(one)
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
    'I8',
    'a message of the application that fails for nothing',
    (history) => {
      history.spoken.push(spoken({ status: 'failed', seq: undefined }))
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
    'I15',
    'a reader who waits to be told by another server',
    (history) => {
      history.hintsWereLost = true
      const log = logOf(history, 'den')
      log.push({ at: 1, entry: { ...log[0]!.entry, seq: log.length + 1, messageId: 'the last' } })
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
