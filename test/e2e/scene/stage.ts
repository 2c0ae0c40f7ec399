// The stage: one real server on a file, with hooks and messages of its own, and nine devices of six users, each behind a
// network that can be cut. The server can be taken away and put back on the same file.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  createServer,
  type Hooks,
  handle,
  type PushNotification,
  type Server,
  sqlite,
  TautlineError,
} from '@tautline/server'
import { calls } from '@tautline/server/calls'
import { createFakeRtc } from '../../client/calls/fake-peer-connection.ts'
import { createProxy } from '../../faults/proxy.ts'
import { jobs } from '../../support/jobs.ts'
import { createDevice, type Device } from './device.ts'
import { createTape, type Tape } from './waiting.ts'
import { createWeather, type Weather } from './weather.ts'

const CAST = {
  adaPhone: 'ada',
  adaLaptop: 'ada',
  bobPhone: 'bob',
  bobLaptop: 'bob',
  cyTablet: 'cy',
  cyLaptop: 'cy',
  dee: 'dee',
  eve: 'eve',
  finn: 'finn',
} as const

export interface Stage extends Readonly<Record<keyof typeof CAST, Device>> {
  readonly devices: readonly Device[]
  readonly weather: Weather
  /** Of now. */
  readonly server: Server
  /** What the push service was given. */
  readonly pushes: Tape<PushNotification>
  /** The connections that there were, as the application was told: +connectionId, and -connectionId. */
  readonly connections: string[]
  /** Another device of the user, which was never there before. */
  newcomer(userId: string): Promise<Device>
  /** Ends the server, with all its connections; while it is away `meanwhile` happens; then it is there again. */
  restartServer(meanwhile: () => Promise<void>): Promise<void>
  /** The rooms where `authorize` lets nobody write. */
  readonly frozen: Set<string>
  close(): Promise<void>
}

export async function openStage(seed: number): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'tautline-scene-'))
  const pushes = createTape<PushNotification>()
  const connections: string[] = []
  const frozen = new Set<string>()
  const rtc = createFakeRtc()
  const titles = new Map([['j17', 'Painter']])
  const hooks: Hooks = {
    authorize: ({ action, room }) => action !== 'write' || !frozen.has(room),
    async onMessage({ content }) {
      await new Promise(setImmediate)
      if (content.includes('for free')) throw new TautlineError('FORBIDDEN', 'No advertising in this room.')
      if (content.startsWith('!')) return { alert: { priority: 'high', sound: 'horn' } }
      return content.includes('damn') ? { content: content.replaceAll('damn', '****') } : undefined
    },
    describeUsers: async (userIds) =>
      Object.fromEntries(userIds.map((id) => [id, { name: `The ${id}`, avatarUrl: `/faces/${id}.png` }])),
    onNotification: (notification) => pushes.add(notification),
    onConnect: ({ connection }) => connections.push(`+${connection}`),
    onDisconnect: ({ connection }) => connections.push(`-${connection}`),
  }
  const startServer = () =>
    createServer({
      port: 0,
      auth: { verify: (token) => ({ userId: token }) },
      store: sqlite(join(folder, 'chat.db')),
      limits: { messagesPerSecond: 1_000, messageBurst: 1_000 },
      presenceGraceMs: 250,
      heartbeat: { intervalMs: 500, timeoutMs: 2_000 },
      reactionNames: ['party_parrot'],
      extensions: [
        calls(),
        handle(jobs, {
          job_offer({ payload }) {
            if (!titles.has(payload.jobId)) throw jobs.error('JOB_NOT_FOUND')
            return { ...payload, rate: Math.max(payload.rate, 12) }
          },
          get_job({ payload: { jobId } }) {
            const title = titles.get(jobId)
            if (title === undefined) throw jobs.error('JOB_NOT_FOUND', `Nobody offers ${jobId}.`)
            return { title }
          },
        }),
      ],
      hooks,
      logger: false,
    })
  let server = await startServer()
  const devices: Device[] = []
  const all: Device[] = []

  async function enter(name: string, userId: string): Promise<Device> {
    const proxy = await createProxy()
    proxy.aim(Number(server.port))
    const device = createDevice({
      name,
      userId,
      proxy,
      outbox: join(folder, `${name}.outbox`),
      seed: seed + all.length,
      rtc,
    })
    all.push(device)
    return device
  }

  for (const [name, userId] of Object.entries(CAST)) devices.push(await enter(name, userId))
  const byName = Object.fromEntries(devices.map((device) => [device.name, device])) as Record<
    keyof typeof CAST,
    Device
  >

  return {
    ...byName,
    devices,
    weather: createWeather(devices, seed),
    get server() {
      return server
    },
    pushes,
    connections,
    frozen,
    newcomer: (userId) => enter(`${userId}Newcomer`, userId),
    async restartServer(meanwhile) {
      // Nobody is told to come back later: for the clients it is as if the machine had died.
      for (const { proxy } of devices) {
        proxy.aim(1)
        proxy.reset()
      }
      await server.close()
      await meanwhile()
      server = await startServer()
      for (const { proxy } of devices) proxy.aim(Number(server.port))
    },
    async close() {
      for (const device of all) await device.close()
      for (const { proxy } of all) proxy.close()
      await server.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
