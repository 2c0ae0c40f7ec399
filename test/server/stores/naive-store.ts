// The store as one would write it down without a database, caches or batches: lists that are searched from the start.
// It is what the model test holds the real ones to, so nothing of theirs is used here, not even the decision of a lane.

import { nextFingerprint } from '@tautline/protocol'
import type {
  AcceptOp,
  AdmitOp,
  CommandOp,
  CreateOp,
  InviteOp,
  JoinOp,
  LeaveOp,
  MarkReadOp,
  Outcome,
  RemoveOp,
  StoreOp,
} from '../../../packages/server/src/core/store.ts'

interface Line {
  readonly room: string
  readonly seq: number
  readonly sender: string
  readonly messageId: string
  readonly type: string
  readonly payload: unknown
  readonly digest: string
  readonly timestamp: number
}

interface Member {
  readonly room: string
  readonly user: string
  readonly role: string
  readonly at: number
  /** The position of the entry that told of it. */
  readonly since: number
}

export class NaiveStore {
  readonly lines: Line[] = []
  /** One item for each command that was decided: "user sid room". */
  readonly decided: string[] = []
  readonly members: Member[] = []
  readonly invited: { readonly room: string; readonly user: string; readonly role: string }[] = []
  /** Rooms that were made by name. */
  readonly made: { readonly room: string; readonly visibility: string; readonly about: string }[] = []
  readonly reads: {
    readonly room: string
    readonly user: string
    readonly seq: number
    readonly at: number
  }[] = []

  run(op: StoreOp, now: number): Outcome {
    if (op.op === 'command') return this.command(op, now)
    if (op.op === 'create') return this.create(op, now)
    if (op.op === 'join') return this.join(op, now)
    if (op.op === 'accept') return this.accept(op, now)
    if (op.op === 'admit') return this.admit(op, now)
    if (op.op === 'invite') return this.invite(op, now)
    if (op.op === 'remove') return this.remove(op, now)
    if (op.op === 'leave') return this.leave(op, now)
    return this.markRead(op, now)
  }

  log(room: string): Line[] {
    return this.lines.filter((line) => line.room === room)
  }

  h(room: string, upTo = Number.POSITIVE_INFINITY): string {
    const prefix = this.log(room).filter((line) => line.seq <= upTo)
    return prefix.reduce((h, line) => nextFingerprint(h, line.sender, line.messageId), '')
  }

  lastN(user: string, sid: string, room: string): number {
    return this.decided.filter((lane) => lane === `${user} ${sid} ${room}`).length
  }

  isMember(room: string, user: string): boolean {
    return this.members.some((member) => member.room === room && member.user === user)
  }

  roleIn(room: string, user: string): string | undefined {
    return this.members.find((member) => member.room === room && member.user === user)?.role
  }

  visibility(room: string): string {
    if (room.startsWith('~')) return room.split('~').length === 3 ? 'direct' : 'own'
    return this.made.find((made) => made.room === room)?.visibility ?? 'public'
  }

  /** May follow and read: members, and those whom the name of the room names. */
  mayRead(room: string, user: string): boolean {
    return this.isMember(room, user) || (room.startsWith('~') && room.split('~').includes(user))
  }

  /** Messages after the read position and after coming: nobody's own, for those raise the position. */
  unread(room: string, user: string): number {
    const since = this.members.find((member) => member.room === room && member.user === user)?.since ?? 0
    const from = Math.max(since, this.read(room, user)?.seq ?? 0)
    return this.log(room).filter((line) => line.type === 'new_message' && line.seq > from).length
  }

  /** The highest position that the user ever read to. */
  read(room: string, user: string): { readonly seq: number; readonly at: number } | undefined {
    return this.reads
      .filter((read) => read.room === room && read.user === user)
      .sort((a, b) => b.seq - a.seq)[0]
  }

  private command(op: CommandOp, now: number): Outcome {
    const count = this.lastN(op.user, op.sid, op.room)
    const old = this.lines.find((line) => line.sender === op.user && line.messageId === op.messageId)
    const ackOld =
      old && ({ outcome: 'acknowledged', seq: old.seq, timestamp: old.timestamp, appended: false } as const)
    if (op.n <= count) return old?.room === op.room && ackOld ? ackOld : { outcome: 'failed', code: 'VOID' }
    if (op.n !== count + 1) return { outcome: 'failed', code: 'GAP' }
    const isSkip = op.entry === undefined && op.refusal === undefined
    if (old === undefined && op.refusal === 'RATE_LIMIT') return { outcome: 'failed', code: 'RATE_LIMIT' }

    this.decided.push(`${op.user} ${op.sid} ${op.room}`)
    if (old) {
      const isSame = old.room === op.room && (isSkip || old.digest === op.digest)
      return isSame && ackOld ? ackOld : { outcome: 'failed', code: 'ID_CONFLICT' }
    }
    if (isSkip) return { outcome: 'failed', code: 'SKIPPED' }
    if (op.refusal) return { outcome: 'failed', code: op.refusal }
    const visibility = this.visibility(op.room)
    if (!this.mayRead(op.room, op.user) || visibility === 'own')
      return { outcome: 'failed', code: 'FORBIDDEN' }
    const isFirst = this.log(op.room).length === 0
    const seq = this.append(op, op.entry?.type ?? '', op.entry?.payload, op.digest, now)
    this.reads.push({ room: op.room, user: op.user, seq, at: now })
    if (visibility === 'direct' && isFirst) {
      const [, a = '', b = ''] = op.room.split('~')
      for (const user of [a, b]) {
        this.members.push({ room: op.room, user, role: 'member', at: now, since: 0 })
        this.notify(op, user, 'admission', { room: op.room, role: 'member' }, now)
      }
    }
    return { outcome: 'acknowledged', seq, timestamp: now, appended: true }
  }

  private create(op: CreateOp, now: number): Outcome {
    const { room, user, visibility, about } = op
    if (room.startsWith('~')) return { outcome: 'failed', code: 'FORBIDDEN' }
    if (this.log(room).length === 0) {
      this.append(op, 'room_created', { visibility }, '', now)
      this.members.push({ room, user, role: 'owner', at: now, since: 1 })
      this.notify(op, user, 'admission', { room, role: 'owner' }, now)
      this.made.push({ room, visibility, about })
    } else if (this.roleIn(room, user) !== 'owner' || this.visibility(room) !== visibility) {
      return { outcome: 'failed', code: 'FORBIDDEN' }
    }
    const memberCount = this.members.filter((member) => member.room === room).length
    const read = this.read(room, user)?.seq ?? 0
    const member = { role: 'owner', read, unread: this.unread(room, user) } as const
    const head = this.log(room).length
    return { outcome: 'created', is: { room, visibility, about: '{}', memberCount, head, member } }
  }

  private join(op: JoinOp, now: number): Outcome {
    if (op.room.includes('~')) return { outcome: 'failed', code: 'FORBIDDEN' }
    const role = this.roleIn(op.room, op.user)
    if (role) return { outcome: 'joined', role: role as 'owner' }
    const isNew = this.log(op.room).length === 0
    if (isNew ? !op.create : this.visibility(op.room) === 'private')
      return { outcome: 'failed', code: 'FORBIDDEN' }
    return this.enter(op, isNew ? 'owner' : 'member', now)
  }

  private accept(op: AcceptOp, now: number): Outcome {
    if (op.room.includes('~')) return { outcome: 'failed', code: 'FORBIDDEN' }
    const role = this.roleIn(op.room, op.user)
    if (role) return { outcome: 'joined', role: role as 'owner' }
    const invitation = this.invited.find(({ room, user }) => room === op.room && user === op.user)
    return invitation ? this.enter(op, invitation.role, now) : { outcome: 'failed', code: 'FORBIDDEN' }
  }

  private enter(op: JoinOp | AcceptOp | AdmitOp, role: string, now: number, user = op.user): Outcome {
    const { room } = op
    const since = this.append(op, 'member_joined', { userId: user, role }, '', now)
    this.members.push({ room, user, role, at: now, since })
    this.uninvite(room, user)
    this.notify(op, user, 'admission', { room, role }, now)
    return { outcome: 'joined', role: role as 'owner' }
  }

  /** By the system alone, which may do so wherever there is a room. */
  private admit(op: AdmitOp, now: number): Outcome {
    const { room, target, role } = op
    if (room.startsWith('~') || this.log(room).length === 0) return { outcome: 'failed', code: 'FORBIDDEN' }
    const is = this.roleIn(room, target)
    return is ? { outcome: 'joined', role: is as 'owner' } : this.enter(op, role, now, target)
  }

  private invite(op: InviteOp, now: number): Outcome {
    const { room, user, target, role } = op
    const own = this.roleIn(room, user)
    const isMine = own === 'owner' && role !== 'owner'
    const isOrdinary = role === 'member' && (own === 'moderator' || this.visibility(room) === 'public')
    if (own === undefined || room.startsWith('~') || !(isMine || isOrdinary))
      return { outcome: 'failed', code: 'FORBIDDEN' }
    const isInvited = this.invited.some(
      (one) => one.room === room && one.user === target && one.role === role,
    )
    if (this.isMember(room, target) || isInvited) return { outcome: 'invited' }
    this.uninvite(room, target)
    this.invited.push({ room, user: target, role })
    this.append(op, 'member_invited', { userId: target, role }, '', now)
    this.notify(op, target, 'invitation', { room, role }, now)
    return { outcome: 'invited' }
  }

  private remove(op: RemoveOp, now: number): Outcome {
    const { room, user, target } = op
    const own = this.roleIn(room, user)
    const invitation = this.invited.find((one) => one.room === room && one.user === target)
    const other = this.roleIn(room, target) ?? invitation?.role
    const isRoom = this.log(room).length > 0
    const isAbove =
      (user === 'system' && isRoom) ||
      own === 'owner' ||
      (own === 'moderator' && other !== 'owner' && other !== 'moderator')
    if (!isAbove || user === target || room.startsWith('~')) return { outcome: 'failed', code: 'FORBIDDEN' }
    if (other) this.putOut(op, target, 'removed', now)
    return { outcome: 'removed' }
  }

  private leave(op: LeaveOp, now: number): Outcome {
    if (!this.isMember(op.room, op.user)) return { outcome: 'left' }
    if (op.room.startsWith('~')) return { outcome: 'failed', code: 'FORBIDDEN' }
    this.putOut(op, op.user, 'left', now)
    return { outcome: 'left' }
  }

  private putOut(op: LeaveOp | RemoveOp, target: string, reason: string, now: number): void {
    this.append(op, 'member_left', { userId: target, reason }, '', now)
    const index = this.members.findIndex(({ room, user }) => room === op.room && user === target)
    if (index >= 0) this.members.splice(index, 1)
    this.uninvite(op.room, target)
    this.notify(op, target, 'removal', { room: op.room, reason }, now)
  }

  private uninvite(room: string, user: string): void {
    const index = this.invited.findIndex((one) => one.room === room && one.user === user)
    if (index >= 0) this.invited.splice(index, 1)
  }

  private notify(op: StoreOp, target: string, type: string, payload: unknown, now: number): void {
    const id = 'noticeId' in op ? String(op.noticeId) : ''
    const messageId = target === op.user ? id : `${id}-to`
    this.append({ user: op.user, room: `~${target}`, messageId }, type, payload, '', now)
  }

  private markRead(op: MarkReadOp, now: number): Outcome {
    const head = this.log(op.room).length
    if (!this.mayRead(op.room, op.user) || head === 0) return { outcome: 'failed', code: 'FORBIDDEN' }
    const old = this.read(op.room, op.user)
    const seq = Math.min(op.seq, head)
    if ((old?.seq ?? 0) < seq) this.reads.push({ room: op.room, user: op.user, seq, at: now })
    const { seq: read, at } = this.read(op.room, op.user) ?? { seq, at: now }
    return { outcome: 'read', seq: read, timestamp: at, head, unread: this.unread(op.room, op.user) }
  }

  private append(
    { user, room, messageId }: { readonly user: string; readonly room: string; readonly messageId: string },
    type: string,
    payload: unknown,
    digest: string,
    timestamp: number,
  ): number {
    const seq = this.log(room).length + 1
    this.lines.push({ room, seq, sender: user, messageId, type, payload, digest, timestamp })
    return seq
  }
}
