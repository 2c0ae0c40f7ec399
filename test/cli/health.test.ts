import { createServer as createHttpServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createServer, memory } from '@tautline/server'
import { describe, expect, it, onTestFinished } from 'vitest'
import { run, SECRET } from './program.ts'

async function listen(onRequest: RequestListener): Promise<string> {
  const server = createHttpServer(onRequest)
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

describe('tautline health', () => {
  it.each(['ws://HOST/ws', 'http://HOST', 'HOST', 'http://HOST/health'])(
    'finds the server at %s',
    async (form) => {
      const server = await createServer({ port: 0, auth: { secret: SECRET }, store: memory(), logger: false })
      onTestFinished(() => server.close())
      const { code, out, err } = await run(['health', form.replace('HOST', `127.0.0.1:${server.port}`)])
      expect(out).toMatch(/^ok: 0 connections \(0 signed in\), 0 rooms, 0 operations waiting, up \d s\n$/)
      expect(err).toBe('')
      expect(code).toBe(0)
    },
  )

  it('prints what the server said as JSON', async () => {
    const server = await createServer({ port: 0, auth: { secret: SECRET }, store: memory(), logger: false })
    onTestFinished(() => server.close())
    const { code, out } = await run(['health', `127.0.0.1:${server.port}`, '--json'])
    expect(Object.keys(JSON.parse(out))).toEqual(Object.keys(server.health()))
    expect(code).toBe(0)
  })

  it('fails where nothing listens, in words and in JSON', async () => {
    const [words, json] = await Promise.all([
      run(['health', '127.0.0.1:1']),
      run(['health', '127.0.0.1:1', '--json']),
    ])
    expect(words).toEqual({ code: 1, out: '', err: expect.stringContaining('cannot be reached') })
    expect(json.code).toBe(1)
    expect(JSON.parse(json.out)).toEqual({ status: 'unreachable', error: words.err.trim() })
  })

  it('fails where the server is closing, is another one, or is silent', async () => {
    const [closing, other, silent] = await Promise.all([
      listen((_, response) => void response.end('{"status":"closing","uptimeSeconds":93780}')),
      listen((_, response) => void response.writeHead(404).end('<html>')),
      listen(() => {}),
    ])
    const [a, b, c] = await Promise.all([
      run(['health', closing]),
      run(['health', other]),
      run(['health', silent, '--timeout', '0.1']),
    ])
    expect(a).toMatchObject({ code: 1, err: expect.stringMatching(/^closing: .* up 1 d 2 h\n$/) })
    expect(b).toMatchObject({
      code: 1,
      err: expect.stringContaining('answers (HTTP 404), but not as a Tautline'),
    })
    expect(c).toMatchObject({ code: 1, err: expect.stringContaining('no answer within 0.1 s') })
  })
})
