/**
 * A network between clients and a server, with faults on demand: a TCP proxy that delays, slows down, cuts into pieces,
 * holds back, cuts off, resets, and lets one end vanish without a word to the other. It knows nothing of WebSocket.
 *
 * Faults hold for the connections there are and those to come, until changed. What a proxy may not do is what TCP never
 * does: within a connection no byte is lost, doubled or out of order.
 */
import { type AddressInfo, createServer, connect as dial, type Server, type Socket } from 'node:net'

export interface Faults {
  /** Everything arrives so much later. */
  readonly latencyMs: number
  readonly bytesPerSecond: number
  /** What arrives comes in pieces of so many bytes at most, each written by itself. */
  readonly sliceBytes: number
  /** Nothing passes, and nobody is told. What is held back passes when it ends, as after a retransmission. */
  readonly isStalled: boolean
}

export type Direction = 'toServer' | 'toClient'

const NO_FAULTS: Faults = {
  latencyMs: 0,
  bytesPerSecond: Number.POSITIVE_INFINITY,
  sliceBytes: Number.POSITIVE_INFINITY,
  isStalled: false,
}

/** Bytes under way in one direction, beyond which the proxy reads no more. */
const MAX_QUEUED_BYTES = 262_144

export interface TcpProxy {
  readonly port: number
  /** Where the server listens by now. */
  aim(port: number): void
  set(direction: Direction | 'both', faults: Partial<Faults>): void
  /** No fault any more. Connections that one end vanished from stay as they are. */
  heal(): void
  /** Ends every connection at both ends (FIN); what is under way is lost. */
  cut(): void
  /** The same by RST: the ends see ECONNRESET. */
  reset(): void
  /** This end is told that the connection is over; the other is left alone, hears nothing, and what it says is dropped. */
  vanish(end: 'client' | 'server'): void
  /** Resolves when something that the server says, and that holds this text, is on its way. */
  carries(text: string): Promise<void>
  /** Resolves with the next bytes of a client, when they were written to the server. */
  delivers(): Promise<void>
  connections(): number
  close(): void
}

export async function createProxy(): Promise<TcpProxy> {
  const faults: Record<Direction, Faults> = { toServer: NO_FAULTS, toClient: NO_FAULTS }
  const connections = new Set<Connection>()
  const sightings = createSightings()
  let target = 0
  const server: Server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
    const far = dial({ port: target, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
    const connection = new Connection(near, far, faults, sightings)
    connections.add(connection)
    connection.onGone = () => connections.delete(connection)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))

  function change(direction: Direction, these: Partial<Faults>): void {
    faults[direction] = { ...faults[direction], ...these }
    for (const connection of connections) connection.faultsChanged()
  }

  return {
    port: (server.address() as AddressInfo).port,
    aim(port) {
      target = port
    },
    set(direction, these) {
      if (direction !== 'toClient') change('toServer', these)
      if (direction !== 'toServer') change('toClient', these)
    },
    heal() {
      change('toServer', NO_FAULTS)
      change('toClient', NO_FAULTS)
    },
    cut() {
      for (const connection of connections) connection.end((socket) => socket.destroy())
    },
    reset() {
      for (const connection of connections) connection.end((socket) => socket.resetAndDestroy())
    },
    vanish(end) {
      for (const connection of connections) connection.vanish(end)
    },
    carries: (text) => sightings.ofText(text),
    delivers: () => sightings.ofDelivery(),
    connections: () => connections.size,
    close() {
      for (const connection of connections) connection.end((socket) => socket.destroy())
      server.close()
    },
  }
}

/** Who waits to see something pass. */
interface Sightings {
  ofText(text: string): Promise<void>
  ofDelivery(): Promise<void>
  said(chunk: Buffer): void
  delivered(): void
}

function createSightings(): Sightings {
  let texts: { readonly text: string; resolve(): void }[] = []
  let deliveries: (() => void)[] = []
  return {
    ofText: (text) =>
      new Promise((resolve) => {
        texts.push({ text, resolve })
      }),
    ofDelivery: () =>
      new Promise((resolve) => {
        deliveries.push(resolve)
      }),
    said(chunk) {
      texts = texts.filter(({ text, resolve }) => {
        if (!chunk.includes(text)) return true
        resolve()
        return false
      })
    },
    delivered() {
      for (const resolve of deliveries) resolve()
      deliveries = []
    },
  }
}

class Connection {
  onGone: () => void = () => {}
  readonly #near: Socket
  readonly #far: Socket
  readonly #pumps: readonly Pump[]
  #isVanished = false

  constructor(near: Socket, far: Socket, faults: Readonly<Record<Direction, Faults>>, sightings: Sightings) {
    this.#near = near
    this.#far = far
    this.#pumps = [
      new Pump(near, far, () => faults.toServer, { passed: sightings.delivered }),
      new Pump(far, near, () => faults.toClient, { came: sightings.said }),
    ]
    for (const socket of [near, far]) {
      // A close follows, and is what counts.
      socket.on('error', () => {})
      socket.on('close', () => this.#closed(socket))
    }
  }

  faultsChanged(): void {
    for (const pump of this.#pumps) pump.run()
  }

  end(how: (socket: Socket) => void): void {
    for (const pump of this.#pumps) pump.stop()
    how(this.#near)
    how(this.#far)
  }

  vanish(end: 'client' | 'server'): void {
    for (const pump of this.#pumps) pump.stop()
    const [gone, left] = end === 'client' ? [this.#near, this.#far] : [this.#far, this.#near]
    this.#isVanished = true
    gone.destroy()
    left.resume()
    left.once('end', () => left.destroy())
  }

  /** A FIN was passed on already. An end that went without one resets the other, after what it had said before. */
  #closed(socket: Socket): void {
    const [own, back] = socket === this.#near ? this.#pumps : [...this.#pumps].reverse()
    back?.stop()
    if (!this.#isVanished && !socket.readableEnded) own?.reset()
    if (this.#near.destroyed && this.#far.destroyed) this.onGone()
  }
}

interface PumpEvents {
  /** A chunk was read from the source. */
  readonly came?: (chunk: Buffer) => void
  /** A chunk was written to the target. */
  readonly passed?: () => void
}

/** One direction of one connection: a queue of chunks, each with the time at which it may arrive. */
class Pump {
  readonly #source: Socket
  readonly #target: Socket
  readonly #faults: () => Faults
  readonly #events: PumpEvents
  readonly #queue: { bytes: Buffer; readonly dueAt: number }[] = []
  #queuedBytes = 0
  /** How the source ended; the target ends the same way, after what was said before. */
  #ended: 'not' | 'by FIN' | 'by RST' = 'not'
  #isStopped = false
  /** Something will call `run`: a timer, or a `drain`. */
  #isWaiting = false

  constructor(source: Socket, target: Socket, faults: () => Faults, events: PumpEvents) {
    this.#source = source
    this.#target = target
    this.#faults = faults
    this.#events = events
    source.on('data', (chunk) => this.#take(chunk))
    source.on('end', () => {
      this.#ended = 'by FIN'
      this.run()
    })
  }

  reset(): void {
    this.#ended = 'by RST'
    this.run()
  }

  stop(): void {
    this.#isStopped = true
    this.#queue.length = 0
  }

  #take(chunk: Buffer): void {
    if (this.#isStopped) return
    this.#events.came?.(chunk)
    this.#queue.push({ bytes: chunk, dueAt: performance.now() + this.#faults().latencyMs })
    this.#queuedBytes += chunk.length
    this.run()
  }

  /** Passes on what may pass now, and sees to it that it is called again for the rest. */
  run(): void {
    if (this.#isStopped) return
    const { isStalled, sliceBytes, bytesPerSecond } = this.#faults()
    if (isStalled || this.#queuedBytes > MAX_QUEUED_BYTES) this.#source.pause()
    else this.#source.resume()
    if (isStalled || this.#isWaiting) return
    const [first] = this.#queue
    if (!first) {
      if (this.#ended === 'by FIN') this.#target.end()
      if (this.#ended === 'by RST') this.#target.resetAndDestroy()
      return
    }
    const waitMs = first.dueAt - performance.now()
    if (waitMs > 0) return this.#runAfter(waitMs)
    const piece = first.bytes.subarray(0, Math.min(sliceBytes, Math.max(1, bytesPerSecond / 20)))
    first.bytes = first.bytes.subarray(piece.length)
    if (first.bytes.length === 0) this.#queue.shift()
    this.#queuedBytes -= piece.length
    const isTaken = this.#target.write(piece, () => this.#events.passed?.())
    if (isTaken) return this.#runAfter((piece.length / bytesPerSecond) * 1_000)
    this.#isWaiting = true
    this.#target.once('drain', () => this.#again())
  }

  #runAfter(ms: number): void {
    this.#isWaiting = true
    if (ms > 0) setTimeout(() => this.#again(), ms)
    else setImmediate(() => this.#again())
  }

  #again(): void {
    this.#isWaiting = false
    this.run()
  }
}
