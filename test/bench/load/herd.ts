/**
 * Many clients that lose their server at the same moment: each one the whole client of its kind, with its own idea of
 * when to come back. What is measured is when they are back, how many come in the same tenth of a second, and how often
 * they dialled.
 */
import { createClient } from '@tautline/client'
import { WebSocket as PartySocket } from 'partysocket'
import ReconnectingWebSocket from 'reconnecting-websocket'
import { io } from 'socket.io-client'
import { WebSocket } from 'ws'
import { tokenOf } from './crowd.ts'

export type HerdKind =
  | 'tautline'
  | 'tautline, cap 5 s'
  | 'socket.io'
  | 'partysocket'
  | 'reconnecting-websocket'

export interface HerdOptions {
  readonly kind: HerdKind
  readonly port: number
  readonly clients: number
}

export interface HerdReport {
  readonly p50Ms: number
  readonly p99Ms: number
  /** The largest share of all that came back within the same 100 ms. */
  readonly crowding: number
  readonly dialsP99: number
  /** Clients that were not back in time. */
  readonly missing: number
}

interface Sheep {
  dials: number
  /** Unix milliseconds; undefined: not there. */
  backAt: number | undefined
}

/** What a client reports. */
interface Reports {
  dialled(): void
  isThere(): void
  isGone(): void
}

const CROWD_MS = 100
const CONNECTED_AT_ONCE = 50

let herd: Sheep[] = []

/** Resolves when all are connected. */
export async function startHerd({ kind, port, clients }: HerdOptions): Promise<void> {
  herd = Array.from({ length: clients }, () => ({ dials: 0, backAt: undefined }))
  for (let i = 0; i < clients; i += CONNECTED_AT_ONCE)
    await Promise.all(
      herd.slice(i, i + CONNECTED_AT_ONCE).map((sheep, j) => connectOne(kind, port, i + j, sheep)),
    )
}

/** From now on dials count; the server is about to go. */
export function watchHerd(): void {
  for (const sheep of herd) {
    sheep.dials = 0
    sheep.backAt = undefined
  }
}

export function areAllBack(): boolean {
  return herd.every(({ backAt }) => backAt !== undefined)
}

/** `since`: when the server was there again, in Unix milliseconds. */
export function reportHerd(since: number): HerdReport {
  const waits = herd
    .flatMap(({ backAt }) => (backAt === undefined ? [] : [backAt - since]))
    .sort((a, b) => a - b)
  const dials = herd.map((sheep) => sheep.dials).sort((a, b) => a - b)
  return {
    p50Ms: at(waits, 0.5),
    p99Ms: at(waits, 0.99),
    crowding: densest(waits) / herd.length,
    dialsP99: at(dials, 0.99),
    missing: herd.length - waits.length,
  }
}

function at(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}

/** The most of them that lie within CROWD_MS. */
function densest(sorted: readonly number[]): number {
  let most = 0
  let first = 0
  for (let last = 0; last < sorted.length; last++) {
    while ((sorted[last] ?? 0) - (sorted[first] ?? 0) >= CROWD_MS) first++
    most = Math.max(most, last - first + 1)
  }
  return most
}

function connectOne(kind: HerdKind, port: number, index: number, sheep: Sheep): Promise<void> {
  return new Promise((resolve) => {
    const reports: Reports = {
      dialled: () => sheep.dials++,
      isThere() {
        sheep.backAt = Date.now()
        resolve()
      },
      isGone() {
        sheep.backAt = undefined
      },
    }
    void begin(kind, port, index, reports)
  })
}

async function begin(kind: HerdKind, port: number, index: number, reports: Reports): Promise<void> {
  switch (kind) {
    case 'tautline':
      return beginTautline(port, `sheep-${index}`, reports, {})
    case 'tautline, cap 5 s':
      return beginTautline(port, `sheep-${index}`, reports, { capMs: 5_000 })
    case 'socket.io':
      return beginSocketIo(port, reports)
    case 'partysocket':
      return listen(new PartySocket(`ws://127.0.0.1:${port}/`, [], { WebSocket: counting(reports) }), reports)
    case 'reconnecting-websocket':
      return listen(
        new ReconnectingWebSocket(`ws://127.0.0.1:${port}/`, [], { WebSocket: counting(reports) }),
        reports,
      )
  }
}

async function beginTautline(
  port: number,
  userId: string,
  reports: Reports,
  backoff: { readonly capMs?: number },
): Promise<void> {
  const token = await tokenOf(userId)
  const client = createClient({
    url: `ws://127.0.0.1:${port}/ws`,
    userId,
    getToken: () => token,
    WebSocket: counting(reports),
    backoff,
  })
  client.on('status', ({ status }) => (status === 'connected' ? reports.isThere() : reports.isGone()))
  await client.connect()
}

function beginSocketIo(port: number, reports: Reports): void {
  const socket = io(`ws://127.0.0.1:${port}`, { transports: ['websocket'], forceNew: true })
  socket.io.on('reconnect_attempt', reports.dialled)
  socket.on('connect', reports.isThere)
  socket.on('disconnect', reports.isGone)
}

function listen(socket: PartySocket | ReconnectingWebSocket, { isThere, isGone }: Reports): void {
  socket.onopen = isThere
  socket.onclose = isGone
  socket.onerror = () => {}
}

/** A WebSocket that reports each attempt. */
function counting({ dialled }: Reports) {
  return class extends WebSocket {
    constructor(url: string | URL, protocols?: string | string[]) {
      super(url, protocols ?? [], { perMessageDeflate: false })
      dialled()
    }
  }
}
