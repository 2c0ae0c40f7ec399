import { join } from 'node:path'
import { createServer, createToken, memory } from '@tautline/server'
import { describe, expect, it, onTestFinished } from 'vitest'
import { run, SECRET, start, startServer, temporaryFolder } from './program.ts'

const signed = { TAUTLINE_SECRET: SECRET }

async function localServer(limits = {}): Promise<string> {
  const server = await createServer({
    port: 0,
    auth: { secret: SECRET },
    store: memory(),
    logger: false,
    limits,
  })
  onTestFinished(() => server.close())
  return `127.0.0.1:${server.port}`
}

describe('tautline chat in a script', () => {
  it('sends each line, prints it with its place, and ends when all are acknowledged', async () => {
    const url = await localServer()
    const { code, out, err } = await run(['chat', url, '--user', 'alice'], signed, 'hello\n\n//slash\n')
    expect(out).toBe('general #2 alice: hello\ngeneral #3 alice: /slash\n')
    expect(err).toContain('[1] queued: hello\n')
    expect(err).toContain('[1] acknowledged #2\n')
    expect(err).toContain('as alice.\n')
    expect(code).toBe(0)
  })

  it('sends a thousand lines without filling its outbox', async () => {
    const url = await localServer({ messagesPerSecond: 10_000, messageBurst: 2_000 })
    const lines = Array.from({ length: 1_200 }, (_, index) => `line ${index}`)
    const { code, out } = await run(
      ['chat', url, '--user', 'alice', '--room', 'log'],
      signed,
      lines.join('\n'),
    )
    expect(out).toBe(lines.map((line, index) => `log #${index + 2} alice: ${line}\n`).join(''))
    expect(code).toBe(0)
  })

  it('knows the commands', async () => {
    const url = await localServer()
    await run(['chat', url, '--user', 'bob'], signed, 'one\ntwo\nthree\n')
    const asked = await run(['chat', url, '--user', 'alice'], signed, '/history 2\n/members\n/help\n')
    expect(asked.out).toContain('general #3 bob: two\ngeneral #4 bob: three\n')
    expect(asked.out).toContain('  bob (owner')
    expect(asked.out).toContain('  /join <room>')
    expect(asked.code).toBe(0)
    const joined = await run(['chat', url, '--user', 'alice'], signed, '/join tea\nmilk?\n/quit\nnever\n')
    expect(joined.out).toBe('tea #2 alice: milk?\n')
    expect(joined.code).toBe(0)
  })

  it('fails for a command that is none, and goes on', async () => {
    const url = await localServer()
    const { code, out, err } = await run(
      ['chat', url, '--user', 'alice'],
      signed,
      '/dance\n/history all\n/join a b\nhello\n',
    )
    expect(err).toContain('There is no /dance.')
    expect(err).toContain('/history takes a number from 1 to 100, not "all".')
    expect(err).toContain('"a b" cannot be the name of a room.')
    expect(out).toBe('general #2 alice: hello\n')
    expect(code).toBe(1)
  })

  it('fails for a message that the server refuses, and sends the others', async () => {
    const url = await localServer()
    const { code, out, err } = await run(
      ['chat', url, '--user', 'alice'],
      signed,
      `${'x'.repeat(5_001)}\nshort\n`,
    )
    expect(err).toContain('[1] failed (the message is longer than the server takes)')
    expect(out).toMatch(/^general #\d alice: short\n$/)
    expect(code).toBe(1)
  })

  it('lets nothing through that would move the cursor', async () => {
    const url = await localServer()
    const { out } = await run(['chat', url, '--user', 'alice'], signed, 'a\u001b[2Jb\u202ec\td\n')
    expect(out).toBe('general #2 alice: a\\u{1b}[2Jb\\u{202e}c d\n')
  })

  it('signs in with a token, which says who it is', async () => {
    const url = await localServer()
    const token = await createToken({ userId: 'carol', secret: SECRET })
    const { code, out } = await run(['chat', url], { TAUTLINE_TOKEN: token }, 'hello\n')
    expect(out).toBe('general #2 carol: hello\n')
    expect(code).toBe(0)
  })

  it('ends at once where the token is bad or the token of another', async () => {
    const url = await localServer()
    const token = await createToken({ userId: 'carol', secret: SECRET })
    const [bad, foreign, unsigned] = await Promise.all([
      run(['chat', url, '--token', 'nonsense'], {}, 'hello\n'),
      run(['chat', url, '--user', 'alice', '--token', token], {}, 'hello\n'),
      run(['chat', url, '--user', 'alice'], { TAUTLINE_SECRET: SECRET.toUpperCase() }, 'hello\n'),
    ])
    expect(bad.err).toContain('refused: the token is not valid.\n! 1 message not acknowledged.')
    expect(foreign.err).toContain('refused: the token belongs to another user.')
    expect(unsigned.err).toContain('refused: the token is not valid.')
    expect([bad.code, foreign.code, unsigned.code]).toEqual([1, 1, 1])
  })

  it('gives up after its wait where no server can be reached', async () => {
    const { code, out, err } = await run(
      ['chat', '127.0.0.1:1', '--user', 'alice', '--wait', '0.2'],
      signed,
      'hello\n',
    )
    expect(err).toContain('No connection to ws://127.0.0.1:1/ws: the server does not answer.')
    expect(err).toContain('ws://127.0.0.1:1/ws could not be reached.\n! 1 message not acknowledged.')
    expect(out).toBe('')
    expect(code).toBe(1)
  })
})

describe('two chats', () => {
  it('lose nothing when the server is killed between them', async () => {
    const db = join(temporaryFolder(), 'chat.db')
    const first = await startServer(db)
    const alice = start(['chat', first.url, '--user', 'alice'], signed)
    await alice.line(/Nobody else is in general now/)
    const bob = start(['chat', first.url, '--user', 'bob'], signed)
    await bob.line(/In general with you: alice/)
    await alice.line(/bob is in general/)
    alice.write('hello\n')
    await bob.line(/^general #3 alice: hello$/)

    await first.program.kill('SIGKILL')
    await Promise.all([alice.line(/No connection/), bob.line(/No connection/)])
    alice.write('are you there?\nI wait\n')
    bob.write('so do I\n')
    await alice.line(/^\[3\] queued: I wait$/)
    await bob.line(/^\[1\] queued: so do I$/)

    await startServer(db, Number(new URL(first.url).port))
    await Promise.all([
      bob.line(/^general #\d alice: are you there\?$/),
      bob.line(/^general #\d alice: I wait$/),
      alice.line(/^general #\d bob: so do I$/),
    ])
    alice.end()
    bob.end()
    expect(await Promise.all([alice.exited, bob.exited])).toEqual([0, 0])
    const { out } = await run(['chat', first.url, '--user', 'alice'], signed, '/history\n')
    const said = out.split('\n').filter((line) => line !== '')
    expect(said).toHaveLength(4)
    expect(said.filter((line) => line.includes('alice')).map((line) => line.replace(/^.*: /, ''))).toEqual([
      'hello',
      'are you there?',
      'I wait',
    ])
  })
})
