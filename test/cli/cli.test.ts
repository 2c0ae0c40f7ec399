import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { createServer, memory } from '@tautline/server'
import { decodeJwt } from 'jose'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Peer, SECRET, sendMessage } from '../server/wire.ts'

const CLI = fileURLToPath(new URL('../../packages/cli/src/cli.ts', import.meta.url))
const NODE_ARGUMENTS = ['--conditions=source', CLI]
const env = (more: Record<string, string> = {}) => ({ PATH: process.env['PATH'], ...more })

function run(args: string[], more: Record<string, string> = {}) {
  return new Promise<{ code: number; out: string; err: string }>((resolve) => {
    execFile(process.execPath, [...NODE_ARGUMENTS, ...args], { env: env(more) }, (error, out, err) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, out, err })
    })
  })
}

describe('tautline', () => {
  it.each<[string[], Record<string, string>, number, string]>([
    [['--help'], {}, 0, ''],
    [[], {}, 2, 'What shall I do?'],
    [['sing'], {}, 2, 'There is no command "sing".'],
    [['serve', '--prot', '1'], {}, 2, "Unknown option '--prot'"],
    [['serve', 'now'], {}, 2, '"now" is too much.'],
    [['serve'], {}, 2, 'There is no secret for the tokens: set TAUTLINE_SECRET'],
    [
      ['serve', '--port', 'http'],
      { TAUTLINE_SECRET: SECRET },
      2,
      'A port is a number from 0 to 65535, not "http".',
    ],
    [['serve', '--port', '65536'], { TAUTLINE_SECRET: SECRET }, 1, 'The option port must be a whole number'],
    [['serve', '--db', '/no/such/folder/x.db'], { TAUTLINE_SECRET: SECRET }, 1, '/no/such/folder'],
    [['token'], { TAUTLINE_SECRET: SECRET }, 2, 'Whose token?'],
    [['token', '--user', 'a b'], { TAUTLINE_SECRET: SECRET }, 1, 'A user id is'],
    [['token', '--user', 'alice'], { TAUTLINE_SECRET: 'short' }, 1, 'at least 32 bytes'],
  ])('%j exits with what it should, and a sentence', async (args, more, code, sentence) => {
    const result = await run(args, more)
    expect(result.err).toContain(sentence)
    expect(result.code).toBe(code)
    expect(result.err).not.toContain('    at ')
  })

  it('says that a port is taken', async () => {
    const server = await createServer({ port: 0, auth: { secret: SECRET }, store: memory(), logger: false })
    onTestFinished(() => server.close())
    const folder = mkdtempSync(join(tmpdir(), 'tautline-cli-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    const args = ['serve', '--port', String(server.port), '--db', join(folder, 'chat.db')]
    const { code, err } = await run(args, { TAUTLINE_SECRET: SECRET })
    expect(err).toContain(`Port ${server.port} on 127.0.0.1 is taken`)
    expect(code).toBe(1)
  })

  it('makes a token that a server takes, and the server stops at SIGTERM without losing a word', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tautline-cli-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    const child = spawn(process.execPath, [...NODE_ARGUMENTS, 'serve'], {
      env: env({ TAUTLINE_SECRET: SECRET, TAUTLINE_PORT: '0', TAUTLINE_DB: join(folder, 'chat.db') }),
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    onTestFinished(() => void child.kill('SIGKILL'))
    child.stdout.resume()
    let url = ''
    for await (const line of createInterface({ input: child.stderr })) {
      url = /Serving (\S+)\./.exec(line)?.[1] ?? ''
      if (url !== '') break
    }
    const { out } = await run(['token', '--user', 'alice'], { TAUTLINE_SECRET: SECRET })
    expect(decodeJwt(out.trim()).sub).toBe('alice')
    const alice = new Peer(url)
    await alice.opened
    alice.say({ type: 'authenticate', payload: { ref: 1, sid: 'lane-of-alice', token: out.trim() } })
    await alice.next('connected')
    await alice.enter('general')
    alice.say(sendMessage(10, 1, ['last words']))
    await alice.next('ack')
    const exited = once(child, 'exit')
    child.kill('SIGTERM')
    expect(await alice.closed).toMatch(/^1012 RESTART/)
    expect(await exited).toEqual([0, null])
  })
})
