import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createServer, memory } from '@tautline/server'
import { decodeJwt } from 'jose'
import { describe, expect, it, onTestFinished } from 'vitest'
import { UsageError } from '../../packages/cli/src/command.ts'
import { COMMANDS } from '../../packages/cli/src/commands.ts'
import { Peer, sendMessage } from '../server/wire.ts'
import { run, SECRET, startServer, temporaryFolder } from './program.ts'

const signed = { TAUTLINE_SECRET: SECRET }

describe('tautline', () => {
  it.each<[string[], Record<string, string>, number, string]>([
    [[], {}, 2, 'What shall I do?'],
    [['sing'], {}, 2, 'There is no command "sing".'],
    [['--port', '1', 'serve'], {}, 2, 'The command comes first, before "--port".'],
    [['help', 'sing'], {}, 2, 'There is no command "sing".'],
    [['serve', '--prot', '1'], {}, 2, "Unknown option '--prot'"],
    [['serve', 'now'], {}, 2, '"now" is too much.\nTry: tautline serve --help'],
    [['token', 'alice'], signed, 2, '"alice" is too much. Name the user: --user alice'],
    [['token', '--user', 'a b'], signed, 1, 'A user id is'],
  ])('%j exits with what it should, and a sentence', async (args, more, code, sentence) => {
    const result = await run(args, more)
    expect(result.err).toContain(sentence)
    expect(result.code).toBe(code)
    expect(result.err).not.toContain('    at ')
    expect(result.out).toBe('')
  })

  it.each(['serve', 'token', 'health', 'chat'])('%s has a help that names it', async (name) => {
    const { code, out, err } = await run([name, '--help'])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toMatch(new RegExp(`^tautline ${name}\\b.*: `))
  })

  it('lists its commands', async () => {
    const { code, out } = await run(['--help'])
    expect(code).toBe(0)
    for (const name of COMMANDS.keys()) expect(out).toMatch(new RegExp(`^  ${name} `, 'm'))
  })

  it('says its version', async () => {
    expect(await run(['--version'])).toEqual({
      code: 0,
      out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
      err: '',
    })
  })

  it('says that Node is too old', async () => {
    const older =
      'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.19.0" } })'
    const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(older)}`
    const { code, err } = await run(['--help'], { NODE_OPTIONS })
    expect(err).toContain('tautline needs Node 22.18 or later; this is Node 20.19.0.')
    expect(code).toBe(1)
  })
})

describe('the arguments', () => {
  it.each<[string[], Record<string, string>, 1 | 2, string]>([
    [['serve', 'now'], {}, 2, '"now" is too much.'],
    [['serve'], {}, 2, 'There is no secret for the tokens: set TAUTLINE_SECRET'],
    [['serve', '--port', 'http'], signed, 2, '--port must be a whole number from 0 to 65535; it is "http".'],
    [['serve', '--port', '65536'], signed, 2, '--port must be a whole number from 0 to 65535; it is 65536.'],
    [['serve'], { ...signed, TAUTLINE_PORT: '80 80' }, 2, 'TAUTLINE_PORT must be a whole number'],
    [
      ['serve', '--connections', 'one'],
      signed,
      2,
      '--connections must be "allow" or "replace"; it is "one".',
    ],
    [['serve', '--create-rooms', 'yes'], signed, 2, '--create-rooms must be true or false; it is "yes".'],
    [['serve', '--idle-timeout-ms', 'x'], signed, 2, '--idle-timeout-ms must be a whole number from 1000'],
    [['serve', '--max-frame-bytes', '5'], signed, 2, '--max-frame-bytes must be a whole number from 1024'],
    [['serve', '--upgrade-burst', '0'], signed, 2, '--upgrade-burst must be a whole number from 1'],
    [['serve', '--trust-proxy', 'true'], signed, 2, '--trust-proxy must be false or the number of your own'],
    [['serve', '--origins', 'https://a/b'], signed, 2, '--origins must be origins as browsers write them'],
    [['serve', '--usage', 'sends=30'], signed, 2, '--usage takes none, messenger, or a list such as sends='],
    [['serve', '--usage', 'chat'], signed, 2, '--usage must be "none", "messenger" or'],
    [
      ['serve', '--usage', 'sends=0/5'],
      signed,
      2,
      '--usage: usage.sends.count must be a whole number from 1',
    ],
    [
      ['serve', '--usage', 'words=1/5'],
      signed,
      2,
      '--usage: usage.words is no option; there are usage.sends',
    ],
    [['serve', '--jwks', 'http://keys.example'], {}, 2, '--jwks must be the https address'],
    [['serve', '--algorithm', 'none'], signed, 2, '--algorithm must be one of HS256, HS384, HS512'],
    [['serve', '--secret', 'short'], {}, 2, '--secret must be at least 32 bytes long for HS256; it has 5.'],
    [['serve'], { TAUTLINE_SECRET: 'short' }, 2, 'TAUTLINE_SECRET must be at least 32 bytes long'],
    [['serve', '--db', '/no/such/folder/x.db'], signed, 1, '/no/such/folder'],
    [['token'], signed, 2, 'Whose token?'],
    [['token', '--user', 'a b'], signed, 1, 'A user id is'],
    [['token', '--user', 'alice'], { TAUTLINE_SECRET: 'short' }, 1, 'at least 32 bytes'],
    [['health'], {}, 2, 'Which server?'],
    [['health', 'a', 'b'], {}, 2, '"b" is too much.'],
    [['health', 'ftp://127.0.0.1'], {}, 2, 'begins with ws, wss, http or https'],
    [['health', 'http://'], {}, 2, '"http://" is no address.'],
    [['health', 'a', '--timeout', 'soon'], {}, 2, '--timeout takes a number of seconds'],
    [['chat', '--user', 'alice'], signed, 2, 'Which server?'],
    [['chat', 'a'], signed, 2, 'Who are you?'],
    [['chat', 'a', '--user', 'alice'], {}, 2, 'What signs you in?'],
    [['chat', 'a', '--user', 'alice', '--token', 'x', '--secret', 'y'], {}, 2, 'is enough'],
    [['chat', 'a', '--user', 'a b'], signed, 1, 'A user id is'],
    [
      ['chat', 'a', '--user', 'alice', '--room', 'no room'],
      signed,
      2,
      '"no room" cannot be the name of a room.',
    ],
    [['chat', 'a', '--user', 'alice', '--wait', '0'], signed, 2, '--wait takes a number of seconds'],
  ])('%j are refused with a sentence', async ([name = '', ...args], env, code, sentence) => {
    const error: unknown = await COMMANDS.get(name)
      ?.run(args, env)
      .catch((reason: unknown) => reason)
    expect(error).toMatchObject({ message: expect.stringContaining(sentence) })
    expect(error instanceof UsageError).toBe(code === 2)
  })
})

describe('tautline serve', () => {
  it('says that a port is taken', async () => {
    const server = await createServer({ port: 0, auth: { secret: SECRET }, store: memory(), logger: false })
    onTestFinished(() => server.close())
    const db = join(temporaryFolder(), 'chat.db')
    const { code, err } = await run(['serve', '--port', String(server.port), '--db', db], signed)
    expect(err).toContain(`Port ${server.port} on 127.0.0.1 is taken`)
    expect(code).toBe(1)
  })

  it('says that another server has the file, and that a file is no database', async () => {
    const folder = temporaryFolder()
    const db = join(folder, 'chat.db')
    const text = join(folder, 'letter.txt')
    writeFileSync(text, 'Dear Bob, '.repeat(1_000))
    await startServer(db)
    const [second, unreadable] = await Promise.all([
      run(['serve', '--port', '0', '--db', db], signed),
      run(['serve', '--port', '0', '--db', text], signed),
    ])
    expect(second.err).toContain('another process has it open')
    expect(second.code).toBe(1)
    expect(unreadable.err).toContain('it is not a database')
    expect(unreadable.code).toBe(1)
  })

  it('takes the tokens that tautline token makes, and stops at SIGTERM without losing a word', async () => {
    const { program, url } = await startServer(join(temporaryFolder(), 'chat.db'))
    const { out } = await run(['token', '--user', 'alice'], signed)
    expect(decodeJwt(out.trim()).sub).toBe('alice')
    const alice = new Peer(url)
    await alice.opened
    alice.say({ type: 'authenticate', payload: { ref: 1, sid: 'lane-of-alice', token: out.trim() } })
    await alice.next('connected')
    await alice.enter('general')
    alice.say(sendMessage(10, 1, ['last words']))
    await alice.next('ack')
    const exited = program.kill('SIGTERM')
    expect(await alice.closed).toMatch(/^1012 RESTART/)
    expect(await exited).toBe(0)
  })
})
