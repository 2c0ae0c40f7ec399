/**
 * How the load speaks with Tautline: what its client sends, in frames of the same form and size. What is answered together
 * makes room for as much in one frame.
 */
import { DEFAULT_LIMITS, MAX_BATCH, MAX_ROOMS_PER_FRAME, ownLogId } from '@tautline/protocol/wire'
import { CONTENT, type Dialect, type Heard } from './peer.ts'

/** Of one `commands` frame, whose envelope and ids need the rest. */
const MAX_COMMAND_BYTES = DEFAULT_LIMITS.maxFrameBytes - 512
/** What each entry of a message holds once. */
const ENTRY_MARK = '"type":"new_message"'

interface Reply {
  readonly type: string
  readonly payload: {
    readonly ref?: number
    readonly acks?: readonly { readonly count?: number }[]
    readonly code?: string
    readonly entries?: readonly { readonly type: string }[]
  }
}

export const dialect: Dialect = {
  path: '/ws',
  subprotocol: 'tautline.v1',
  talk({ user, token }) {
    const sid = user.padEnd(16, '_').slice(0, 16)
    /** How many commands were said in each room. */
    const lanes = new Map<string, number>()
    let lastId = 0
    let lastRef = 0
    let unanswered = 0

    function commandTexts(count: number): string[] {
      return Array.from({ length: count }, () => {
        const messageId = `${(++lastId).toString(36).padStart(9, '0')}${user.padEnd(12, '_').slice(0, 12)}`
        return `{"type":"send_message","messageId":"${messageId}","payload":{"content":"${CONTENT}"}}`
      })
    }

    function frame(room: string, commands: readonly string[]): string {
      const n = lanes.get(room) ?? 0
      lanes.set(room, n + commands.length)
      const ref = lastRef + 1
      lastRef += commands.length
      return `{"type":"commands","payload":{"ref":${ref},"room":"${room}","sid":"${sid}","n":${n + 1},"commands":[${commands.join(',')}]}}`
    }

    function subscribe(rooms: readonly string[]): string {
      unanswered += rooms.length
      const wanted = rooms.map((room) => ({ room, limit: 0 }))
      return JSON.stringify({ type: 'subscribe', payload: { ref: ++lastRef, rooms: wanted } })
    }

    function take(reply: Reply, into: Heard): readonly string[] {
      const { type, payload } = reply
      switch (type) {
        case 'ack':
          for (const { count = 1 } of payload.acks ?? []) into.acks += count
          return []
        case 'entries':
          // Who joined is an entry, too.
          into.deliveries += payload.entries?.filter(({ type: kind }) => kind === 'new_message').length ?? 0
          return []
        case 'connected':
        case 'room_joined':
        case 'page':
          unanswered--
          return []
        case 'ping':
          return [JSON.stringify({ type: 'pong', payload })]
        case 'error':
          throw new Error(`refused with ${payload.code}`)
        default:
          return []
      }
    }

    return {
      hello() {
        unanswered++
        return [
          JSON.stringify({ type: 'authenticate', payload: { ref: ++lastRef, sid, token, userId: user } }),
        ]
      },
      enter(rooms, follow) {
        const texts: string[] = []
        // A client follows its user's own log too.
        if (follow) texts.push(subscribe([ownLogId(user)]))
        for (let i = 0; i < rooms.length; i += MAX_ROOMS_PER_FRAME) {
          const some = rooms.slice(i, i + MAX_ROOMS_PER_FRAME)
          unanswered += some.length
          texts.push(JSON.stringify({ type: 'join_rooms', payload: { ref: ++lastRef, rooms: some } }))
          if (follow) texts.push(subscribe(some))
        }
        return texts
      },
      say(room, count) {
        const texts: string[] = []
        let commands: string[] = []
        let bytes = 0
        for (const command of commandTexts(count)) {
          if (commands.length === MAX_BATCH || bytes + command.length > MAX_COMMAND_BYTES) {
            texts.push(frame(room, commands))
            commands = []
            bytes = 0
          }
          commands.push(command)
          bytes += command.length + 1
        }
        texts.push(frame(room, commands))
        return texts
      },
      hear(text, into) {
        if (text.startsWith('{"type":"entries"')) {
          into.deliveries += entriesIn(text)
          return []
        }
        const value = JSON.parse(text) as Reply | readonly Reply[]
        return 'length' in value ? value.flatMap((reply) => take(reply, into)) : take(value, into)
      },
      isSettled: () => unanswered === 0,
    }
  },
}

function entriesIn(text: string): number {
  let count = 0
  for (let at = text.indexOf(ENTRY_MARK); at >= 0; at = text.indexOf(ENTRY_MARK, at + ENTRY_MARK.length))
    count++
  return count
}
