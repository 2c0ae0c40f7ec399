// Golden traces: what client and server say to each other on the machine's main ways, frame by frame. The promises of a
// run forgive a client that sends everything twice, asks what it knows, or waits longer than it must; these do not.
//
// A scene is the simulated world with dice that lie still, so that only what the cores decide can change a trace. Where
// a change is meant, look at it line by line and write it anew:  npm test -- test/simulation/golden.test.ts --update
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type ClientHost, createClientHost } from './client-host.ts'
import type { Dice } from './dice.ts'
import { createHistory } from './history.ts'
import { createWire } from './network.ts'
import { createServerHost, type ServerHost } from './server-host.ts'
import { createStoreModel, type StoreModel } from './store-model.ts'
import { UNIX_START } from './time.ts'
import type { Token } from './tokens.ts'
import { createWorld } from './world.ts'

const LATENCY_MS = 20

interface Stage {
  readonly server: ServerHost
  readonly store: StoreModel
  /** A client that is given these tokens, the last of them ever after. Default: one that lasts for an hour. */
  client(user: string, tokens?: readonly Partial<Token>[]): ClientHost
  /** Lets so much time go by. */
  pass(ms: number): Promise<void>
  /** A heading in the trace. */
  then(what: string): void
}

/** Dice that always fall alike: nothing rare happens, and every wait is of middling length. */
function stillDice(): Dice {
  let words = 0
  return {
    next: () => 0.5,
    chance: () => false,
    between: (low, high) => (low + high) / 2,
    below: (count) => Math.floor(count / 2),
    pick(list) {
      if (list[0] === undefined) throw new Error('there is nothing to pick from')
      return list[0]
    },
    letters: (count) => String(++words).padStart(count, '0'),
    fork: stillDice,
  }
}

async function traceOf(scene: (stage: Stage) => Promise<void>): Promise<string> {
  const lines: string[] = []
  const world = createWorld({ seed: 1, maxEvents: 100_000, trace: (line) => lines.push(line) })
  const history = createHistory('epoch-1')
  const count = () => {}
  const store = await createStoreModel(world, history, stillDice(), count, () => false)
  const parts = { world, history, count, door: 'json' } as const
  const server = createServerHost('server', {
    ...parts,
    store,
    dice: stillDice(),
    options: {},
    reviewer: undefined,
  })
  await scene({
    server,
    store,
    client(user, tokens = [{}]) {
      let given = 0
      return createClientHost({
        ...parts,
        dice: stillDice(),
        user,
        sid: `lane-of-${user}`,
        outbox: {},
        tab: undefined,
        outboxName: undefined,
        sent: () => undefined,
        dial: (end) => createWire(world, stillDice(), LATENCY_MS, end, (wire) => server.accept(wire)),
        token() {
          const id = `token-${++given}`
          const token: Token = {
            user,
            expiresAt: UNIX_START + world.now + 3_600_000,
            id,
            kind: 'good',
            ...tokens[Math.min(given, tokens.length) - 1],
          }
          return { token, inMs: 1 }
        },
        stopped: count,
      })
    },
    pass: (ms) => world.runUntil(world.now + ms),
    then: (what) => world.note(() => `── ${what}`),
  })
  for (const { what } of history.broken) lines.push(`BROKEN ${what}`)
  return `${lines.join('\n')}\n`
}

/** Ada and Ben are members of the den and follow it. */
async function settle(stage: Stage): Promise<{ readonly ada: ClientHost; readonly ben: ClientHost }> {
  const [ada, ben] = ['ada', 'ben'].map((user) => {
    const host = stage.client(user)
    host.request({ type: 'join_room', payload: { room: 'den' } }, () => host.follow('den'))
    host.connect()
    return host
  }) as [ClientHost, ClientHost]
  await stage.pass(2_000)
  return { ada, ben }
}

const SCENES: Record<string, (stage: Stage) => Promise<void>> = {
  async connect(stage) {
    const { ada } = await settle(stage)
    stage.then('one message, then three at once')
    ada.send('den', 'plain')
    await stage.pass(500)
    for (let i = 0; i < 3; i++) ada.send('den', 'plain')
    await stage.pass(500)
    stage.then('a quiet minute')
    await stage.pass(60_000)
  },

  async resume(stage) {
    const { ada, ben } = await settle(stage)
    ada.send('den', 'plain')
    await stage.pass(500)
    stage.then('the wire of ben is cut, and ada speaks')
    ben.wire()?.cut()
    await stage.pass(100)
    ada.send('den', 'plain')
    ada.send('den', 'plain')
    await stage.pass(5_000)
    stage.then('ada comes back with what she wrote offline')
    ada.disconnect()
    await stage.pass(500)
    ada.send('den', 'plain')
    ada.send('den', 'plain')
    ada.connect()
    await stage.pass(2_000)
  },

  async refuse(stage) {
    const { ada } = await settle(stage)
    stage.then('what is refused for good holds up nothing behind it')
    ada.send('den', 'plain')
    ada.send('den', 'invalid')
    ada.send('den', 'plain')
    ada.send('nowhere', 'plain')
    await stage.pass(1_000)
    stage.then('nor does what is cancelled before it is sent')
    ada.disconnect()
    await stage.pass(500)
    ada.send('den', 'plain')
    ada.send('den', 'plain')
    const cancelled = ada.session.sends.at(-2)
    if (cancelled) ada.cancel(cancelled.messageId)
    ada.connect()
    await stage.pass(2_000)
  },

  async retry(stage) {
    const { ada } = await settle(stage)
    stage.then('a commit fails under three messages')
    stage.store.arm('commit_failed')
    for (let i = 0; i < 3; i++) ada.send('den', 'plain')
    await stage.pass(5_000)
    stage.then('the server dies between commit and answer')
    stage.store.arm('crash_after_commit')
    ada.send('den', 'plain')
    ada.send('den', 'plain')
    await stage.pass(20_000)
  },

  async refresh(stage) {
    const soon = UNIX_START + 20_000
    const later = UNIX_START + 40_000
    const ada = stage.client('ada', [{ expiresAt: soon }, { expiresAt: later }, { kind: 'bad' }, {}])
    ada.connect()
    await stage.pass(17_000)
    stage.then('the next token is refused, and the one after it is not')
    await stage.pass(30_000)
    stage.then('signed out by the server, with tokens that it never takes')
    const eve = stage.client('eve', [{ kind: 'bad' }])
    eve.connect()
    await stage.pass(5_000)
  },

  async drain(stage) {
    const { ada } = await settle(stage)
    stage.then('the server goes, and a message is on its way')
    ada.send('den', 'plain')
    stage.server.restart()
    ada.send('den', 'plain')
    await stage.pass(15_000)
  },

  async 'half-open'(stage) {
    const { ada } = await settle(stage)
    stage.then('the wire goes silent under a message')
    ada.wire()?.silence()
    ada.send('den', 'plain')
    await stage.pass(25_000)
    stage.then('and once more, while nothing is sent: a wake looks at once')
    ada.wire()?.silence()
    await stage.pass(1_000)
    ada.nudge('wake')
    await stage.pass(10_000)
  },
}

describe('what is said on the wire', () => {
  it.each(Object.entries(SCENES))('stays as it is: %s', async (name, scene) => {
    const trace = await traceOf(scene)
    expect(trace).not.toContain('BROKEN')
    await expect(trace).toMatchFileSnapshot(join(import.meta.dirname, 'golden', `${name}.txt`))
  })
})
