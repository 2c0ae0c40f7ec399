// The store as one would write it down without a database, caches or batches: lists that are searched from the start.
// It is what the model test holds the real ones to, so nothing of theirs is used here, not even the decision of a lane.

import { nextFingerprint } from '@tautline/protocol'
import type {
  AcceptOp,
  AdmitOp,
  BanOp,
  CommandOp,
  CreateOp,
  DeleteOp,
  InviteOp,
  JoinOp,
  LeaveOp,
  MarkDeliveredOp,
  MarkNoticesOp,
  MarkReadOp,
  MuteOp,
  NotifyOp,
  Outcome,
  RemoveOp,
  SetNoticesOp,
  SetRoleOp,
  StoreOp,
  UpdateOp,
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
  /** The first that they may read. */
  readonly from: number
}

export class NaiveStore {
  readonly lines: Line[] = []
  /** One item for each command that was decided: "user sid room". */
  readonly decided: string[] = []
  readonly members: Member[] = []
  readonly invited: { readonly room: string; readonly user: string; readonly role: string }[] = []
  /** Rooms that were made by name. */
  readonly made: { readonly room: string; readonly visibility: string; readonly about: string }[] = []
  /** Where public rooms begin that were private. */
  readonly opened = new Map<string, number>()
  /** Who deleted it, by room. */
  readonly deleted = new Map<string, string>()
  /** The deleted rooms of earlier batches. */
  readonly forgotten = new Set<string>()
  /** "room user". */
  readonly banned = new Set<string>()
  /** Until when, by "room user". */
  readonly muted = new Map<string, number>()
  readonly deliveries: {
    readonly room: string
    readonly user: string
    readonly seq: number
    readonly at: number
  }[] = []
  readonly reads: {
    readonly room: string
    readonly user: string
    readonly seq: number
    readonly at: number
  }[] = []

  /** "user position": notifications that were read, and cleared. */
  readonly noticed = new Set<string>()
  readonly cleared = new Set<string>()
  /** By "room user". */
  readonly settings = new Map<
    string,
    { readonly level: 'all' | 'mentions' | 'none'; readonly silencedUntil: number }
  >()

  run(op: StoreOp, now: number): Outcome {
    if (op.op === 'command') return this.command(op, now)
    if (op.op === 'create') return this.create(op, now)
    if (op.op === 'join') return this.join(op, now)
    if (op.op === 'accept') return this.accept(op, now)
    if (op.op === 'admit') return this.admit(op, now)
    if (op.op === 'invite') return this.invite(op, now)
    if (op.op === 'remove') return this.remove(op, now)
    if (op.op === 'leave') return this.leave(op, now)
    if (op.op === 'update') return this.update(op, now)
    if (op.op === 'delete') return this.delete(op, now)
    if (op.op === 'set_role') return this.setRole(op, now)
    if (op.op === 'ban') return this.ban(op, now)
    if (op.op === 'mute') return this.mute(op, now)
    if (op.op === 'mark_delivered') return this.markDelivered(op, now)
    if (op.op === 'follow_thread') throw new Error('no threads here')
    if (op.op === 'mark_notices') return this.markNotices(op)
    if (op.op === 'set_notices') return this.setNotices(op, now)
    if (op.op === 'notify') return this.tell(op, now)
    return this.markRead(op, now)
  }

  /** What was said in a deleted room is forgotten. */
  endBatch(): void {
    for (const room of this.deleted.keys()) this.forgotten.add(room)
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
    const old = this.lines.find(
      (line) => line.sender === op.user && line.messageId === op.messageId && !this.forgotten.has(line.room),
    )
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
    if ((this.muted.get(`${op.room} ${op.user}`) ?? 0) > now) return { outcome: 'failed', code: 'MUTED' }
    const isFirst = this.log(op.room).length === 0
    const seq = this.append(op, op.entry?.type ?? '', op.entry?.payload, op.digest, now)
    this.reads.push({ room: op.room, user: op.user, seq, at: now })
    if (visibility === 'direct' && isFirst) {
      const [, a = '', b = ''] = op.room.split('~')
      for (const user of [a, b]) {
        this.members.push({ room: op.room, user, role: 'member', at: now, since: 0, from: 1 })
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
      this.members.push({ room, user, role: 'owner', at: now, since: 1, from: 1 })
      this.notify(op, user, 'admission', { room, role: 'owner' }, now)
      this.made.push({ room, visibility, about })
    } else if (
      this.roleIn(room, user) !== 'owner' ||
      this.visibility(room) !== visibility ||
      this.aboutOf(room) !== about
    ) {
      return { outcome: 'failed', code: 'FORBIDDEN' }
    }
    return { outcome: 'created', is: this.describe(room, user) }
  }

  private describe(room: string, user: string): Extract<Outcome, { outcome: 'created' }>['is'] {
    const memberCount = this.members.filter((member) => member.room === room).length
    const read = this.read(room, user)?.seq ?? 0
    const mutedUntil = this.muted.get(`${room} ${user}`)
    const role = this.roleIn(room, user) as 'owner'
    const notifications = this.settings.get(`${room} ${user}`)
    const isSet = notifications && (notifications.level !== 'mentions' || notifications.silencedUntil > 0)
    const own = { role, read, unread: this.unread(room, user), mutedUntil }
    const member = isSet ? { ...own, notifications } : own
    const head = this.log(room).length
    const visibility = this.visibility(room) as 'public'
    return { room, visibility, about: this.aboutOf(room), memberCount, head, member }
  }

  private aboutOf(room: string): string {
    return this.made.find((made) => made.room === room)?.about ?? '{}'
  }

  private update(op: UpdateOp, now: number): Outcome {
    const { room, user } = op
    if (this.roleIn(room, user) !== 'owner') return { outcome: 'failed', code: 'FORBIDDEN' }
    const was = { room, visibility: this.visibility(room), about: this.aboutOf(room) }
    const name = (JSON.parse(op.about) as { name?: string }).name
    const about = name === undefined ? was.about : JSON.stringify({ name: name || undefined })
    const visibility = op.visibility ?? was.visibility
    if (visibility !== was.visibility || about !== was.about) {
      const payload = { ...(op.visibility && { visibility }), ...(name !== undefined && { name }) }
      const seq = this.append(op, 'room_updated', payload, '', now)
      if (visibility === 'public' && was.visibility === 'private') this.opened.set(room, seq)
      const index = this.made.findIndex((made) => made.room === room)
      if (index >= 0) this.made.splice(index, 1)
      this.made.push({ room, visibility, about })
    }
    return { outcome: 'updated', is: this.describe(room, user) }
  }

  private delete(op: DeleteOp, now: number): Outcome {
    const { room, user } = op
    if (this.deleted.get(room) === user) return { outcome: 'deleted' }
    if (this.roleIn(room, user) !== 'owner') return { outcome: 'failed', code: 'FORBIDDEN' }
    this.append(op, 'room_deleted', {}, '', now)
    const members = this.members.filter((member) => member.room === room)
    members.forEach((member, i) => {
      const by = { user, noticeId: `${op.noticeId}-${i + 1}` }
      this.notify(by, member.user, 'removal', { room, reason: 'deleted' }, now)
      this.members.splice(this.members.indexOf(member), 1)
    })
    for (const list of [this.invited, this.reads, this.deliveries] as { room: string }[][])
      for (let i = list.length - 1; i >= 0; i--) if (list[i]?.room === room) list.splice(i, 1)
    for (const key of this.banned) if (key.startsWith(`${room} `)) this.banned.delete(key)
    for (const key of this.muted.keys()) if (key.startsWith(`${room} `)) this.muted.delete(key)
    this.deleted.set(room, user)
    return { outcome: 'deleted' }
  }

  private setRole(op: SetRoleOp, now: number): Outcome {
    const { room, user, target, role } = op
    const old = this.roleIn(room, target)
    const isLast =
      old === 'owner' && this.members.filter((one) => one.room === room && one.role === 'owner').length === 1
    if (this.roleIn(room, user) !== 'owner' || !old || room.startsWith('~') || (isLast && role !== 'owner'))
      return { outcome: 'failed', code: 'FORBIDDEN' }
    if (old !== role) this.appoint(op, op.noticeId, target, role, now)
    return { outcome: 'done' }
  }

  private appoint(
    op: { readonly user: string; readonly room: string; readonly messageId: string },
    noticeId: string,
    target: string,
    role: string,
    now: number,
  ): void {
    const index = this.members.findIndex((one) => one.room === op.room && one.user === target)
    const member = this.members[index]
    if (member) this.members.splice(index, 1, { ...member, role })
    this.append(op, 'role_changed', { userId: target, role }, '', now)
    this.notify({ user: op.user, noticeId }, target, 'appointment', { room: op.room, role }, now)
  }

  private ban(op: BanOp, now: number): Outcome {
    const { room, user, target, lift } = op
    if (!this.isAbove(room, user, target)) return { outcome: 'failed', code: 'FORBIDDEN' }
    const key = `${room} ${target}`
    if (this.banned.has(key) === !lift) return { outcome: 'done' }
    if (lift) {
      this.banned.delete(key)
      this.append(op, 'member_unbanned', { userId: target }, '', now)
    } else {
      this.banned.add(key)
      this.putOut(op, target, 'banned', now)
    }
    return { outcome: 'done' }
  }

  private mute(op: MuteOp, now: number): Outcome {
    const { room, user, target, durationMs } = op
    if (!this.isMember(room, target) || !this.isAbove(room, user, target))
      return { outcome: 'failed', code: 'FORBIDDEN' }
    const key = `${room} ${target}`
    if (durationMs > 0) {
      this.muted.set(key, now + durationMs)
      this.append(op, 'member_muted', { userId: target, until: now + durationMs }, '', now)
    } else if ((this.muted.get(key) ?? 0) > now) {
      this.muted.delete(key)
      this.append(op, 'member_unmuted', { userId: target }, '', now)
    }
    return { outcome: 'done' }
  }

  /** Owners are above all others, moderators above ordinary members and those who are none. */
  private isAbove(room: string, user: string, target: string): boolean {
    const own = this.roleIn(room, user)
    const invitation = this.invited.find((one) => one.room === room && one.user === target)
    const other = this.roleIn(room, target) ?? invitation?.role
    if (user === target || room.startsWith('~')) return false
    if (user === 'system') return this.log(room).length > 0 && !this.deleted.has(room)
    return own === 'owner' || (own === 'moderator' && other !== 'owner' && other !== 'moderator')
  }

  private join(op: JoinOp, now: number): Outcome {
    if (op.room.includes('~')) return { outcome: 'failed', code: 'FORBIDDEN' }
    const role = this.roleIn(op.room, op.user)
    if (role) return { outcome: 'joined', role: role as 'owner' }
    const isNew = this.log(op.room).length === 0
    if (isNew ? !op.create : this.visibility(op.room) === 'private' || this.deleted.has(op.room))
      return { outcome: 'failed', code: 'FORBIDDEN' }
    if (this.banned.has(`${op.room} ${op.user}`)) return { outcome: 'failed', code: 'FORBIDDEN' }
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
    const from = this.visibility(room) === 'private' ? since : (this.opened.get(room) ?? 1)
    this.members.push({ room, user, role, at: now, since, from })
    this.uninvite(room, user)
    this.notify(op, user, 'admission', { room, role }, now)
    return { outcome: 'joined', role: role as 'owner' }
  }

  /** By the system alone, which may do so wherever there is a room. */
  private admit(op: AdmitOp, now: number): Outcome {
    const { room, target, role } = op
    if (room.startsWith('~') || this.log(room).length === 0 || this.deleted.has(room))
      return { outcome: 'failed', code: 'FORBIDDEN' }
    const is = this.roleIn(room, target)
    this.banned.delete(`${room} ${target}`)
    return is ? { outcome: 'joined', role: is as 'owner' } : this.enter(op, role, now, target)
  }

  private invite(op: InviteOp, now: number): Outcome {
    const { room, user, target, role } = op
    const own = this.roleIn(room, user)
    const isMine = own === 'owner' && role !== 'owner'
    const isOrdinary = role === 'member' && (own === 'moderator' || this.visibility(room) === 'public')
    const isBanned = this.banned.has(`${room} ${target}`)
    if (own === undefined || room.startsWith('~') || !(isMine || isOrdinary) || isBanned)
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
    if (!this.isAbove(room, user, target)) return { outcome: 'failed', code: 'FORBIDDEN' }
    const isInvited = this.invited.some((one) => one.room === room && one.user === target)
    if (this.isMember(room, target) || isInvited) this.putOut(op, target, 'removed', now)
    return { outcome: 'removed' }
  }

  private leave(op: LeaveOp, now: number): Outcome {
    if (!this.isMember(op.room, op.user)) return { outcome: 'left' }
    if (op.room.startsWith('~')) return { outcome: 'failed', code: 'FORBIDDEN' }
    this.putOut(op, op.user, 'left', now)
    return { outcome: 'left' }
  }

  private putOut(op: LeaveOp | RemoveOp | BanOp, target: string, reason: string, now: number): void {
    this.append(op, 'member_left', { userId: target, reason }, '', now)
    const index = this.members.findIndex(({ room, user }) => room === op.room && user === target)
    const [gone] = index >= 0 ? this.members.splice(index, 1) : []
    this.settings.delete(`${op.room} ${target}`)
    const isInvited = this.invited.some((one) => one.room === op.room && one.user === target)
    this.uninvite(op.room, target)
    if (gone?.role === 'owner') this.succeed(op, now)
    if (gone || isInvited) this.notify(op, target, 'removal', { room: op.room, reason }, now)
  }

  private succeed(op: LeaveOp | RemoveOp | BanOp, now: number): void {
    const left = this.members.filter(({ room }) => room === op.room).sort((a, b) => a.since - b.since)
    if (left.some(({ role }) => role === 'owner')) return
    const heir = left.find(({ role }) => role === 'moderator') ?? left[0]
    const by = { user: op.user, room: op.room, messageId: `${op.messageId}-2` }
    if (heir) this.appoint(by, `${op.noticeId}-2`, heir.user, 'owner', now)
  }

  private uninvite(room: string, user: string): void {
    const index = this.invited.findIndex((one) => one.room === room && one.user === user)
    if (index >= 0) this.invited.splice(index, 1)
  }

  private notify(
    op: { readonly user: string; readonly noticeId?: string | undefined },
    target: string,
    type: string,
    payload: unknown,
    now: number,
  ): void {
    const id = String(op.noticeId)
    const messageId = target === op.user ? id : `${id}-to`
    this.append({ user: op.user, room: `~${target}`, messageId }, type, payload, '', now)
  }

  private markDelivered({ room, user, seq }: MarkDeliveredOp, now: number): Outcome {
    const head = this.log(room).length
    if (!this.mayRead(room, user) || head === 0) return { outcome: 'failed', code: 'FORBIDDEN' }
    const known = [this.read(room, user), this.delivery(room, user)].filter((one) => one !== undefined)
    const old = known.sort((a, b) => b.seq - a.seq)[0]
    const next = Math.min(seq, head)
    if (old && next <= old.seq) return { outcome: 'delivered', seq: old.seq, timestamp: old.at, moved: false }
    this.deliveries.push({ room, user, seq: next, at: now })
    return { outcome: 'delivered', seq: next, timestamp: now, moved: true }
  }

  /** Positions of those that are not cleared, with whether they are read. */
  notices(user: string): { readonly seq: number; readonly isRead: boolean }[] {
    return this.log(`~${user}`)
      .filter(({ seq, sender }) => sender !== user && !this.cleared.has(`${user} ${seq}`))
      .map(({ seq }) => ({ seq, isRead: this.noticed.has(`${user} ${seq}`) }))
  }

  private markNotices({ user, change, seqs, upTo }: MarkNoticesOp): Outcome {
    const marks = change === 'read' ? this.noticed : this.cleared
    const meant = this.notices(user).filter(({ seq, isRead }) => {
      const isNamed = seqs ? seqs.includes(seq) : seq <= (upTo ?? 0)
      return isNamed && !(isRead && change === 'read')
    })
    for (const { seq } of meant) marks.add(`${user} ${seq}`)
    const moved = meant.length > 0 || (change === 'cleared' && upTo !== undefined)
    const unread = this.notices(user).filter(({ isRead }) => !isRead).length
    return { outcome: 'noticed', unread, head: this.log(`~${user}`).length, moved }
  }

  /** As it was set, whether it still means anything or not. */
  setting(room: string, user: string) {
    const level = this.visibility(room) === 'direct' ? 'all' : 'mentions'
    return this.settings.get(`${room} ${user}`) ?? { level, silencedUntil: 0 }
  }

  private setNotices({ user, room, level, silenceMs }: SetNoticesOp, now: number): Outcome {
    const isThere = this.log(room).length > 0 && this.visibility(room) !== 'own'
    if (!isThere || !this.mayRead(room, user)) return { outcome: 'failed', code: 'FORBIDDEN' }
    const old = this.setting(room, user)
    const until = silenceMs === undefined ? old.silencedUntil : silenceMs === 0 ? 0 : now + silenceMs
    const is = { level: level ?? old.level, silencedUntil: until > now ? until : 0 }
    const moved = is.level !== old.level || is.silencedUntil !== old.silencedUntil
    this.settings.set(`${room} ${user}`, is)
    return { outcome: 'notices_set', ...is, moved }
  }

  private tell({ user, room, messageId, digest, type, payload }: NotifyOp, now: number): Outcome {
    const known = this.lines.find((line) => line.sender === user && line.messageId === messageId)
    if (known && (known.room !== room || known.digest !== digest))
      return { outcome: 'failed', code: 'ID_CONFLICT' }
    if (known) return { outcome: 'acknowledged', seq: known.seq, timestamp: known.timestamp, appended: false }
    const seq = this.append({ user, room, messageId }, type, payload, digest, now)
    return { outcome: 'acknowledged', seq, timestamp: now, appended: true }
  }

  /** The furthest that the user's devices told. */
  delivery(room: string, user: string): { readonly seq: number; readonly at: number } | undefined {
    return this.deliveries
      .filter((one) => one.room === room && one.user === user)
      .sort((a, b) => b.seq - a.seq)[0]
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
