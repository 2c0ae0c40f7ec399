// The store as one would write it down without a database, caches or batches: lists that are searched from the start.
// It is what the model test holds the real ones to, so nothing of theirs is used here, not even the decision of a lane.

import { nextFingerprint } from '@tautline/protocol'
import type {
  CommandOp,
  JoinOp,
  LeaveOp,
  MarkReadOp,
  Outcome,
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

export class NaiveStore {
  readonly lines: Line[] = []
  /** One item for each command that was decided: "user sid room". */
  readonly decided: string[] = []
  readonly members: {
    readonly room: string
    readonly user: string
    readonly role: string
    readonly at: number
  }[] = []
  readonly reads: {
    readonly room: string
    readonly user: string
    readonly seq: number
    readonly at: number
  }[] = []

  run(op: StoreOp, now: number): Outcome {
    if (op.op === 'command') return this.command(op, now)
    if (op.op === 'join') return this.join(op, now)
    if (op.op === 'leave') return this.leave(op, now)
    return this.markRead(op, now)
  }

  log(room: string): Line[] {
    return this.lines.filter((line) => line.room === room)
  }

  h(room: string): string {
    return this.log(room).reduce((h, line) => nextFingerprint(h, line.sender, line.messageId), '')
  }

  lastN(user: string, sid: string, room: string): number {
    return this.decided.filter((lane) => lane === `${user} ${sid} ${room}`).length
  }

  isMember(room: string, user: string): boolean {
    return this.members.some((member) => member.room === room && member.user === user)
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
    if (!this.isMember(op.room, op.user)) return { outcome: 'failed', code: 'FORBIDDEN' }
    const seq = this.append(op, op.entry?.type ?? '', op.entry?.payload, op.digest, now)
    return { outcome: 'acknowledged', seq, timestamp: now, appended: true }
  }

  private join(op: JoinOp, now: number): Outcome {
    if (op.room.includes('~')) return { outcome: 'failed', code: 'FORBIDDEN' }
    const member = this.members.find(({ room, user }) => room === op.room && user === op.user)
    if (member) return { outcome: 'joined', role: member.role === 'owner' ? 'owner' : 'member' }
    const isNew = this.log(op.room).length === 0
    if (isNew && !op.create) return { outcome: 'failed', code: 'FORBIDDEN' }
    const role = isNew ? 'owner' : 'member'
    this.append(op, 'member_joined', { userId: op.user, role }, '', now)
    this.members.push({ room: op.room, user: op.user, role, at: now })
    return { outcome: 'joined', role }
  }

  private leave(op: LeaveOp, now: number): Outcome {
    const index = this.members.findIndex(({ room, user }) => room === op.room && user === op.user)
    if (index < 0) return { outcome: 'left' }
    this.append(op, 'member_left', { userId: op.user, reason: op.reason }, '', now)
    this.members.splice(index, 1)
    return { outcome: 'left' }
  }

  private markRead(op: MarkReadOp, now: number): Outcome {
    if (!this.isMember(op.room, op.user)) return { outcome: 'failed', code: 'FORBIDDEN' }
    const old = this.read(op.room, op.user)
    const seq = Math.min(op.seq, this.log(op.room).length)
    if (old && old.seq >= seq) return { outcome: 'read', seq: old.seq, timestamp: old.at }
    this.reads.push({ room: op.room, user: op.user, seq, at: now })
    return { outcome: 'read', seq, timestamp: now }
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
