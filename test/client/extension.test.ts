// An application's own messages at the client, against a server that says what a real one would not.

import { extend } from '@tautline/client/extension'
import { defineProtocol } from '@tautline/protocol/extension'
import { describe, expect, it } from 'vitest'
import { jobs } from '../support/jobs.ts'
import { localInDen } from './support/local.ts'
import { idle } from './support/virtual-time.ts'

async function withJobs() {
  const all = await localInDen()
  const app = extend(all.client, jobs)
  const heard: unknown[] = []
  return { ...all, app, den: app.room('den'), heard }
}

const signal = (payload: object, more: object = { room: 'den', sender: 'bob' }, type = 'job_viewed') =>
  ({ type: 'signal', payload: { type, payload, ...more } }) as never

describe('a protocol on a client', () => {
  it('is one object, and so are its rooms; another of its name is refused', async () => {
    const { client, app, den } = await withJobs()
    expect(extend(client, jobs)).toBe(app)
    expect(app.room('den')).toBe(den)
    expect(() => extend(client, defineProtocol({ name: 'jobs', messages: {} }))).toThrow(
      'there is another protocol jobs',
    )
    expect(() => app.room('~b~a')).toThrow('VALIDATION_ERROR')
  })

  it('hears nothing once it is closed, and begins anew where it is asked for again', async () => {
    const { client, server, app, den, heard } = await withJobs()
    den.on('job_viewed', () => heard.push('old'))
    den.on('job_offer', () => heard.push('old'))
    app.close()
    const again = extend(client, jobs)
    expect(again).not.toBe(app)
    again.room('den').on('job_viewed', ({ payload }) => heard.push(payload.jobId))
    server.tell(signal({ jobId: 'j' }))
    server.push('den', 'job_offer', { jobId: 'j', rate: 1 })
    await idle()
    expect(heard).toEqual(['j'])
  })

  it('tells a listener until it stops, and another in spite of one that throws', async () => {
    const { server, den, heard } = await withJobs()
    const stop = den.on('job_viewed', ({ payload }) => heard.push(payload.jobId))
    den.once('job_viewed', () => heard.push('once'))
    server.tell(signal({ jobId: '1' }), signal({ jobId: '2' }))
    await idle()
    stop()
    server.tell(signal({ jobId: '3' }))
    await idle()
    expect(heard).toEqual(['1', 'once', '2'])
  })
})

describe('what arrives', () => {
  it('is told where it belongs, and as unknown where its schema does not take it', async () => {
    const { server, app, den, heard } = await withJobs()
    app.on('unknown', (event) => heard.push(event))
    app.on('job_closed', ({ room, payload }) => heard.push([room, payload]))
    den.on('job_viewed', ({ sender }) => heard.push(sender))
    server.tell(
      // Of a kind, or a protocol, that it is not.
      signal({ jobId: 'j' }, { room: 'den', sender: 'bob' }, 'job_closed'),
      signal({ jobId: 'j' }, {}, 'job_viewed'),
      signal({ jobId: 'j' }, {}, 'constructor'),
      signal({ jobId: 'j' }, { room: 'elsewhere', sender: 'bob' }),
      signal({ jobId: 7 }),
      signal({ jobId: 'j' }),
      signal({ jobId: 'j' }, {}, 'job_closed'),
    )
    server.push('den', 'job_offer', { jobId: 'j', rate: 'much' })
    await idle()
    expect(heard).toEqual([
      { type: 'job_viewed', payload: { jobId: 7 }, room: 'den', sender: 'bob' },
      'bob',
      [undefined, { jobId: 'j' }],
      expect.objectContaining({ type: 'job_offer', payload: { jobId: 'j', rate: 'much' }, seq: 1 }),
    ])
    expect(server.sessions.size).toBe(1)
  })
})

describe('a request', () => {
  it('is asked again on the next connection, and its answer must be of its form', async () => {
    const { server, time, app } = await withJobs()
    server.isSilent = true
    const asked = app.request('get_job', { jobId: 'j' })
    await idle()
    server.isSilent = false
    server.drop()
    server.intercept = (message, reply) => {
      if (message.type !== 'send_request') return false
      const { ref } = message.payload
      reply({ type: 'response', payload: { ref, payload: { title: 'Painter' } } })
      return true
    }
    await time.advance(5_000)
    expect(await asked).toEqual({ title: 'Painter' })
    expect(server.payloads('send_request')).toHaveLength(2)
    server.intercept = (message, reply) => {
      if (message.type !== 'send_request') return false
      reply({ type: 'response', payload: { ref: message.payload.ref, payload: { title: 7 } } })
      return true
    }
    await expect(app.request('get_job', { jobId: 'j' })).rejects.toThrow('the answer is not of its form')
  })
})

describe('a signal', () => {
  it('whose connection is lost before the answer has failed, and is not said again', async () => {
    const { server, time, den } = await withJobs()
    server.isSilent = true
    const said = den.signal('job_viewed', { jobId: 'j' })
    const failed = expect(said).rejects.toMatchObject({ code: 'DISCONNECTED', retryable: true })
    await idle()
    server.isSilent = false
    server.drop()
    await failed
    const between = den.signal('job_viewed', { jobId: 'between' })
    await expect(between).rejects.toMatchObject({ code: 'DISCONNECTED' })
    await time.advance(5_000)
    expect(server.payloads('send_signal')).toMatchObject([{ payload: { jobId: 'j' } }])
  })
})

describe('a message that the server refuses with a code that nobody knows', () => {
  it.each([
    [true, 'REJECTED'],
    [undefined, 'UNAVAILABLE'],
  ] as const)('final: %s, is a %s that keeps it', async (final, code) => {
    const { server, app } = await withJobs()
    server.intercept = (message, reply) => {
      if (message.type !== 'send_request') return false
      const { ref } = message.payload
      reply({ type: 'error', payload: { ref, code: 'JOB_NOT_FOUND', message: 'Gone.', final } })
      return true
    }
    const error = await app.request('get_job', { jobId: 'j' }).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code, applicationCode: 'JOB_NOT_FOUND', detail: 'Gone.' })
    expect(jobs.isError(error, 'JOB_NOT_FOUND')).toBe(true)
  })
})
