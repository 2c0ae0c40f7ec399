/** How fast a client that was away gets what it missed: from its cursor to the head, page after page. */
import { createClient } from '@tautline/client'
import { LOG_START } from '@tautline/protocol/wire'
import { WebSocket } from 'ws'
import { tokenOf } from './crowd.ts'
import { dial } from './link.ts'

export interface ReplayOptions {
  readonly port: number
  readonly room: string
  readonly messages: number
  /** The whole client, which applies them, instead of bare frames, which are parsed alone. */
  readonly withClient: boolean
}

const USER = 'reader'

/** Milliseconds from the reconnect's first question on until the last of the messages was there. */
export function measureReplay(options: ReplayOptions): Promise<number> {
  return options.withClient ? replayWithClient(options) : replayBare(options)
}

interface Page {
  readonly type: string
  readonly payload: {
    readonly epoch: string
    readonly entries?: readonly { readonly seq: number }[]
    readonly h: string
    readonly head: number
  }
}

async function replayBare({ port, room, messages }: ReplayOptions): Promise<number> {
  const token = await tokenOf(USER)
  const link = await dial({ port, path: '/ws', subprotocol: 'tautline.v1' })
  let ref = 0
  let seen = 0
  let begunAt = 0
  const say = (type: string, payload: object) =>
    link.send(JSON.stringify({ type, payload: { ref: ++ref, ...payload } }))
  try {
    return await new Promise((resolve, reject) => {
      link.onClosed = () => reject(new Error('the server closed the connection of the reader'))
      link.onText = (text) => {
        const value = JSON.parse(text) as Page | readonly Page[]
        for (const { type, payload } of 'length' in value ? value : [value]) {
          if (type === 'connected') say('join_room', { room })
          else if (type === 'room_joined') {
            begunAt = performance.now()
            say('subscribe', { rooms: [{ room, after: LOG_START }] })
          } else if (type === 'page') {
            const last = payload.entries?.at(-1)?.seq ?? seen
            seen = last
            if (last < payload.head)
              say('get_page', { epoch: payload.epoch, room, after: { seq: last, h: payload.h } })
            else if (last < messages) reject(new Error(`only ${last} of ${messages} messages were there`))
            else resolve(performance.now() - begunAt)
          } else if (type === 'error') reject(new Error(text))
        }
      }
      say('authenticate', { sid: 'reader_reader_01', token })
    })
  } finally {
    link.onClosed = () => {}
    link.socket.destroy()
  }
}

/** Follows, goes away, lets the others speak, comes back: what it then misses comes by itself. */
async function replayWithClient({ port, room: id, messages }: ReplayOptions): Promise<number> {
  const token = await tokenOf(USER)
  const options = { url: `ws://127.0.0.1:${port}/ws`, getToken: () => token, WebSocket }
  const client = createClient(options)
  const writer = createClient({ ...options, getToken: () => tokenOf('writer') })
  try {
    await Promise.all([client.connect(), writer.connect()])
    const room = client.room(id)
    await room.join()
    await client.disconnect()
    await writer.room(id).join()
    for (let i = 0; i < messages; i += FILL_AT_ONCE) {
      const count = Math.min(FILL_AT_ONCE, messages - i)
      await Promise.all(
        Array.from({ length: count }, () => writer.room(id).send({ content: 'x'.repeat(200) })),
      )
    }
    await writer.close()
    let missing = messages
    return await new Promise((resolve, reject) => {
      const begunAt = performance.now()
      room.on('message', () => {
        if (--missing === 0) resolve(performance.now() - begunAt)
      })
      client.connect().catch(reject)
    })
  } finally {
    await Promise.all([client.close(), writer.close()])
  }
}

/** Below the bound of the outbox. */
const FILL_AT_ONCE = 500
