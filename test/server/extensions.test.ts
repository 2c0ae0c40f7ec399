import { defineProtocol, type MessageDefinition } from '@tautline/protocol/extension'
import { createServer, type Extension, handle, memory, OptionError, type Server } from '@tautline/server'
import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { jobs } from '../support/jobs.ts'

let server: Server | undefined
afterEach(() => server?.close())

const offer: MessageDefinition = { kind: 'durable', payload: z.object({}) }
/** As from JavaScript: whatever the types say. */
const named = (name: string, messages: Record<string, MessageDefinition>, errors = {}) =>
  defineProtocol({ name, messages, errors })

async function start(...extensions: unknown[]): Promise<Server> {
  server = await createServer({
    auth: { verify: () => ({ userId: 'ada' }) },
    store: memory(),
    logger: false,
    extensions: extensions as Extension[],
  })
  return server
}

describe('a server', () => {
  it.each(['send_message', 'new_message', 'ping', 'skip', 'connected'])(
    'does not start with a message of the protocol’s own: %s',
    async (type) => {
      const extension = handle(named('mine', { [type]: offer }), {})
      await expect(start(extension)).rejects.toThrow(
        `The option extensions cannot have ${type} of mine: the protocol itself has it already.`,
      )
    },
  )

  it('does not start with a name that two of its extensions have', async () => {
    const one = handle(named('one', { 'poll.opened': offer }), {})
    const other = handle(named('other', { 'poll.opened': offer }), {})
    await expect(start(one, other)).rejects.toThrow('cannot have poll.opened of other: one has it already')
    const errors = { GONE: { message: 'Gone.', retryable: false } }
    const three = ['a', 'b'].map((name) => handle(named(name, {}, errors), {}))
    await expect(start(...three)).rejects.toThrow('cannot have GONE of b: a has it already')
  })

  it('does not start without a handler for a request, or with one for what no client says', async () => {
    const without = { protocol: jobs, handlers: {}, onSession: undefined }
    await expect(start(without)).rejects.toThrow('needs a handler of jobs for the request get_job')
    const get_job = () => ({ title: '' })
    for (const name of ['job_closed', 'nothing', 'constructor']) {
      const handlers = { get_job, [name]: () => {} }
      await expect(start({ protocol: jobs, handlers })).rejects.toThrow(`cannot handle ${name}`)
    }
    const wrong = { get_job, job_offer: 'yes' }
    await expect(start({ protocol: jobs, handlers: wrong })).rejects.toThrow(OptionError)
    await expect(start(jobs)).rejects.toThrow('must be a list of handle(protocol, handlers)')
  })

  it('closes, and ends its other extensions, where the end of one of them throws', async () => {
    const ended: string[] = []
    const one = (name: string, end: () => unknown) => {
      function onClose() {
        ended.push(name)
        return end()
      }
      return handle(named(name, {}), {}, { onClose })
    }
    const speaker = await start(
      one('throws', () => {
        throw new Error('on purpose')
      }),
      one('rejects', () => Promise.reject(new Error('on purpose'))),
      one('ends', () => {}),
    )
    await speaker.close()
    expect(ended).toEqual(['throws', 'rejects', 'ends'])
  })

  it('speaks what it was started with, and nothing else', async () => {
    const speaker = (await start(handle(jobs, { get_job: () => ({ title: '' }) }))).extension(jobs)
    expect(() => server?.extension(named('other', {}))).toThrow('other is not among the extensions')
    expect(() => speaker.tell({ userId: 'ada' }, 'job_closed', { jobId: 7 as unknown as string })).toThrow(
      'VALIDATION_ERROR: the field jobId',
    )
    const long = { jobId: 'x'.repeat(50_000) }
    expect(() => speaker.tell({ userId: 'ada' }, 'job_closed', long)).toThrow('MESSAGE_TOO_LONG')
    await expect(speaker.send('no-such-room', 'job_offer', { jobId: 'j', rate: 1 })).rejects.toThrow(
      'FORBIDDEN',
    )
  })
})
