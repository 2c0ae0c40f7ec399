import { join } from 'node:path'
import { DEFAULT_LIMITS } from '@tautline/protocol'
import { memory } from '@tautline/server'
import { describe, expect, it } from 'vitest'
import { COMMANDS } from '../../packages/cli/src/commands.ts'
import { ALL_SETTINGS } from '../../packages/cli/src/server-settings.ts'
import { optionsOf, readGiven, variableOf } from '../../packages/cli/src/settings.ts'
import { OPTION_NAMES, readConfig } from '../../packages/server/src/config.ts'
import { Peer, tokenOf } from '../server/wire.ts'
import { SECRET, start, temporaryFolder } from './program.ts'

/** What only code can give, and the time for it. */
const CODE_ALONE: readonly string[] = [
  'store',
  'extensions',
  'hooks',
  'hookTimeoutMs',
  'userCacheMs',
  'logger',
  'onRequest',
]

function optionsBy(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  return optionsOf(ALL_SETTINGS, readGiven(ALL_SETTINGS, args, env).given)
}

function read(options: object) {
  return readConfig({ auth: { secret: SECRET }, store: memory(), ...options })
}

describe('the settings of tautline serve', () => {
  it('are all options of the server that are no code', () => {
    const covered = new Set(ALL_SETTINGS.map(({ option }) => option?.split('.')[0]))
    expect(OPTION_NAMES.filter((name) => !covered.has(name))).toEqual(CODE_ALONE)
    const limits = ALL_SETTINGS.flatMap(({ option }) =>
      option?.startsWith('limits.') ? [option.slice(7)] : [],
    )
    expect(limits.toSorted()).toEqual(Object.keys(DEFAULT_LIMITS).toSorted())
  })

  it('have the defaults of the server', () => {
    const typed = ALL_SETTINGS.flatMap(({ flag, fallback }) =>
      fallback === undefined ? [] : [`--${flag}`, fallback],
    )
    const { auth, port: _, ...options } = optionsBy(typed)
    const { sources: byDefault, ...expected } = read({})
    const { sources: bySetting, ...config } = read(options)
    const comparable = (each: object) =>
      JSON.parse(JSON.stringify(each, (key, value) => (key === 'store' ? 0 : value)))
    expect(comparable(config)).toEqual(comparable(expected))
    expect(bySetting.trustedProxies).toBe(byDefault.trustedProxies)
    expect(auth).toEqual({
      algorithm: 'HS256',
      jwksAlgorithms: ['RS256'],
      maxTokenAgeMs: 3_600_000,
      ticketLifetimeMs: 300_000,
      allowQuery: false,
    })
  })

  it('are in the help, each with its variable', () => {
    const help = COMMANDS.get('serve')?.help ?? ''
    for (const setting of ALL_SETTINGS) {
      expect(help).toContain(`  --${setting.flag} <${setting.value}> `)
      expect(help).toMatch(new RegExp(`\\[${variableOf(setting)}[,\\]]`))
    }
    for (const line of help.split('\n')) expect(line.length).toBeLessThanOrEqual(120)
  })

  it('are read from flags before variables, and an empty variable is none', () => {
    const env = { TAUTLINE_PORT: '1', TAUTLINE_HOST: '', TAUTLINE_HEARTBEAT_INTERVAL_MS: '500' }
    expect(optionsBy(['--port', '2', '--heartbeat-timeout-ms', '900'], env)).toEqual({
      port: 2,
      heartbeat: { intervalMs: 500, timeoutMs: 900 },
    })
  })

  it('are not what Kubernetes tells of a service that has our name', () => {
    expect(optionsBy([], { TAUTLINE_PORT: 'tcp://10.96.0.1:8080', TAUTLINE_HOST: '0.0.0.0' })).toEqual({
      host: '0.0.0.0',
    })
  })

  it('know numbers, never, truth, lists and quotas', () => {
    const env = {
      TAUTLINE_IDLE_TIMEOUT_MS: 'never',
      TAUTLINE_CREATE_ROOMS: 'false',
      TAUTLINE_TRUST_PROXY: '2',
      TAUTLINE_ORIGINS: 'https://a.example, https://b.example',
      TAUTLINE_USAGE: 'sends=30/60000, joins=off',
    }
    expect(optionsBy([], env)).toEqual({
      idleTimeoutMs: Number.POSITIVE_INFINITY,
      createRooms: false,
      trustProxy: 2,
      origins: ['https://a.example', 'https://b.example'],
      usage: { sends: { count: 30, perMs: 60_000 }, joins: false },
    })
    expect(read(optionsBy([], env)).node.usage.sends?.count).toBe(30)
  })

  it('bind the server that was started with them', async () => {
    const args = [
      'serve',
      '--port',
      '0',
      '--db',
      join(temporaryFolder(), 'chat.db'),
      '--max-message-chars',
      '10',
    ]
    const env = { TAUTLINE_SECRET: SECRET, TAUTLINE_MAX_CONNECTIONS_PER_ADDRESS: '1', TAUTLINE_PATH: '/chat' }
    const [, url = ''] = await start(args, env).line(/Serving (ws:\S+\/chat)\./)
    const alice = new Peer(url)
    await alice.opened
    alice.say({
      type: 'authenticate',
      payload: { ref: 1, sid: 'the-lane-1', token: await tokenOf('alice', SECRET) },
    })
    expect((await alice.next('connected')).payload.limits).toMatchObject({
      maxMessageChars: 10,
      messageBurst: 40,
    })
    expect(await new Peer(url).closed).toMatch(/^4409 TOO_MANY_CONNECTIONS retry=/)
  })
})
