/** One connection of the peer's own client, as an application uses it: so many sends without an answer, in one room. */
import { createClient } from '@tautline/client'
import { io } from 'socket.io-client'
import { WebSocket } from 'ws'
import { CONTENT } from '../peers/peer.ts'
import type { PeerName } from '../peers/peers.ts'
import { tokenOf } from './crowd.ts'

export interface SdkOptions {
  readonly peer: PeerName
  readonly port: number
  /** How many sends the application has without an answer. */
  readonly size: number
}

const ROOM = 'room-0'
const USER = 'sdk'

/** Says one thing; calls back when it was acknowledged. */
type Say = (answered: () => void) => void

/** Resolves when it is under way. Returns how to stop. */
export async function startSdk({ peer, port, size }: SdkOptions, acked: () => void): Promise<() => void> {
  const say = await CONNECT[peer](port)
  let isStopped = false
  const next = () => {
    if (isStopped) return
    say(() => {
      acked()
      next()
    })
  }
  for (let i = 0; i < size; i++) next()
  return () => {
    isStopped = true
  }
}

const CONNECT: { readonly [P in PeerName]: (port: number) => Promise<Say> } = {
  ws: connectWs,
  'socket.io': connectSocketIo,
  'socket.io+insert': connectSocketIo,
  tautline: connectTautline,
}

/** What everybody writes who uses `ws` alone. */
async function connectWs(port: number): Promise<Say> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`, { perMessageDeflate: false })
  const waiting = new Map<number, () => void>()
  let id = 0
  await new Promise((resolve) => socket.once('open', resolve))
  socket.on('message', (data: Buffer) => {
    const { ack } = JSON.parse(data.toString('utf8')) as { readonly ack: number }
    waiting.get(ack)?.()
    waiting.delete(ack)
  })
  return (answered) => {
    waiting.set(++id, answered)
    socket.send(JSON.stringify({ id, room: ROOM, text: CONTENT }))
  }
}

async function connectSocketIo(port: number): Promise<Say> {
  const socket = io(`ws://127.0.0.1:${port}`, { transports: ['websocket'] })
  await new Promise<void>((resolve) => socket.on('connect', () => resolve()))
  return (answered) => {
    socket.emit('say', ROOM, CONTENT, answered)
  }
}

async function connectTautline(port: number): Promise<Say> {
  const token = await tokenOf(USER)
  const client = createClient({
    url: `ws://127.0.0.1:${port}/ws`,
    userId: USER,
    getToken: () => token,
    WebSocket,
  })
  await client.connect()
  const room = client.room(ROOM)
  await room.join()
  // The sender follows nothing, as the others'.
  room.unfollow()
  return (answered) => {
    room.send({ content: CONTENT }).then(answered, fail)
  }
}

function fail(error: unknown): never {
  throw error
}
