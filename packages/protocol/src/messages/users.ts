/**
 * What users are called and how they look, as the application says it. It is in no log: names change, and what was said
 * stays. Whom the asker may not know is left out, like one of whom nobody knows anything.
 */
import * as z from 'zod/mini'
import { MAX_DESCRIBED_USERS } from '../limits.ts'
import { fileUrl } from './content.ts'
import { ref, userId } from './fields.ts'

const describedUser = z.object({
  userId,
  name: z.optional(z.string().check(z.minLength(1), z.maxLength(100))),
  avatarUrl: z.optional(fileUrl.check(z.maxLength(1_024))),
})

/** To the server: what are these users called? */
export const getUsers = z.object({
  ref,
  users: z.array(userId).check(z.minLength(1), z.maxLength(MAX_DESCRIBED_USERS)),
})

/** From the server: those of whom there is something to say. */
export const userList = z.object({
  ref,
  users: z.array(describedUser).check(z.maxLength(MAX_DESCRIBED_USERS)),
})
