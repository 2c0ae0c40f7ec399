/**
 * The connections of the load, in groups. Each speaks the dialect of its peer; what it hears is counted for all of them
 * together. Which of them says what, and when, is decided in flows.ts.
 */
import { SignJWT } from 'jose'
import type { Dialect, Heard, Talk } from '../peers/peer.ts'
import { SECRET } from '../peers/peer.ts'
import { dial, type Link } from './link.ts'

export interface GroupOptions {
  readonly name: string
  readonly connections: number
  /** Rooms `room-0`, `room-1` …, spread over the connections: each is a member of at least one. 0: of none. */
  readonly rooms: number
  /** Whether they follow their rooms, and so are told what is said there. */
  readonly follow: boolean
}

export interface Speaker {
  readonly link: Link
  readonly talk: Talk
  readonly rooms: readonly string[]
  /** Called when what it hears was counted. */
  onHeard: (heard: Heard) => void
  close(): void
}

/** How many connections are opened at the same time. */
const DIALS_AT_ONCE = 100
const TOKEN_LIFETIME_SECONDS = 3_600

export class Crowd {
  readonly #dialect: Dialect
  readonly #port: number
  readonly #groups = new Map<string, Speaker[]>()
  readonly heard: Heard = { acks: 0, deliveries: 0 }
  /** Why a connection failed that should not have. */
  fault: Error | undefined

  constructor(dialect: Dialect, port: number) {
    this.#dialect = dialect
    this.#port = port
  }

  group(name: string): readonly Speaker[] {
    const found = this.#groups.get(name)
    if (!found) throw new Error(`there is no group ${name}`)
    return found
  }

  /** Opens a group. Resolves when each of its connections is where it shall be. */
  async open({ name, connections, rooms, follow }: GroupOptions): Promise<void> {
    const tokens: string[] = []
    for (let i = 0; i < connections; i++) tokens.push(await tokenOf(`${name}-${i}`))
    const speakers: Speaker[] = []
    this.#groups.set(name, speakers)
    let next = 0
    const worker = async () => {
      for (let i = next++; i < connections; i = next++) {
        const speaker = await this.#join(
          `${name}-${i}`,
          tokens[i] ?? '',
          roomsOf(i, connections, rooms),
          follow,
        )
        speakers.push(speaker)
      }
    }
    await Promise.all(Array.from({ length: DIALS_AT_ONCE }, worker))
  }

  /** Of all connections, read and written, without what TCP adds. */
  bytes(): number {
    let bytes = 0
    for (const speakers of this.#groups.values())
      for (const { link } of speakers) bytes += link.socket.bytesRead + link.socket.bytesWritten
    return bytes
  }

  closeGroup(name: string): void {
    for (const speaker of this.group(name)) speaker.close()
    this.#groups.delete(name)
  }

  async #join(user: string, token: string, rooms: readonly string[], follow: boolean): Promise<Speaker> {
    const { path, subprotocol } = this.#dialect
    const link = await dial({ port: this.#port, path, subprotocol })
    const talk = this.#dialect.talk({ user, token })
    let isClosing = false
    const speaker: Speaker = {
      link,
      talk,
      rooms,
      onHeard: () => {},
      close() {
        isClosing = true
        link.socket.destroy()
      },
    }
    let settled = () => {}
    link.onText = (text) => {
      const heard = { acks: 0, deliveries: 0 }
      for (const answer of talk.hear(text, heard)) link.send(answer)
      this.heard.acks += heard.acks
      this.heard.deliveries += heard.deliveries
      if (heard.acks > 0 || heard.deliveries > 0) speaker.onHeard(heard)
      if (talk.isSettled()) settled()
    }
    const say = (texts: readonly string[]) =>
      new Promise<void>((resolve, reject) => {
        settled = resolve
        link.onClosed = () => {
          const fault = new Error(`the server closed the connection of ${user}`)
          if (!isClosing) this.fault = fault
          reject(fault)
        }
        for (const text of texts) link.send(text)
        if (texts.length === 0) resolve()
      })
    await say(talk.hello())
    if (rooms.length > 0) await say(talk.enter(rooms, follow))
    settled = () => {}
    return speaker
  }
}

export function tokenOf(user: string): Promise<string> {
  const now = Math.floor(Date.now() / 1_000)
  return new SignJWT()
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setSubject(user)
    .setIssuedAt(now)
    .setExpirationTime(now + TOKEN_LIFETIME_SECONDS)
    .sign(new TextEncoder().encode(SECRET))
}

/** Every room has a member, and every connection a room. */
function roomsOf(index: number, connections: number, rooms: number): string[] {
  if (rooms === 0) return []
  if (rooms <= connections) return [`room-${index % rooms}`]
  const own: string[] = []
  for (let room = index; room < rooms; room += connections) own.push(`room-${room}`)
  return own
}
