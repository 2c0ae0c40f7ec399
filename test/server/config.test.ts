import { memory, type ServerOptions } from '@tautline/server'
import { describe, expect, it } from 'vitest'
import { readConfig } from '../../packages/server/src/config.ts'
import { DEFAULT_USAGE } from '../../packages/server/src/core/usage.ts'
import { SECRET } from './wire.ts'

const good: ServerOptions = { port: 8080, auth: { secret: SECRET }, store: memory() }

/** As from JavaScript, where the types do not help. */
function read(options: Record<string, unknown>) {
  return readConfig({ ...good, ...options })
}

describe('the options of a server', () => {
  it.each<[Record<string, unknown>, string]>([
    [{ port: 65_536 }, 'The option port must be a whole number from 0 to 65535; it is 65536.'],
    [{ port: -1 }, 'The option port must be a whole number from 0 to 65535; it is -1.'],
    [{ port: 80.5 }, 'The option port must be'],
    [{ port: '8080' }, 'The option port must be a whole number from 0 to 65535; it is "8080".'],
    [{ port: Number.NaN }, 'it is NaN'],
    [{ port: null }, 'it is null'],
    [{ reactionNames: ['Party Parrot'] }, 'The option reactionNames must be a function, or a list of names'],
    [{ reactionNames: 'a' }, 'The option reactionNames must be'],
    [{ host: '' }, 'The option host must be a text that is not empty; it is "".'],
    [{ path: 'ws' }, 'The option path must be a path that begins with / and has no query; it is "ws".'],
    [{ path: '/ws?x' }, 'The option path must be'],
    [{ auth: undefined }, 'The option auth must be an object'],
    [{ auth: {} }, 'The option auth.secret must be at least 32 bytes long for HS256; none was given.'],
    [{ auth: { secret: 'short' } }, 'must be at least 32 bytes long for HS256; it has 5.'],
    [{ auth: { secret: SECRET, algorithm: 'HS512' } }, 'must be at least 64 bytes long for HS512'],
    [
      { auth: { secret: SECRET, algorithm: 'none' } },
      'auth.algorithm must be one of HS256, HS384, HS512; it is "none".',
    ],
    [{ auth: { secret: SECRET, algorithm: 'toString' } }, 'auth.algorithm must be one of'],
    [{ auth: { secret: SECRET, maxTokenAgeMs: 0 } }, 'auth.maxTokenAgeMs must be a whole number from 1000'],
    [{ auth: { secret: SECRET, maxAge: 1 } }, 'There is no option auth.maxAge; there are auth.secret, '],
    [
      { auth: { secret: SECRET, allowQuery: 1 } },
      'The option auth.allowQuery must be true or false; it is 1.',
    ],
    [
      { auth: { secret: SECRET, ticketLifetimeMs: 5 } },
      'auth.ticketLifetimeMs must be a whole number from 1000',
    ],
    [{ auth: { secret: SECRET, audience: '' } }, 'auth.audience must be a text that is not empty'],
    [{ auth: { jwks: 'http://keys.example' } }, 'auth.jwks must be the https address'],
    [{ auth: { jwks: '{"keys":1}' } }, 'auth.jwks must be the https address'],
    [{ auth: { jwks: undefined } }, 'auth.jwks must be the https address'],
    [{ auth: { jwks: { keys: [{ kty: 'oct', k: 'hunter2' }] } } }, 'it holds a key that is not public.'],
    [
      { auth: { jwks: 'https://keys.example', jwksAlgorithms: ['HS256'] } },
      'auth.jwksAlgorithms must be a list of some of RS256, ',
    ],
    [{ auth: { jwks: 'https://keys.example', secret: 'short' } }, 'it has 5.'],
    [{ auth: { verify: 'jwt' } }, 'The option auth.verify must be a function'],
    [{ hooks: 7 }, 'The option hooks must be an object of functions; it is 7.'],
    [{ hooks: { onMessage: 'x' } }, 'The option hooks.onMessage must be a function; it is "x".'],
    [
      { hooks: { onmessage() {} } },
      'There is no option hooks.onmessage; there are hooks.authorize, hooks.onMessage, hooks.onNotification, hooks.maySee, hooks.describeUsers, ',
    ],
    [{ hookTimeoutMs: 9 }, 'The option hookTimeoutMs must be a whole number from 10 to 3600000; it is 9.'],
    [{ store: undefined }, 'The option store must be a store such as sqlite("chat.db") or memory()'],
    [{ store: 'chat.db' }, 'The option store must be a store'],
    [{ origins: 'https://chat.example' }, 'The option origins must be a list of origins'],
    [{ origins: ['https://chat.example/'] }, 'The option origins must be origins as browsers write them'],
    [{ origins: ['*'] }, 'The option origins must be'],
    [{ origins: [7] }, 'The option origins must be'],
    [
      { limits: { maxFrameBytes: 2_000_000 } },
      'limits.maxFrameBytes must be a whole number from 1024 to 1048576',
    ],
    [{ limits: { maxMessages: 1 } }, 'There is no option limits.maxMessages'],
    [{ limits: { messagesPerSecond: 0 } }, 'limits.messagesPerSecond must be a whole number from 1'],
    [{ heartbeat: { intervalMs: 0 } }, 'heartbeat.intervalMs must be a whole number from 10'],
    [
      { heartbeat: { intervalMs: 1_000, timeoutMs: 1_000 } },
      'heartbeat.timeoutMs must be a whole number from 1101',
    ],
    [{ helloTimeoutMs: 0 }, 'The option helloTimeoutMs must be'],
    [{ maxConnectionsPerUser: 0 }, 'maxConnectionsPerUser must be a whole number from 1'],
    [{ connections: 'one' }, 'The option connections must be "allow" or "replace"; it is "one".'],
    [{ createRooms: 'yes' }, 'The option createRooms must be true or false; it is "yes".'],
    [{ maxReplayEntries: -1 }, 'The option maxReplayEntries must be'],
    [{ idleTimeoutMs: 0 }, 'The option idleTimeoutMs must be a whole number from 1000'],
    [{ maxConnectionsPerAddress: 0 }, 'maxConnectionsPerAddress must be a whole number from 1'],
    [{ maxPendingPerAddress: 0 }, 'maxPendingPerAddress must be a whole number from 1'],
    [{ upgrades: { perSecond: 0 } }, 'upgrades.perSecond must be a whole number from 1'],
    [{ upgrades: { rate: 1 } }, 'There is no option upgrades.rate; there are upgrades.perSecond, '],
    [
      { trustProxy: true },
      'trustProxy must be false or the number of your own proxies, up to 100; it is true.',
    ],
    [{ trustProxy: -1 }, 'The option trustProxy must be'],
    [{ usage: 'chat' }, 'The option usage must be "none", "messenger" or an object of quotas; it is "chat".'],
    [{ usage: null }, 'The option usage must be'],
    [{ usage: { messages: false } }, 'There is no option usage.messages; there are usage.sends, '],
    [{ usage: { sends: 30 } }, 'The option usage.sends must be false or { count, perMs }; it is 30.'],
    [{ usage: { sends: { count: 0, perMs: 1 } } }, 'usage.sends.count must be a whole number from 1'],
    [{ usage: { sends: { count: 1 } } }, 'usage.sends.perMs must be a whole number from 1'],
    [{ prot: 1 }, 'There is no option prot; there are port, host, path'],
  ])('%j are refused with a sentence', (options, sentence) => {
    expect(() => read(options)).toThrow(sentence)
  })

  it('do not repeat the secret', () => {
    expect(() => read({ auth: { secret: 'hunter2' } })).toThrow(/^(?!.*hunter2)/)
  })

  it('take 0 for 0', () => {
    const config = read({
      port: 0,
      maxConnections: 0,
      presenceGraceMs: 0,
      maxReplayEntries: 0,
      drainTimeoutMs: 0,
    })
    expect(config.port).toBe(0)
    expect(config.drainTimeoutMs).toBe(0)
    expect(config.node).toMatchObject({ maxConnections: 0, presenceGraceMs: 0, maxReplayEntries: 0 })
  })

  it('have the defaults of the protocol', () => {
    expect(read({})).toMatchObject({
      host: '127.0.0.1',
      path: '/ws',
      drainTimeoutMs: 10_000,
      node: {
        limits: { maxMessageChars: 5_000, maxFrameBytes: 65_536, messagesPerSecond: 20, messageBurst: 40 },
        helloTimeoutMs: 5_000,
        idleTimeoutMs: 1_800_000,
        maxConnectionsPerAddress: 1_000,
        maxPendingPerAddress: 100,
        admissionsPerSecond: 500,
        admissionBurst: 1_000,
        addressAdmissionsPerSecond: 50,
        addressAdmissionBurst: 100,
        heartbeatIntervalMs: 25_000,
        heartbeatTimeoutMs: 60_000,
        maxReplayEntries: 1_000,
        presenceGraceMs: 15_000,
        createRooms: true,
      },
    })
  })

  it('bind this machine by the limits of an address only where one of them was set', () => {
    expect(read({ maxConnections: 5, upgrades: { perSecond: 5 } }).sources.countsLoopback).toBe(false)
    for (const options of [
      { maxConnectionsPerAddress: 5 },
      { maxPendingPerAddress: 5 },
      { upgrades: { perSecondPerAddress: 5 } },
      { upgrades: { burstPerAddress: 5 } },
    ])
      expect(read(options).sources.countsLoopback).toBe(true)
    expect(read({ trustProxy: 2 }).sources.trustedProxies).toBe(2)
    expect(read({ trustProxy: false }).sources.trustedProxies).toBe(0)
  })

  it('of usage begin with what always binds, which can be lifted', () => {
    expect(read({}).node.usage).toEqual(DEFAULT_USAGE)
    expect(read({ usage: 'messenger' }).node.usage).toMatchObject({ sends: { count: 30, perMs: 60_000 } })
    const sends = { count: 7, perMs: 1_000 }
    expect(read({ usage: { sends, rooms: false, joins: undefined } }).node.usage).toEqual({
      sends,
      invites: DEFAULT_USAGE.invites,
      joins: DEFAULT_USAGE.joins,
      threads: DEFAULT_USAGE.threads,
      lookups: DEFAULT_USAGE.lookups,
      signals: DEFAULT_USAGE.signals,
      requests: DEFAULT_USAGE.requests,
    })
  })

  it('stretch the patience with a slower heartbeat', () => {
    const { node } = read({ heartbeat: { intervalMs: 60_000 } })
    expect(node.heartbeatTimeoutMs).toBeGreaterThan(120_000)
  })

  it.each(['maxReplayEntries', 'idleTimeoutMs'] as const)('let %s be endless', (name) => {
    expect(read({ [name]: Number.POSITIVE_INFINITY }).node[name]).toBe(Number.POSITIVE_INFINITY)
  })

  it('allow pages of this machine only where only this machine can ask', () => {
    const origin = 'http://localhost:3000'
    expect(read({}).isOriginAllowed(origin)).toBe(true)
    expect(read({ host: 'localhost' }).isOriginAllowed(origin)).toBe(true)
    expect(read({ host: '0.0.0.0' }).isOriginAllowed(origin)).toBe(false)
    expect(read({ port: undefined }).isOriginAllowed(origin)).toBe(false)
    expect(read({ origins: [] }).isOriginAllowed(origin)).toBe(false)
  })
})
