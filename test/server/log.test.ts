import { type Logger, memory } from '@tautline/server'
import { describe, expect, it } from 'vitest'
import { describeError, loggerOf } from '../../packages/server/src/log.ts'
import { connect, sendMessage, startServer, tokenOf } from './wire.ts'

describe('the log', () => {
  it('holds ids and codes, and neither what was said nor any token', async () => {
    const lines: string[] = []
    const write = (fields: object, message: string) => void lines.push(JSON.stringify({ ...fields, message }))
    const logger: Logger = { debug: write, info: write, warn: write, error: write }
    const store = memory()
    const server = await startServer({
      logger,
      store: {
        async open() {
          const opened = await store.open()
          return {
            ...opened,
            commit: (ops, unixMs) =>
              ops.some(({ op }) => op === 'command')
                ? Promise.reject(new Error('the disk is full'))
                : opened.commit(ops, unixMs),
          }
        },
      },
    })
    const token = await tokenOf('alice')
    const alice = await (await connect(server).login('alice')).enter('general')
    alice.say(sendMessage(10, 1, ['the-secret-of-alice']))
    await alice.next('error')
    alice.text('{"type":"the-secret-of-alice","payload":{"x":"the-secret-of-alice"}}')
    await alice.next('error')
    alice.text('{"the-secret-of-alice"')
    await alice.closed
    const mallory = connect(server, { headers: { Authorization: `Bearer ${token}x` } })
    await mallory.opened
    mallory.say({ type: 'authenticate', payload: { ref: 1, sid: 'the-lane-1' } })
    await mallory.closed
    await server.close()
    const log = lines.join('')
    expect(log).toContain('the disk is full')
    expect(log).toContain('PARSE_ERROR')
    expect(log).toContain('INVALID_TOKEN')
    expect(log).toContain('"user":"alice"')
    expect(log).not.toContain('the-secret-of-alice')
    expect(log).not.toContain(token.slice(0, 20))
  })

  it('says nothing of a thing that was thrown and is no error', () => {
    expect(describeError({ token: 'x' })).toEqual({ error: 'object' })
    expect(describeError('the token')).toEqual({ error: 'string' })
  })

  it('is silent where it was told to be', () => {
    const silent = loggerOf(false)
    silent.error({}, 'nobody hears this')
    expect(Object.keys(silent)).toEqual(['debug', 'info', 'warn', 'error'])
  })
})
