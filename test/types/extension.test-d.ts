// What the types of an application's own messages allow, on both ends. Nothing here is run: `tsc` holds it to be so.

import type { Client, Sent } from '@tautline/client'
import {
  type Extension,
  type ExtensionEvents,
  extend,
  type RoomExtension,
  type RoomExtensionEvents,
} from '@tautline/client/extension'
import { defineProtocol, type NameOf } from '@tautline/protocol/extension'
import { type Handlers, handle, type ServerExtension } from '@tautline/server'
import { expectTypeOf } from 'vitest'
import { z } from 'zod'
import { jobs } from '../support/jobs.ts'

type Jobs = typeof jobs
declare const client: Client
declare const app: Extension<Jobs>
declare const room: RoomExtension<Jobs>
declare const server: ServerExtension<Jobs>

// Each name is known by its kind.
expectTypeOf<NameOf<Jobs, 'durable'>>().toEqualTypeOf<'job_offer'>()
expectTypeOf<NameOf<Jobs, 'signal' | 'event'>>().toEqualTypeOf<'job_viewed' | 'job_closed'>()
expectTypeOf(room.send).parameter(0).toEqualTypeOf<'job_offer'>()
expectTypeOf(room.signal).parameter(0).toEqualTypeOf<'job_viewed'>()
expectTypeOf<NameOf<Jobs, 'request'>>().toEqualTypeOf<'get_job'>()
expectTypeOf(server.tell).parameter(1).toEqualTypeOf<'job_closed'>()
expectTypeOf(server.send).parameter(1).toEqualTypeOf<'job_offer'>()

// What is said is of its form, and so is what is heard.
expectTypeOf(room.send<'job_offer'>)
  .parameter(1)
  .toEqualTypeOf<{ jobId: string; rate: number }>()
expectTypeOf(room.send('job_offer', { jobId: 'j', rate: 1 })).toEqualTypeOf<Sent>()
expectTypeOf(app.request('get_job', { jobId: 'j' })).resolves.toEqualTypeOf<{ title: string }>()
room.on('job_offer', (event) => {
  expectTypeOf(event.payload).toEqualTypeOf<{ jobId: string; rate: number }>()
  expectTypeOf(event.seq).toEqualTypeOf<number>()
})
room.on('job_viewed', (event) => {
  expectTypeOf(event.payload).toEqualTypeOf<{ jobId: string }>()
  expectTypeOf(event).not.toHaveProperty('seq')
})
app.on('job_closed', ({ payload }) => expectTypeOf(payload).toEqualTypeOf<{ jobId: string }>())
expectTypeOf(extend(client, jobs)).toEqualTypeOf<Extension<Jobs>>()
expectTypeOf<keyof ExtensionEvents<Jobs>>().toEqualTypeOf<'job_closed' | 'unknown'>()
expectTypeOf<keyof RoomExtensionEvents<Jobs>>().toEqualTypeOf<'job_offer' | 'job_viewed' | 'job_closed'>()

// Where a schema gives something else than it takes, what is heard is what it gives.
const polls = defineProtocol({
  name: 'polls',
  messages: {
    'poll.opened': {
      kind: 'durable',
      payload: z.object({ choices: z.array(z.string()), days: z.int().default(7) }),
    },
  },
})
declare const poll: RoomExtension<typeof polls>
expectTypeOf(poll.send<'poll.opened'>)
  .parameter(1)
  .toEqualTypeOf<{ choices: string[]; days?: number | undefined }>()
poll.on('poll.opened', ({ payload }) => expectTypeOf(payload.days).toEqualTypeOf<number>())

// Errors are those that were defined.
expectTypeOf(jobs.error).parameter(0).toEqualTypeOf<'JOB_NOT_FOUND' | 'JOB_BUSY'>()
expectTypeOf(polls.error).parameter(0).toEqualTypeOf<never>()
declare const caught: unknown
if (jobs.isError(caught, 'JOB_NOT_FOUND'))
  expectTypeOf(caught.applicationCode).toEqualTypeOf<'JOB_NOT_FOUND'>()
if (jobs.isError(caught)) expectTypeOf(caught.applicationCode).toEqualTypeOf<'JOB_NOT_FOUND' | 'JOB_BUSY'>()

// A request needs a handler, the others may have one, an event has none.
type Keys<T> = { [K in keyof T]-?: object extends Pick<T, K> ? never : K }[keyof T]
expectTypeOf<Keys<Handlers<Jobs>>>().toEqualTypeOf<'get_job'>()
expectTypeOf<keyof Handlers<Jobs>>().toEqualTypeOf<'get_job' | 'job_offer' | 'job_viewed'>()
handle(jobs, {
  job_offer: ({ payload, room: id, session, userId, messageId }, speaker) => {
    expectTypeOf([id, session, userId, messageId]).toEqualTypeOf<string[]>()
    expectTypeOf(speaker).toEqualTypeOf<ServerExtension<Jobs>>()
    return { ...payload, rate: payload.rate + 1 }
  },
  get_job: async ({ payload }) => ({ title: payload.jobId }),
})
type Answer = ReturnType<Handlers<Jobs>['get_job']>
expectTypeOf<{ title: string }>().toExtend<Answer>()
expectTypeOf<{ name: string }>().not.toExtend<Answer>()

// A type of the protocol's own cannot be taken.
type Definition = Parameters<typeof defineProtocol<{ ping: Jobs['messages']['job_offer'] }>>[0]
expectTypeOf<Definition['messages']['ping']>().toBeNever()
