/**
 * Deliberate weakenings of the product that a campaign on real processes must notice, beside those of the simulation:
 * what is seen through sockets, files and SQLite. Each edit is a text that takes the place of another in one source
 * file; the sources carry no switches. A text that is not there exactly once makes its mutant stale.
 */
export interface Mutant {
  readonly name: string
  /** What is done instead of the right thing. */
  readonly about: string
  readonly edits: readonly Edit[]
}

export interface Edit {
  readonly file: string
  readonly from: string
  readonly to: string
}

/** The source with the weakening in it. */
export function weaken({ file, from, to }: Edit, source: string): string {
  const parts = source.split(from)
  if (parts.length !== 2) throw new Error(`stale: the text is ${parts.length - 1} times in ${file}`)
  return parts.join(to)
}

const LANE = 'packages/protocol/src/lane.ts'
const LOG = 'packages/protocol/src/log.ts'
const ROOMS = 'packages/client/src/core/rooms.ts'
const OUTBOX = 'packages/client/src/core/outbox.ts'
const KEEPER = 'packages/client/src/core/durable-keeper.ts'
const OUTBOX_FILE = 'packages/client/src/node/file.ts'
const FAN_OUT = 'packages/server/src/core/rooms.ts'
const SQLITE = 'packages/server/src/stores/sqlite.ts'
const SCHEMA = 'packages/server/src/stores/sqlite-file.ts'

/** What is in flight when the connection goes gets this outcome, and is sent no more. */
function settledByTheLoss(outcome: string): Edit {
  return {
    file: OUTBOX,
    from: `      for (const queue of queues.all.values()) queues.goBack(queue, 0)
`,
    to: `      for (const queue of queues.all.values()) {
        const flying = queue.rows.slice(0, queue.inFlight)
        queues.goBack(queue, 0)
        for (const row of flying) settle({ queue, row, index: queue.rows.indexOf(row) }, ${outcome})
      }
`,
  }
}

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'runs-twice',
    about: 'the client applies every run of entries twice',
    edits: [
      {
        file: ROOMS,
        from: `    context.emit({ type: 'entries', room: room.id, entries: rule.skip === 0 ? run : run.slice(rule.skip) })
`,
        to: `    const entries = run.slice(rule.skip)
    context.emit({ type: 'entries', room: room.id, entries })
    context.emit({ type: 'entries', room: room.id, entries })
`,
      },
    ],
  },
  {
    name: 'old-runs',
    about: 'the client applies again what it has, where a run overlaps or comes late',
    edits: [
      {
        file: LOG,
        from: `  if (last <= cursor) return DROP
  return { do: 'apply', skip: cursor + 1 - first }`,
        to: `  return { do: 'apply', skip: 0 }`,
      },
    ],
  },
  {
    name: 'holes',
    about: 'the client goes over a hole as if nothing were in it',
    edits: [
      {
        file: LOG,
        from: '  if (first > cursor + 1) return HOLE\n',
        to: `  if (first > cursor + 1) return { do: 'apply', skip: 0 }\n`,
      },
    ],
  },
  {
    name: 'resume-at-the-head',
    about: 'after a reconnect the client follows from the head on, and tells nobody',
    edits: [
      {
        file: ROOMS,
        from: 'cursor ? { room: id, after: cursor } : { room: id, limit: 0 },',
        to: '({ room: id, limit: 0, ...(cursor && {}) }),',
      },
      {
        file: ROOMS,
        from: `      context.emit({
        type: 'gap',`,
        to: `      if (gap) context.emit({
        type: 'gap',`,
      },
    ],
  },
  {
    name: 'ack-before-commit',
    about: 'the server acknowledges up to 30 ms before it commits',
    edits: [
      {
        file: SQLITE,
        from: '      this.#commit.run()\n      this.#rows.remember(batch)\n',
        to: `      setTimeout(() => {
        if (this.#db.open && this.#db.inTransaction) this.#commit.run()
      }, 30)
      this.#rows.remember(batch)
`,
      },
      {
        file: SQLITE,
        from: '    if (this.#db.inTransaction) this.#rollback.run()',
        to: '    if (this.#db.inTransaction) this.#commit.run()',
      },
    ],
  },
  {
    name: 'no-dedupe',
    about: 'the server takes every command as a new one',
    edits: [
      { file: LANE, from: '  if (command.n <= lastN) return recall(existing, command)\n', to: '' },
      {
        file: LANE,
        from: `  if (existing) return isSame(existing, command) ? acknowledge(existing, true) : fail('ID_CONFLICT', true)
`,
        to: '',
      },
      {
        file: SCHEMA,
        from: `    primary key (room, seq),
    unique (message_id, sender)`,
        to: '    primary key (room, seq)',
      },
    ],
  },
  {
    name: 'no-gap',
    about: 'the server takes a command although one before it is undecided',
    edits: [{ file: LANE, from: `  if (command.n > lastN + 1) return { decision: 'gap' }\n`, to: '' }],
  },
  {
    name: 'loss-acknowledges',
    about: 'the client takes for acknowledged what was in flight when the connection went',
    edits: [settledByTheLoss(`{ status: 'acknowledged', seq: 1, timestamp: 0 }`)],
  },
  {
    name: 'loss-fails',
    about: 'the client reports as failed what was in flight when the connection went',
    edits: [settledByTheLoss(`{ status: 'failed', code: 'TIMEOUT' }`)],
  },
  {
    name: 'removed-and-there',
    about: 'who was removed from a room goes on receiving it',
    edits: [{ file: FAN_OUT, from: '    evict(room, departure.userId, departure.reason)\n', to: '' }],
  },
  {
    name: 'queued-before-written',
    about: 'an outbox in a file says queued 200 ms before it writes',
    edits: [
      {
        file: OUTBOX_FILE,
        from: `      await append(['add', rows], true)\n`,
        to: `      setTimeout(() => void append(['add', rows], true), 200)\n`,
      },
    ],
  },
  {
    name: 'forgotten-when-sent',
    about: 'an outbox in a file lets every other message go before it is decided',
    edits: [
      {
        file: KEEPER,
        from: `    queues.enqueue(row)
    const outcome = early.get(messageId)`,
        to: `    queues.enqueue(row)
    if (row.n % 2 === 0) removals.push(messageId)
    const outcome = early.get(messageId)`,
      },
    ],
  },
  {
    name: 'other-ids',
    about: 'an outbox in a file gives its messages other ids after a crash',
    edits: [
      {
        file: OUTBOX_FILE,
        from: '      table.add(rows)\n',
        to: `      table.add(rows.map((row) => ({ ...row, messageId: row.messageId.slice(0, 20) + 'X' })))\n`,
      },
    ],
  },
]
