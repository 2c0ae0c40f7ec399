// The links of one simulated tab or process: what the client's core wants to be dialled, said and hung up goes to
// simulated wires, what comes out of them goes to the core, and all of it into the history.

import {
  type ClientMessage,
  CODES,
  type Code,
  MAX_BATCH,
  readClose,
  type ServerMessage,
} from '@tautline/protocol/wire'
import type { Input } from '../../packages/client/src/core/core.ts'
import { wholeDoor } from '../support/whole-door.ts'
import type { History, Link, Session } from './history.ts'
import type { ClientEnd, Wire } from './network.ts'
import type { DoorKind } from './server-host.ts'
import type { World } from './world.ts'

export interface HostLinks {
  dial(id: number): void
  transmit(id: number, messages: readonly ClientMessage[]): void
  hangUp(id: number, reason: string): void
  /** That of the newest link, if it is open. */
  wire(): Wire | undefined
  /** How many are open. */
  open(): number
  /** The page goes: its wires are closed, and nobody tells the core. */
  drop(): void
}

export interface HostLinksParts {
  readonly world: World
  readonly history: History
  /** Whose they are. */
  readonly session: Session
  readonly door: DoorKind
  readonly count: (what: string) => void
  readonly dial: (end: ClientEnd) => Wire
  /** What comes out of a wire waits for this. */
  readonly whenAwake: (action: () => void) => void
  readonly step: (input: Input) => void
}

export function createHostLinks(parts: HostLinksParts): HostLinks {
  const { world, history, session, door, count, whenAwake, step } = parts
  const links = new Map<number, { readonly link: Link; wire: Wire | undefined; isOpen: boolean }>()
  let current = 0
  let open = 0
  /** What was said and heard on all of them. */
  let words = 0

  function received(link: Link, frame: unknown): void {
    const messages = door === 'objects' ? (frame as readonly ServerMessage[]) : wholeDoor(frame)
    if (!messages) {
      history.broken.push({ at: world.now, what: `${session.id} cannot read ${String(frame)}` })
      return step({ type: 'garbled', link: link.id })
    }
    if (link.overAt !== Number.POSITIVE_INFINITY) count('late_frame')
    for (const message of messages) {
      world.note(() => `${session.id}: hears ${JSON.stringify(message)}`)
      if (message.type === 'connected' && link.overAt === Number.POSITIVE_INFINITY) link.readyAt = world.now
      if (message.type === 'error') count(`told_${message.payload.code}`)
      link.down.push({ at: world.now, order: words++, message })
    }
    step({ type: 'received', link: link.id, messages })
  }

  function over(id: number, by: 'client' | 'peer', code: Code, retryAfterMs: number | undefined): void {
    const entry = links.get(id)
    if (!entry?.isOpen) return
    entry.isOpen = false
    open--
    const { link } = entry
    link.overAt = world.now
    link.overBy = by
    link.code = code
    link.retryAfterMs = retryAfterMs
  }

  return {
    dial(id) {
      const link: Link = {
        id,
        dialledAt: world.now,
        openedAt: Number.POSITIVE_INFINITY,
        readyAt: Number.POSITIVE_INFINITY,
        overAt: Number.POSITIVE_INFINITY,
        overBy: undefined,
        code: undefined,
        retryAfterMs: undefined,
        up: [],
        down: [],
      }
      session.links.push(link)
      current = id
      const entry = { link, wire: undefined as Wire | undefined, isOpen: true }
      links.set(id, entry)
      session.mostSockets = Math.max(session.mostSockets, ++open)
      entry.wire = parts.dial({
        opened: () =>
          whenAwake(() => {
            link.openedAt = world.now
            step({ type: 'opened', link: id })
          }),
        received: (frame) => whenAwake(() => received(link, frame)),
        lost: (closeCode, reason) =>
          whenAwake(() => {
            world.note(() => `${session.id}: link ${id} closed ${closeCode} ${reason}`)
            const meaning = readClose(closeCode, reason)
            over(id, 'peer', meaning.code, meaning.retryAfterMs)
            if (current !== id) count('late_close')
            step({ type: 'lost', link: id, closeCode, reason })
          }),
      })
    },

    transmit(id, messages) {
      const entry = links.get(id)
      for (const message of messages) {
        world.note(() => `${session.id}: says ${JSON.stringify(message)}`)
        entry?.link.up.push({ at: world.now, order: words++, message })
      }
      for (let i = 0; i < messages.length; i += MAX_BATCH) {
        const frame = messages.length > MAX_BATCH ? messages.slice(i, i + MAX_BATCH) : messages
        entry?.wire?.up(door === 'objects' ? frame : JSON.stringify(frame.length === 1 ? frame[0] : frame))
      }
    },

    hangUp(id, reason) {
      const code = reason.split(' ')[0] as Code
      world.note(() => `${session.id}: hangs up with ${code}`)
      over(id, 'client', code in CODES ? code : 'NORMAL', undefined)
      links.get(id)?.wire?.closeByClient()
    },

    wire: () => (links.get(current)?.isOpen ? links.get(current)?.wire : undefined),
    open: () => open,
    drop() {
      for (const { wire, isOpen } of links.values()) if (isOpen) wire?.closeByClient()
    },
  }
}
