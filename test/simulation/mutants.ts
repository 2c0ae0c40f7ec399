// Deliberate weakenings of the product, each a text that takes the place of another in one source file. A simulation
// that does not notice one of them proves nothing about the promise that it breaks.
//
// They are switched in from outside, while a module is loaded (hooks.ts): the sources carry no switches. A text that is
// not there exactly once makes its mutant stale, which is a failure as well.

import type { ProfileName } from './faults.ts'

export interface Mutant {
  readonly name: string
  /** What is done instead of the right thing. */
  readonly about: string
  readonly file: string
  readonly from: string
  readonly to: string
  /** The mix of faults that finds it. */
  readonly profile: ProfileName
  /** A seed that found it. */
  readonly seed: number
}

/** The source with the weakening in it. */
export function weaken({ name, file, from, to }: Mutant, source: string): string {
  const parts = source.split(from)
  if (parts.length !== 2)
    throw new Error(`the mutant ${name} is stale: its text is ${parts.length - 1} times in ${file}`)
  return parts.join(to)
}

const LANE = 'packages/protocol/src/lane.ts'
const LOG = 'packages/protocol/src/log.ts'
const CODES = 'packages/protocol/src/codes.ts'
const CLIENT_CORE = 'packages/client/src/core/core.ts'
const CONNECTION = 'packages/client/src/core/connection.ts'
const HEARTBEAT = 'packages/client/src/core/heartbeat.ts'
const OUTBOX = 'packages/client/src/core/outbox.ts'
const KEEPER = 'packages/client/src/core/durable-keeper.ts'
const QUEUES = 'packages/client/src/core/outbox-queues.ts'
const ROOMS = 'packages/client/src/core/rooms.ts'
const DRIVER = 'packages/client/src/driver.ts'
const CHANGES = 'packages/server/src/core/changes.ts'
const BATCH = 'packages/server/src/core/batch.ts'
const COMMIT = 'packages/server/src/core/commit.ts'
const NODE = 'packages/server/src/core/node.ts'
const SESSION = 'packages/server/src/core/session.ts'
const FAN_OUT = 'packages/server/src/core/rooms.ts'
const LOG_ROWS = 'packages/server/src/core/log-rows.ts'
const MEMBERSHIPS = 'packages/server/src/core/memberships.ts'
const RIGHTS = 'packages/server/src/core/rights.ts'
const TRANSACTION = 'packages/server/src/core/transaction.ts'
const REVIEWS = 'packages/server/src/core/reviews.ts'
const ROLES = 'packages/server/src/core/roles.ts'
const ROOM_CHANGES = 'packages/server/src/core/room-changes.ts'
const APPLICATION = 'packages/server/src/application.ts'
const READING = 'packages/server/src/stores/reading.ts'
const STORE_MODEL = 'test/simulation/store-model.ts'
const STORAGE = 'test/simulation/storage.ts'
const POPULATION = 'test/simulation/population.ts'

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'dedupe-without-lanes',
    about: 'the server knows a message by its id alone, and takes each as it comes',
    file: LANE,
    from: `  if (command.n <= lastN) return recall(existing, command)
  if (command.n > lastN + 1) return { decision: 'gap' }
`,
    to: '',
    profile: 'wires',
    seed: 41,
  },
  {
    name: 'dedupe-in-memory',
    about: 'the server forgets after three seconds what it has decided',
    file: TRANSACTION,
    from: `  const lastN = view.lastN(user, sid, room)
  const decision = decide(lastN ?? 0, view.entry(user, messageId), {`,
    to: `  const known = view.entry(user, messageId)
  const isForgotten = known !== undefined && unixMs - known.timestamp > 3_000
  const lastN = isForgotten ? n - 1 : view.lastN(user, sid, room)
  const decision = decide(lastN ?? 0, isForgotten ? undefined : known, {`,
    profile: 'wires',
    seed: 2,
  },
  {
    name: 'ack-before-commit',
    about: 'the server acknowledges what its disk does not have yet',
    file: STORE_MODEL,
    from: `          case 'crash_before_commit':
            asker.crash()
            return
`,
    to: `          case 'crash_before_commit': {
            const before = copyOf(tables)
            world.settleSoon()
            void store.commit(ops.map(poisoned), unixMs).then((result) => {
              done(result)
              putBack(tables, before)
              world.after(2, () => asker.crash())
            })
            return
          }
`,
    profile: 'commits',
    seed: 3,
  },
  {
    name: 'no-id-index',
    about: 'the lane says that a message was decided, and nobody knows how',
    file: TRANSACTION,
    from: 'decide(lastN ?? 0, view.entry(user, messageId), {',
    to: 'decide(lastN ?? 0, undefined, {',
    profile: 'wires',
    seed: 2,
  },
  {
    name: 'failure-not-recorded',
    about: 'a refusal for good does not use the place in the lane up',
    file: LANE,
    from: 'return fail(command.refusal, true)',
    to: 'return fail(command.refusal, false)',
    profile: 'strangers',
    seed: 19,
  },
  {
    name: 'persisted-counter',
    about: 'a page that is loaded anew goes on with the lane of the one before',
    file: POPULATION,
    from: '!device.host.isAlive()) open(device, dice.letters(16))',
    to: '!device.host.isAlive()) open(device, device.host.session.sid)',
    profile: 'reloads',
    seed: 1,
  },
  {
    name: 'no-gap-check',
    about: 'the server takes a message though one before it is missing',
    file: LANE,
    from: "  if (command.n > lastN + 1) return { decision: 'gap' }\n",
    to: '',
    profile: 'commits',
    seed: 11,
  },
  {
    name: 'no-receivers-dedupe',
    about: 'the client applies what it has applied already',
    file: LOG,
    from: `  if (last <= cursor) return DROP
  return { do: 'apply', skip: cursor + 1 - first }`,
    to: "  return { do: 'apply', skip: 0 }",
    profile: 'mix',
    seed: 4,
  },
  {
    name: 'no-poll',
    about: 'a client whose server hears of nothing does not ask by itself',
    file: CLIENT_CORE,
    from: 'checkAt = context.now + options.checkIntervalMs * (0.8 + 0.4 * context.random())',
    to: 'checkAt = Number.POSITIVE_INFINITY',
    profile: 'mix',
    seed: 8,
  },
  {
    name: 'holder-that-never-looks',
    about: 'who holds a store relies on being told what others wrote into it',
    file: KEEPER,
    from: "return isHolder && context.ready && status === 'durable' && !isClosing ? lookAt : NEVER",
    to: 'return context.now < 0 ? lookAt : NEVER',
    profile: 'deaf',
    seed: 43,
  },
  {
    name: 'no-relane',
    about: 'an outbox whose lane the server has forgotten waits for ever',
    file: OUTBOX,
    from: '    if (laneIsLost) relane(queue)\n',
    to: '',
    profile: 'restores',
    seed: 3,
  },
  {
    name: 'relane-on-every-gap',
    about: 'whatever the gap, all rows of the room get another lane',
    file: OUTBOX,
    from: '    if (laneIsLost) relane(queue)\n',
    to: '    relane(queue)\n',
    profile: 'drainers',
    seed: 1_069,
  },
  {
    name: 'page-for-a-subscription',
    about: 'a page of a mere read counts as following',
    file: ROOMS,
    from: '    if (!payload.live) return followAgain(room)\n',
    to: '',
    profile: 'members',
    seed: 3,
  },
  {
    name: 'failure-written-without-haste',
    about: 'that a message failed is written as what may be lost in a power cut',
    file: STORAGE,
    from: 'call(opener, `fails ${messageId} with ${code}`, true, () =>',
    to: 'call(opener, `fails ${messageId} with ${code}`, false, () =>',
    profile: 'storage',
    seed: 18,
  },
  {
    name: 'lane-changed-in-flight',
    about: 'the next lane is begun while the one before is undecided',
    file: OUTBOX,
    from: 'if (previous && (row.sid !== previous.sid || row.n !== previous.n + 1)) break',
    to: 'if (previous && row.sid === previous.sid && row.n !== previous.n + 1) break',
    profile: 'drainers',
    seed: 335,
  },
  {
    name: 'failure-told-before-written',
    about: 'that a message failed is told before it is written',
    file: KEEPER,
    from: `    failing.set(messageId, { row, outcome })
    const { code, detail, applicationCode } = outcome
    ask({ do: 'fail', messageId, code, detail, applicationCode }, ({ rows: [stands] = [] }) => {
      if (!failing.delete(messageId)) return
      failed.add(messageId)
      // Another tab may have written why before us: whoever looks later finds that.
      done(stands?.failed && { status: 'failed', ...stands.failed })
    })`,
    to: `    failed.add(messageId)
    done()
    const { code, detail, applicationCode } = outcome
    ask({ do: 'fail', messageId, code, detail, applicationCode }, () => {})`,
    profile: 'storage',
    seed: 80,
  },
  {
    name: 'queued-before-written',
    about: 'a message is told to be queued before the store has it',
    file: KEEPER,
    from: '      waiting.push(row)\n    },',
    to: "      waiting.push(row)\n      context.emit({ type: 'progress', messageId: row.messageId, status: 'queued' })\n    },",
    profile: 'storage',
    seed: 3,
  },
  {
    name: 'order-of-arrival',
    about: 'rows of another tab stay behind what was on its way when they were found',
    file: QUEUES,
    from: '      queue.inFlight = Math.min(queue.inFlight, index)\n      sort(queue)\n',
    to: '      queue.inFlight = Math.min(queue.inFlight, index)\n      sort.length\n',
    profile: 'tabs',
    seed: 88,
  },
  {
    name: 'connection-kept',
    about: 'a connection that is gone stays in the memory of its server',
    file: NODE,
    from: '    connections.delete(connection.id)\n',
    to: '',
    profile: 'mix',
    seed: 1,
  },
  {
    name: 'hole-in-the-order',
    about: 'now and then a position is left out',
    file: LOG_ROWS,
    from: 'const entry: Entry = { type, seq: lastSeq + 1,',
    to: 'const entry: Entry = { type, seq: lastSeq + (lastSeq === 7 ? 2 : 1),',
    profile: 'mix',
    seed: 1,
  },
  {
    name: 'no-fingerprint',
    about: 'nobody compares what a cursor says of the log before it',
    file: READING,
    from: 'if (after.h !== undefined && h !== undefined && h !== after.h)',
    to: 'if (after.h === undefined && h === undefined && h !== after.h)',
    profile: 'restores',
    seed: 6,
  },
  {
    name: 'fingerprint-of-the-last',
    about: 'a fingerprint speaks for the last entry alone',
    file: LOG,
    from: 'const text = `${h}\\n${sender}\\n${messageId}`',
    to: "const text = `${h === '' ? '' : ' '}${sender}\\n${messageId}`",
    profile: 'setbacks',
    seed: 6,
  },
  {
    name: 'backoff-reset-at-open',
    about: 'a transport that opens counts as a good connection',
    file: CONNECTION,
    from: "      move('opened')\n",
    to: "      losses = 0\n      move('opened')\n",
    profile: 'refusals',
    seed: 2,
  },
  {
    name: 'watchdog-without-probe',
    about: 'silence ends a connection without a question',
    file: HEARTBEAT,
    from: "      return probe(now) ? 'probe' : 'fine'\n",
    to: "      return 'dead'\n",
    profile: 'sleepers',
    seed: 1,
  },
  {
    name: 'late-close',
    about: 'the late close of an old socket tears down the new one',
    file: CLIENT_CORE,
    from: 'return connection.isCurrent(input.link) ? takeFromLink(input) : undefined',
    to: "return input.type === 'lost' || connection.isCurrent(input.link) ? takeFromLink(input) : undefined",
    profile: 'wires',
    seed: 2,
  },
  {
    name: 'flush-before-authentication',
    about: 'the outbox is sent as soon as there is a transport',
    file: OUTBOX,
    from: 'if (!context.ready || load.flying === load.rows) return\n      // Rooms in turn',
    to: 'if (load.flying === load.rows) return\n      // Rooms in turn',
    profile: 'mix',
    seed: 1,
  },
  {
    name: 'receipts-go-back',
    about: 'the last read position told is the one that counts',
    file: TRANSACTION,
    from: '  if (seq <= old.seq) return { outcome: readOutcome(room, member, old) }\n',
    to: '',
    profile: 'mix',
    seed: 53,
  },
  {
    name: 'deliveries-go-back',
    about: 'the last delivery told is the one that counts',
    file: TRANSACTION,
    from: "  if (is.seq <= old.seq) return { outcome: { outcome: 'delivered', ...old, moved: false } }\n",
    to: '',
    profile: 'mix',
    seed: 17,
  },
  {
    name: 'hook-not-asked',
    about: 'messages go past the hooks of the application',
    file: REVIEWS,
    from: "switch (op.op) {\n      case 'command': {\n",
    to: "switch (op.op) {\n      case 'command': {\n        if (op.entry?.type === 'new_message') return undefined\n",
    profile: 'hooks',
    seed: 1,
  },
  {
    name: 'hook-not-heeded',
    about: 'what a hook changes in a message is not stored',
    file: REVIEWS,
    from: 'return payload && said.entry ? { ...said, entry: { ...said.entry, payload } } : said',
    to: 'return payload ? said : { ...said }',
    profile: 'hooks',
    seed: 1,
  },
  {
    name: 'past-a-hook-by-a-stale-preview',
    about: 'what did not seem to be new is not asked about, and stored where it is',
    file: REVIEWS,
    from: '} else handOn(item, question ? unreviewed(item.op) : item.op)',
    to: '} else handOn(item, question ? unreviewed.call(undefined, item.op) && item.op : item.op)',
    profile: 'hooks',
    seed: 95,
  },
  {
    name: 'digest-of-the-edited-body',
    about: 'a message that was edited since is another one when it comes again',
    file: TRANSACTION,
    from: '  const { user, sid, room, n, messageId, digest } = op\n',
    to: `  const { user, sid, room, n, messageId } = op
  const isEdited = view.message(user, messageId)?.standing.editSeq !== undefined
  const digest = isEdited ? 'another' : op.digest
`,
    profile: 'hooks',
    seed: 1,
  },
  {
    name: 'lane-of-the-application-kept',
    about: 'the application goes on in a lane in which something was not decided',
    file: APPLICATION,
    from: '    if (lane && !CODES[code].final && lanes.get(lane.key) === lane.is) lanes.delete(lane.key)\n',
    to: '',
    profile: 'commits',
    seed: 5,
  },
  {
    name: 'mute-not-kept',
    about: 'who is muted writes all the same',
    file: RIGHTS,
    from: '(view.sanction(room, user)?.mutedUntil ?? 0) > unixMs',
    to: '(view.sanction(room, user)?.mutedUntil ?? 0) < -unixMs',
    profile: 'members',
    seed: 31,
  },
  {
    name: 'ban-not-kept',
    about: 'who is banned comes back',
    file: RIGHTS,
    from: 'return view.sanction(room, user)?.isBanned === true',
    to: 'return view.sanction(room, user)?.mutedUntil === -1',
    profile: 'members',
    seed: 2,
  },
  {
    name: 'role-not-kept',
    about: 'another role is in the log, and the member has what they had',
    file: ROLES,
    from: 'return { rows: [row, notice], change: { room, user: userId, is } }',
    to: 'return { rows: [row, notice], change: { room, user: userId, is: view.member(room, userId) } }',
    profile: 'members',
    seed: 4,
  },
  {
    name: 'anybody-puts-out',
    about: 'whoever belongs to a room may put others out, ban and mute them',
    file: RIGHTS,
    from: 'if (!may(view, user, id, right) || user === target) return false',
    to: "if (!may(view, user, id, 'write') || user === target) return false\n  if (right !== 'write') return true",
    profile: 'members',
    seed: 2,
  },
  {
    name: 'anybody-changes-a-room',
    about: 'whoever names a room changes it',
    file: ROOM_CHANGES,
    from: "if (!known || !may(view, user, id, 'update')) return refused('FORBIDDEN')",
    to: "if (!known) return refused('FORBIDDEN')",
    profile: 'members',
    seed: 2,
  },
  {
    name: 'invitation-kept',
    about: 'an invitation outlasts its use',
    file: MEMBERSHIPS,
    from: 'return view.invitation(room, user) && { room, user, is: undefined }',
    to: 'return view.invitation(room, user) && undefined',
    profile: 'members',
    seed: 4,
  },
  {
    name: 'logout-that-leaves-rows',
    about: 'who signs out and wants to keep nothing leaves what waits in the store',
    file: KEEPER,
    from: "    ask({ do: 'clear' }, () => {",
    to: "    ask({ do: 'list' }, () => {",
    profile: 'departures',
    seed: 277,
  },
  {
    name: 'token-refreshed-twice',
    about: 'a token is asked for while one is on its way',
    file: CONNECTION,
    from: '        renewAt = NEVER\n        askForToken()',
    to: '        renewAt = context.now + 1_000\n        askForToken()',
    profile: 'tokens',
    seed: 18,
  },
  {
    name: 'unavailable-is-poison',
    about: 'a store that is away for a minute condemns what it could not take',
    file: OUTBOX,
    from: "if (code === 'INTERNAL_ERROR' && isPoison(row))",
    to: 'if (isPoison(row))',
    profile: 'outages',
    seed: 3,
  },
  {
    name: 'revoked-and-still-there',
    about: 'a token that is revoked lets nobody in any more, and leaves those who are in',
    file: SESSION,
    from: "        if (connection.tokenId === tokenId) context.hangUp(connection, 'INVALID_TOKEN')",
    to: '        connection.tokenId satisfies string | undefined',
    profile: 'tokens',
    seed: 1,
  },
  {
    name: 'revoked-and-let-in',
    about: 'a token that is revoked ends its connections, and lets others in',
    file: SESSION,
    from: 'const isRevoked = tokenId !== undefined && revoked.has(tokenId)',
    to: 'const isRevoked = tokenId !== undefined && revoked.size < 0',
    profile: 'tokens',
    seed: 10,
  },
  {
    name: 'replaced-clients-fight',
    about: 'a client whose place another has taken takes it back',
    file: CODES,
    from: "REPLACED: closing(4410, 'stop'),",
    to: "REPLACED: closing(4410, 'retry'),",
    profile: 'rivals',
    seed: 1,
  },
  {
    name: 'replaced-by-a-ghost',
    about: 'what a client sent on a connection that it gave up since takes the place of the one that it has',
    file: SESSION,
    from: 'if (older && older.helloRef > connection.helloRef) {',
    to: 'if (older && older.helloRef < 0) {',
    profile: 'strangers',
    seed: 48,
  },
  {
    name: 'cancelled-without-asking',
    about: 'a message on its way is called off without a word to the server',
    file: OUTBOX,
    from: "      giveUp([place.row], 'CANCELLED')",
    to: "      settle(place, { status: 'failed', code: 'CANCELLED' })",
    profile: 'wires',
    seed: 14,
  },
  {
    name: 'never-sent-again',
    about: 'what was on the way when the connection broke is waited for',
    file: OUTBOX,
    from: 'for (const queue of queues.all.values()) queues.goBack(queue, 0)',
    to: 'queues.all.size',
    profile: 'wires',
    seed: 2,
  },
  {
    name: 'retry-at-once',
    about: 'a refusal that will pass is answered by the same again',
    file: OUTBOX,
    from: '    pause(queue, code, retryAfterMs)\n',
    to: '',
    profile: 'outages',
    seed: 1,
  },
  {
    name: 'unknown-is-final',
    about: 'a commit of unknown outcome is told as a failure for good',
    file: COMMIT,
    from: "tellFailures(batch, () => 'UNAVAILABLE')",
    to: "tellFailures(batch, () => 'FORBIDDEN')",
    profile: 'commits',
    seed: 1,
  },
  {
    name: 'read-without-rights',
    about: 'a room is read by whoever names it',
    file: RIGHTS,
    from: 'const member = membershipOf(view, id, user)\n  if (!member) return undefined\n',
    to: 'const member = membershipOf(view, id, user) ?? BORN_MEMBER\n',
    profile: 'members',
    seed: 1,
  },
  {
    name: 'write-without-rights',
    about: 'who is no member writes all the same',
    file: RIGHTS,
    from: "if (!member || visibility === 'own' || visibility === 'deleted') return false",
    to: "if (visibility === 'own' || visibility === 'deleted') return false\n  if (!member) return right === 'write'",
    profile: 'members',
    seed: 1,
  },
  {
    name: 'all-of-a-private-room',
    about: 'who comes into a private room reads what was said before',
    file: MEMBERSHIPS,
    from: "const fromSeq = known?.visibility === 'private' ? joinedSeq : (known?.openFrom ?? 1)",
    to: 'const fromSeq = 1',
    profile: 'members',
    seed: 10,
  },
  {
    name: 'put-out-and-still-told',
    about: 'who was put out of a room goes on hearing it',
    file: FAN_OUT,
    from: '    evict(room, departure.userId, departure.reason)\n',
    to: '    evict.length\n',
    profile: 'members',
    seed: 2,
  },
  {
    name: 'pushed-over-holes',
    about: 'a server pushes on, whatever was committed without its knowing',
    file: FAN_OUT,
    from: 'if (first.seq > subscription.sent + 1) {',
    to: 'if (first.seq < 0) {',
    profile: 'members',
    seed: 69,
  },
  {
    name: 'gap-untold',
    about: 'a page that begins later moves the cursor without a word',
    file: ROOMS,
    from: "      context.emit({\n        type: 'gap',",
    to: "      const silently = (effect: { readonly type: 'gap' } & object) => effect\n      silently({\n        type: 'gap',",
    profile: 'floods',
    seed: 5,
  },
  {
    name: 'no-window',
    about: 'a room sends as much as it has',
    file: OUTBOX,
    from: '      windowPerRoom - queues.flyingIn(queue.room),\n',
    to: '      windowPerRoom * 100 - queues.flyingIn(queue.room),\n',
    profile: 'limits',
    seed: 1,
  },
  {
    name: 'comes-back-too-early',
    about: 'the wait that the server asked for is not kept',
    file: CONNECTION,
    from: '      if (retryAfterMs !== undefined) stayAwayUntil = Math.max(stayAwayUntil, context.now + retryAfterMs)\n',
    to: '',
    profile: 'tokens',
    seed: 1,
  },
  {
    name: 'socket-left-open',
    about: 'a connection that is given up is not hung up',
    file: CONNECTION,
    from: "      context.emit({ type: 'hang_up', link, closeCode, reason: encodeCloseReason(code) })\n",
    to: '      encodeCloseReason(code, closeCode)\n',
    profile: 'refusals',
    seed: 3,
  },
  {
    name: 'timer-left-armed',
    about: 'a timer whose time has changed is armed a second time',
    file: DRIVER,
    from: '    disarm()\n    armedFor = deadline',
    to: '    armedFor = deadline',
    profile: 'mix',
    seed: 1,
  },
  {
    name: 'edit-not-kept',
    about: 'an edit is in the log, and the message stands as it was said',
    file: CHANGES,
    from: '{ ...is, editSeq: entry.seq }',
    to: '{ ...is }',
    profile: 'mix',
    seed: 4,
  },
  {
    name: 'reaction-counted-twice',
    about: 'a reaction that stands already is one more',
    file: CHANGES,
    from: 'view.reacted(about.room, about.seq, emoji, op.user) === isAdded',
    to: '!known && !isAdded',
    profile: 'mix',
    seed: 4,
  },
  {
    name: 'change-unseen-in-its-batch',
    about: 'what came of a message in this commit is not seen by what follows in it',
    file: BATCH,
    from: 'return message && standing ? { ...message, standing } : message',
    to: 'return message',
    profile: 'mix',
    seed: 4,
  },
]
