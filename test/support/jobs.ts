// A protocol of an application's own, of every kind of message: what the tests of extensions on both ends speak.

import { defineProtocol } from '@tautline/protocol/extension'
import { z } from 'zod'

export const jobs = defineProtocol({
  name: 'jobs',
  messages: {
    job_offer: { kind: 'durable', payload: z.object({ jobId: z.string().max(100), rate: z.int() }) },
    job_viewed: { kind: 'signal', payload: z.object({ jobId: z.string() }) },
    get_job: {
      kind: 'request',
      payload: z.object({ jobId: z.string() }),
      response: z.object({ title: z.string() }),
    },
    job_closed: { kind: 'event', payload: z.object({ jobId: z.string() }) },
  },
  errors: {
    JOB_NOT_FOUND: { message: 'There is no such job.', retryable: false },
    JOB_BUSY: { message: 'Somebody else changes the job.', retryable: true },
  },
})
