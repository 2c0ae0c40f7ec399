/** The options of `calls`, and their defaults. */
import { checkNames, whole } from '../checks.ts'
import type { RegistryOptions } from './core/registry.ts'

/** Those of the registry, and what its shell does beside it. */
export interface CallsSettings extends RegistryOptions {
  readonly membershipIntervalMs: number
}

export interface CallsOptions {
  /** How long it rings before a call is missed, in milliseconds. Default 30,000. */
  readonly ringTimeoutMs?: number | undefined
  /**
   * How long a device may be without a connection before it is out of its call, in milliseconds; also how long a server that
   * was started anew waits for the others of a call. Media goes on meanwhile. Default 60,000.
   */
  readonly reconnectTimeoutMs?: number | undefined
  /**
   * How often it is looked whether who is in the call of a room is a member still, in milliseconds: who was put out of the
   * room is out of its call after that. Default 10,000.
   */
  readonly membershipIntervalMs?: number | undefined
  /** Calls that a user may start: so many at once, and as many again, evenly spread, in each further minute. Default 5. */
  readonly startsPerMinute?: number | undefined
  /** Calls at a time, of the whole server. Default 10,000. */
  readonly maxCalls?: number | undefined
}

const DAY_MS = 86_400_000

const NAMES = [
  'ringTimeoutMs',
  'reconnectTimeoutMs',
  'membershipIntervalMs',
  'startsPerMinute',
  'maxCalls',
] satisfies (keyof CallsOptions)[]

/** Throws an OptionError for what none of them can be. */
export function readCallsOptions(given: CallsOptions): CallsSettings {
  checkNames('calls.', given, NAMES)
  return {
    ringTimeoutMs: whole('calls.ringTimeoutMs', given.ringTimeoutMs, 1, DAY_MS, 30_000),
    reconnectTimeoutMs: whole('calls.reconnectTimeoutMs', given.reconnectTimeoutMs, 1, DAY_MS, 60_000),
    membershipIntervalMs: whole('calls.membershipIntervalMs', given.membershipIntervalMs, 1, DAY_MS, 10_000),
    startsPerMinute: whole('calls.startsPerMinute', given.startsPerMinute, 1, 1_000_000, 5),
    maxCalls: whole('calls.maxCalls', given.maxCalls, 1, 1_000_000, 10_000),
  }
}
