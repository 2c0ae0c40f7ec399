// What the parts of the store's contract share: how a store is opened, and words for operations.

import { MAX_PAGE_BYTES, MAX_PAGE_ENTRIES } from '@tautline/protocol'
import type {
  AcceptOp,
  AdmitOp,
  BanOp,
  CommandOp,
  CommitResult,
  CreateOp,
  DeleteOp,
  InviteOp,
  JoinOp,
  LeaveOp,
  MarkNoticesOp,
  MarkReadOp,
  MuteOp,
  NotifyOp,
  Outcome,
  PageRequest,
  RemoveOp,
  SetNoticesOp,
  SetRoleOp,
  Store,
  StoreOp,
  UpdateOp,
} from '../../../packages/server/src/core/store.ts'

/** One database. `open` finds what an earlier store of it left; the others change rows while no store has it open. */
export interface StoreHarness {
  open(): Promise<Store>
  /** Retention: the log begins with this position. */
  cut(room: string, oldest: number): Promise<void>
  /** The member reads from this position on. */
  limitReading(room: string, user: string, fromSeq: number): Promise<void>
  makePrivate(room: string): Promise<void>
  dispose(): Promise<void>
}

/** Some moment, in Unix milliseconds. */
export const NOW = 1_767_225_600_000
export const SID = 'tab-of-a'

type Command = Partial<Omit<CommandOp, 'op'>> & { readonly content?: string }

/** A message of `alice` in `room`, with an id and a content of its own, unless told otherwise. */
export function send(n: number, command: Command = {}): CommandOp {
  const { content = `words ${n}`, ...rest } = command
  return {
    op: 'command',
    user: 'alice',
    room: 'room',
    sid: SID,
    n,
    messageId: `message-${n}`,
    digest: `digest of ${content}`,
    entry: { type: 'new_message', payload: { content } },
    refusal: undefined,
    noticeId: `notice-${rest.messageId ?? n}`,
    ...rest,
  }
}

export function skip(n: number, command: Command = {}): CommandOp {
  return send(n, { entry: undefined, digest: 'digest of a skip', ...command })
}

export function join(user = 'alice', room = 'room', more: Partial<JoinOp> = {}): JoinOp {
  return { op: 'join', ...change('join', user, room, more), create: true, ...more }
}

export function leave(user = 'alice', room = 'room', more: Partial<LeaveOp> = {}): LeaveOp {
  return { op: 'leave', ...change('leave', user, room, more), ...more }
}

export function create(user = 'alice', room = 'room', more: Partial<CreateOp> = {}): CreateOp {
  return {
    op: 'create',
    ...change('create', user, room, more),
    visibility: 'private',
    about: '{}',
    ...more,
  }
}

export function invite(
  target: string,
  user = 'alice',
  room = 'room',
  more: Partial<InviteOp> = {},
): InviteOp {
  return { op: 'invite', ...change(`invite-${target}`, user, room, more), target, role: 'member', ...more }
}

export function accept(user: string, room = 'room', more: Partial<AcceptOp> = {}): AcceptOp {
  return { op: 'accept', ...change('accept', user, room, more), ...more }
}

export function remove(
  target: string,
  user = 'alice',
  room = 'room',
  more: Partial<RemoveOp> = {},
): RemoveOp {
  return { op: 'remove', ...change(`remove-${target}`, user, room, more), target, ...more }
}

export function admit(target: string, room = 'room', more: Partial<AdmitOp> = {}): AdmitOp {
  return { op: 'admit', ...change(`admit-${target}`, 'system', room, more), target, role: 'member', ...more }
}

export function update(user = 'alice', room = 'room', more: Partial<UpdateOp> = {}): UpdateOp {
  return { op: 'update', ...change('update', user, room, more), visibility: undefined, about: '{}', ...more }
}

export function destroy(user = 'alice', room = 'room', more: Partial<DeleteOp> = {}): DeleteOp {
  return { op: 'delete', ...change('delete', user, room, more), ...more }
}

export function setRole(
  target: string,
  role: SetRoleOp['role'],
  user = 'alice',
  room = 'room',
  more: Partial<SetRoleOp> = {},
): SetRoleOp {
  return { op: 'set_role', ...change(`role-${target}-${role}`, user, room, more), target, role, ...more }
}

export function ban(target: string, user = 'alice', room = 'room', more: Partial<BanOp> = {}): BanOp {
  const what = more.lift === true ? 'unban' : 'ban'
  return { op: 'ban', ...change(`${what}-${target}`, user, room, more), target, lift: false, ...more }
}

/** For a minute. */
export function mute(target: string, user = 'alice', room = 'room', more: Partial<MuteOp> = {}): MuteOp {
  const what = more.durationMs === 0 ? 'unmute' : 'mute'
  return { op: 'mute', ...change(`${what}-${target}`, user, room, more), target, durationMs: 60_000, ...more }
}

/** Ids as the server would make them, but so that one can read them. */
function change(what: string, user: string, room: string, more: { readonly messageId?: string }) {
  const { messageId = `${what}-${room}-${user}` } = more
  return { user, room, messageId, noticeId: `notice-${messageId}` }
}

export function markRead(seq: number, user = 'alice', room = 'room'): MarkReadOp {
  return { op: 'mark_read', user, room, seq }
}

/** Of alice's notifications. */
export function markNotices(
  what: MarkNoticesOp['change'],
  named: Pick<MarkNoticesOp, 'seqs' | 'upTo'>,
  user = 'alice',
): MarkNoticesOp {
  return { op: 'mark_notices', user, room: `~${user}`, change: what, ...named }
}

export function setNotices(named: Partial<SetNoticesOp>, user = 'alice', room = 'room'): SetNoticesOp {
  return { op: 'set_notices', user, room, level: undefined, silenceMs: undefined, ...named }
}

/** The system tells alice something, each time something of its own. */
export function notify(n: number, user = 'alice', more: Partial<NotifyOp> = {}): NotifyOp {
  const payload = { title: `notice ${n}` }
  const messageId = `notify-number-${n}`
  return {
    op: 'notify',
    user: 'system',
    room: `~${user}`,
    messageId,
    digest: `digest of ${n}`,
    type: 'notice',
    payload,
    ...more,
  }
}

export function ack(seq: number, timestamp = NOW): Outcome {
  return { outcome: 'acknowledged', seq, timestamp, appended: true }
}

/** Acknowledged, and in the log from before. */
export function ackAgain(seq: number, timestamp = NOW): Outcome {
  return { outcome: 'acknowledged', seq, timestamp, appended: false }
}

export function failed(code: Extract<Outcome, { outcome: 'failed' }>['code']): Outcome {
  return { outcome: 'failed', code }
}

export const JOINED = { outcome: 'joined', role: 'member' } as const
export const INVITED = { outcome: 'invited' } as const
export const FORBIDDEN = failed('FORBIDDEN')

export async function commit(store: Store, ...ops: readonly StoreOp[]): Promise<readonly Outcome[]> {
  return (await commitAll(store, ops)).outcomes
}

export async function commitAll(store: Store, ops: readonly StoreOp[], unixMs = NOW): Promise<CommitResult> {
  return store.commit(ops, unixMs)
}

/** A request of `alice` for a page of `room`. */
export function ask(request: Partial<PageRequest> = {}): PageRequest {
  return {
    user: 'alice',
    room: 'room',
    after: undefined,
    maxEntries: MAX_PAGE_ENTRIES,
    maxBytes: MAX_PAGE_BYTES,
    maxReplay: Number.POSITIVE_INFINITY,
    ...request,
  }
}

/** The page, or an error that says what came instead. */
export async function readPage(store: Store, request: Partial<PageRequest> = {}) {
  const result = await store.readPage(ask(request))
  if (result.result !== 'page') throw new Error(`no page: ${JSON.stringify(result)}`)
  return result
}

/** The first members of the room; undefined: forbidden. */
export async function membersOf(store: Store, room = 'room', user = 'alice') {
  return (await store.readMembers({ user, room, after: undefined, limit: 100 }))?.members
}

/** Every position of the log with its message id, read page by page. */
export async function readLog(store: Store, room = 'room', user = 'alice'): Promise<string[]> {
  const log: string[] = []
  for (;;) {
    const { entries, head } = await readPage(store, { room, user, after: { seq: log.length }, maxEntries: 7 })
    log.push(...entries.map((entry) => `${entry.seq} ${entry.messageId}`))
    if (log.length === head) return log
  }
}

/** The user's own rooms, as listed. */
export async function listed(store: Store, user: string) {
  return (await store.readRooms({ user, which: 'own', after: undefined, limit: 100 })).rooms
}
