/**
 * Breaks the way to the server on purpose, between the client and its own transport, token and lifecycle: what the client
 * then does is what it does when the world breaks in the same way. Each switch is undone by itself.
 *
 * - **cut**: every connection ends, as if the network had. No switch: the client comes back by itself.
 * - **stall**: frames are held in both directions, new connections too; they arrive when it is released, in their order,
 *   what was written to a connection that the client has given up since included.
 * - **half-open**: frames vanish in both directions and nothing closes. What has lost a frame cannot be mended: when it
 *   is released such a connection is reset, as a peer does that has forgotten it.
 * - **refuse token**: the token that the server gets is none, from the next connection on, which is now.
 * - **offline**: connections end, none can be made, and the host says that it is offline.
 */
import type { Lifecycle, LifecycleEvent } from '../lifecycle.ts'
import { createListeners } from '../listeners.ts'
import type { ClientOptions } from '../options.ts'
import type { Dial, Transport, TransportEvents } from '../transport.ts'
import type { Fate } from './recorder.ts'

export type SwitchName = 'stall' | 'halfOpen' | 'refuseToken' | 'offline'

/** What is seen of the wire. */
export interface WireObserver {
  dialled(link: number): void
  opened(link: number): void
  closed(link: number, closeCode: number, reason: string): void
  /** As the client says or hears it; returns an id for `settle`. */
  frame(link: number, direction: 'in' | 'out', data: unknown, fate: Fate): number
  settle(id: number, link: number, direction: 'in' | 'out', data: unknown, fate: Fate): void
}

export interface WireBreaker {
  dial(inner: Dial): Dial
  lifecycle(inner: Lifecycle): Lifecycle
  getToken(inner: ClientOptions['getToken']): ClientOptions['getToken']
  set(name: SwitchName, isOn: boolean): void
  isOn(name: SwitchName): boolean
  cut(): void
}

/** Nobody’s, by any server: it is no id of a user either. */
const REFUSED_TOKEN = '!refused on purpose by the devtools!'
/** A browser cannot end a socket without a close frame: this code means nothing to the server. */
const CUT_CODE = 4_990
/** What is held of one connection: beyond it that connection is cut. */
const MAX_HELD = 1_000
/** Connections that the client has given up, and the server still has: beyond them the oldest are closed. */
const MAX_GHOSTS = 8

interface Link {
  cut(): void
  /** Lets go what is held, and resets what has lost something, as far as the switches allow. */
  release(): void
  /** Closes it at the server's end, once the client has no part in it. */
  bury(): void
  /** The client has been told of its end, or has ended it. */
  isOver(): boolean
}

export function createWireBreaker(observer: WireObserver): WireBreaker {
  const on = new Set<SwitchName>()
  const links = new Set<Link>()
  const lifecycles = createListeners<[LifecycleEvent]>()
  let dialled = 0
  let isHostOffline = false

  /** Those that nobody else would close. */
  function buryOldest(): void {
    const ghosts = Array.from(links).filter((link) => link.isOver())
    for (const ghost of ghosts.slice(0, Math.max(0, ghosts.length - MAX_GHOSTS))) ghost.bury()
  }

  function cut(): void {
    for (const link of Array.from(links)) link.cut()
  }

  function createLink(inner: Dial, events: TransportEvents, number: number): Transport {
    /** What waits for the end of a stall, in its order. */
    const held: { run(): void; drop(): void }[] = []
    let isOver = false
    /** It lost something, so that the rest of what it carries is worth nothing. */
    let isDead = false
    let isGone = false
    const vanishes = () => isDead || on.has('halfOpen')
    const waits = () => held.length > 0 || on.has('stall')

    function tellEnd(closeCode: number, reason: string): void {
      if (isOver) return
      isOver = true
      observer.closed(number, closeCode, reason)
      events.onClose(closeCode, reason)
    }

    function gone(): void {
      isGone = true
      links.delete(link)
      for (const { drop } of held.splice(0)) drop()
    }

    function carry(direction: 'in' | 'out', data: unknown, pass: () => void): void {
      if (vanishes()) {
        isDead = true
        observer.frame(number, direction, data, 'lost')
      } else if (waits()) {
        const id = observer.frame(number, direction, data, 'held')
        const settle = (fate: Fate) => observer.settle(id, number, direction, data, fate)
        hold(
          () => {
            if (vanishes()) {
              isDead = true
              return settle('lost')
            }
            settle('passed')
            pass()
          },
          () => settle('lost'),
        )
      } else {
        observer.frame(number, direction, data, 'passed')
        pass()
      }
    }

    function hold(run: () => void, drop = () => {}): void {
      held.push({ run, drop })
      if (held.length > MAX_HELD) link.cut()
    }

    /** What the other end did, when it is due; it vanishes with everything else. */
    function happen(task: () => void): void {
      if (isDead) return
      if (waits()) hold(task)
      else task()
    }

    const link: Link = {
      isOver: () => isOver,
      cut() {
        link.bury()
        tellEnd(1006, '')
      },
      release() {
        while (held.length > 0 && !on.has('stall')) held.shift()?.run()
        if (isDead && !on.has('halfOpen')) link.cut()
        else if (isOver && held.length === 0) link.bury()
      },
      bury() {
        if (isGone) return
        gone()
        transport.close(CUT_CODE, '')
      },
    }
    const write = (text: string) => {
      try {
        if (!isGone) transport.send(text)
      } catch {
        // It closed meanwhile: what was written is lost with it, as on any connection.
      }
    }
    const transport = inner({
      onOpen() {
        happen(() => {
          if (isOver) return
          observer.opened(number)
          events.onOpen()
        })
      },
      onMessage(data) {
        if (!isOver) carry('in', data, () => isOver || events.onMessage(data))
      },
      onClose(closeCode, reason) {
        if (vanishes()) {
          isDead = true
          return
        }
        happen(() => {
          gone()
          tellEnd(closeCode, reason)
        })
      },
    })
    links.add(link)
    return {
      send(text) {
        if (!isGone) carry('out', text, () => write(text))
      },
      close(closeCode, reason) {
        if (isGone) return
        if (!vanishes() && !waits()) return transport.close(closeCode, reason)
        // The other end does not hear of it yet, or never.
        if (!vanishes()) hold(() => transport.close(closeCode, reason))
        queueMicrotask(() => tellEnd(1006, ''))
        queueMicrotask(buryOldest)
      },
    }
  }

  return {
    dial: (inner) => (events) => {
      const number = ++dialled
      observer.dialled(number)
      if (!on.has('offline')) return createLink(inner, events, number)
      queueMicrotask(() => {
        observer.closed(number, 1006, '')
        events.onClose(1006, '')
      })
      return { send() {}, close() {} }
    },
    lifecycle: (inner) => (notice) => {
      const stopOurs = lifecycles.add(notice)
      const stop = inner((event) => {
        if (event !== 'wake') isHostOffline = event === 'offline'
        if (!on.has('offline')) notice(event)
      })
      return () => {
        stopOurs()
        stop()
      }
    },
    getToken: (inner) => (context) => (on.has('refuseToken') ? REFUSED_TOKEN : inner(context)),
    isOn: (name) => on.has(name),
    cut,
    set(name, isOn) {
      if (on.has(name) === isOn) return
      if (isOn) on.add(name)
      else on.delete(name)
      if (name === 'offline') {
        if (isOn) cut()
        if (!isHostOffline) lifecycles.tell(isOn ? 'offline' : 'online')
      } else if (name === 'refuseToken') {
        if (isOn) cut()
      } else if (!isOn) for (const link of Array.from(links)) link.release()
    },
  }
}
