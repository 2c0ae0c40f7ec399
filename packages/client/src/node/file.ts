/**
 * A store of the outbox in a file: a journal to which each change is appended as one line of JSON, and which is written
 * anew when most of it is past. A strict write is done once the disk has it; what is asked for during one goes with the
 * next. A last line that a crash cut off was promised to nobody, and is cut away.
 */
import { createHash } from 'node:crypto'
import { type FileHandle, mkdir, open, readFile, rename, truncate, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type Code, isCode } from '@tautline/protocol/wire'
import type { LaneRow, StoredRow } from '../core/outbox-row.ts'
import { type DurableOutbox, durable } from '../durable.ts'
import type { OutboxScope, OutboxStore } from '../outbox-store.ts'
import { isLaneRow, isStoredRow } from '../stored-row.ts'
import { createOutboxTable, type OutboxTable } from '../stores/outbox-table.ts'
import { codeOf, lockFile } from './file-lock.ts'

/** A file in the midst of which something cannot be read. */
export interface Damage {
  /** Where the file is kept as it was found. */
  readonly keptAs: string
  /** Lines that cannot be read; all others count. */
  readonly lines: number
}

export interface FileOptions {
  /** Default: a warning of the process. */
  readonly onDamage?: ((damage: Damage) => void) | undefined
}

type Change =
  | readonly ['add', readonly LaneRow[]]
  | readonly ['skip', readonly string[], Code]
  | readonly ['fail', string, Code, (string | null)?, (string | null)?]
  | readonly ['renumber', string, string, string]
  | readonly ['remove', readonly string[]]
  | readonly ['clear']

/** The first line. */
interface Header {
  readonly format: 'tautline-outbox-1'
  readonly server: string
  readonly userId: string
  /** The order of the next row, and those that there are. */
  readonly next: number
  readonly rows: readonly StoredRow[]
}

/** A journal of so many bytes beyond twice what is still in it is written anew. */
const SLACK_BYTES = 1_048_576

/**
 * Keeps the outbox in files whose names begin with `path`: one for each server and user. One process at a time has a
 * file: the second one's `open` rejects, and its client goes on in memory and says so. For a disk of this machine.
 */
export function file(path: string, options: FileOptions = {}): DurableOutbox {
  return durable({
    async open(scope, events) {
      const { server, userId } = scope
      const name = createHash('sha256')
        .update(JSON.stringify([server, userId]))
        .digest('hex')
      const journal = `${path}-${name.slice(0, 16)}.jsonl`
      await mkdir(dirname(journal), { recursive: true })
      const lock = await lockFile(`${journal}.lock`)
      try {
        const store = await openJournal(journal, scope, options, () => lock.release())
        queueMicrotask(() => events.held(true))
        return store
      } catch (error) {
        await lock.release()
        throw error
      }
    },
  })
}

async function openJournal(
  path: string,
  scope: OutboxScope,
  { onDamage = warn }: FileOptions,
  release: () => Promise<void>,
): Promise<OutboxStore> {
  const { table, isWhole, damage } = await readJournal(path)
  if (damage) {
    await rename(path, damage.keptAs)
    onDamage(damage)
  }
  let size = 0
  let restSize = 0
  let handle: FileHandle | undefined
  if (!isWhole) await rewrite()
  handle ??= await open(path, 'a')
  size ||= (await handle.stat()).size

  /** What waits to be written, and whether somebody waits for the disk. */
  let lines: string[] = []
  let isStrict = false
  let writing: Promise<void> | undefined
  let next: Promise<void> | undefined
  let closing: Promise<void> | undefined
  /** Whether something stands in the file that is not to be found there any more. */
  let isStale = false

  /** A new file takes the place of the old at once, or not at all. */
  async function rewrite(): Promise<void> {
    const header: Header = {
      format: 'tautline-outbox-1',
      server: scope.server,
      userId: scope.userId,
      next: table.next(),
      rows: table.list(),
    }
    const text = `${JSON.stringify(header)}\n`
    const fresh = await open(`${path}.new`, 'w')
    try {
      await fresh.writeFile(text)
      await fresh.sync()
    } finally {
      await fresh.close()
    }
    await handle?.close()
    handle = undefined
    await rename(`${path}.new`, path)
    await syncFolder(dirname(path))
    handle = await open(path, 'a')
    size = restSize = Buffer.byteLength(text)
  }

  async function write(): Promise<void> {
    const text = lines.join('')
    const strict = isStrict
    lines = []
    isStrict = false
    await handle?.appendFile(text)
    if (strict) await handle?.datasync()
    size += Buffer.byteLength(text)
    if (!isStale && size <= 2 * restSize + SLACK_BYTES) return
    isStale = false
    await rewrite()
  }

  /** One write at a time; all that comes meanwhile is the next. */
  function append(change: Change, strict: boolean): Promise<void> {
    lines.push(`${JSON.stringify(change)}\n`)
    isStrict ||= strict
    if (!next) {
      const turn = (writing ?? Promise.resolve()).then(() => {
        next = undefined
        return write()
      })
      next = turn
      writing = turn
      // Each caller hears of it; and whoever comes after finds the same failure.
      turn.catch(() => {})
    }
    return next
  }

  async function close(): Promise<void> {
    try {
      await writing
    } finally {
      await handle?.close()
      await release()
    }
  }

  return {
    list: async () => table.list(),
    async add(rows) {
      const orders = table.add(rows)
      await append(['add', rows], true)
      return orders
    },
    skip(messageIds, code) {
      table.skip(messageIds, code)
      return append(['skip', messageIds, code], true)
    },
    async fail(messageId, code, detail, applicationCode) {
      const row = table.fail(messageId, code, detail, applicationCode)
      await append(['fail', messageId, code, detail ?? null, applicationCode ?? null], true)
      return row
    },
    async renumber(room, lost, sid) {
      const rows = table.renumber(room, lost, sid)
      await append(['renumber', room, lost, sid], true)
      return rows
    },
    remove(messageIds) {
      table.remove(messageIds)
      return append(['remove', messageIds], false)
    },
    clear() {
      table.clear()
      isStale = true
      return append(['clear'], true)
    },
    tell() {},
    steal() {},
    // A second call must not release the lock of who came next.
    close: () => (closing ??= close()),
  }
}

interface Journal {
  readonly table: OutboxTable
  /** It can be appended to as it is. */
  readonly isWhole: boolean
  readonly damage: Damage | undefined
}

async function readJournal(path: string): Promise<Journal> {
  // Left by a crash before it took its place: what it holds is in the old one.
  await unlink(`${path}.new`).catch(() => {})
  const bytes = await readWhole(path)
  const end = bytes.lastIndexOf('\n') + 1
  if (bytes.length > end && end > 0) await truncate(path, end)
  const [first, ...rest] = bytes.subarray(0, end).toString('utf8').split('\n').slice(0, -1)
  const { rows, next, unreadable: unreadableRows } = readHeader(first)
  const table = createOutboxTable(rows, next)
  let unreadable = unreadableRows
  for (const line of rest) if (!apply(table, line)) unreadable++
  const damage = unreadable === 0 ? undefined : { keptAs: `${path}.damaged-${Date.now()}`, lines: unreadable }
  return { table, isWhole: first !== undefined && !damage, damage }
}

async function readWhole(path: string): Promise<Buffer> {
  try {
    return await readFile(path)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return Buffer.alloc(0)
    throw error
  }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

/** Of a file that is not there yet, nothing; what is no row counts as a line that cannot be read. */
function readHeader(
  line: string | undefined,
): Pick<Header, 'next' | 'rows'> & { readonly unreadable: number } {
  if (line === undefined) return { rows: [], next: 1, unreadable: 0 }
  const header = parse(line) as Partial<Header> | null | undefined
  if (header?.format !== 'tautline-outbox-1' || !Array.isArray(header.rows))
    return { rows: [], next: 1, unreadable: 1 }
  const rows = header.rows.filter(isStoredRow)
  const above = rows.reduce((most, { order }) => Math.max(most, order), 0) + 1
  const next = Number.isSafeInteger(header.next) ? Math.max(above, header.next ?? 0) : above
  return { rows, next, unreadable: header.rows.length - rows.length }
}

const isText = (value: unknown): value is string => typeof value === 'string'
const areTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText)

/** False where it cannot be read. */
function apply(table: OutboxTable, line: string): boolean {
  const change = parse(line) as Change | null | undefined
  if (!Array.isArray(change)) return false
  switch (change[0]) {
    case 'add': {
      if (!Array.isArray(change[1])) return false
      const rows = change[1].filter(isLaneRow)
      table.add(rows)
      return rows.length === change[1].length
    }
    case 'skip':
      if (!areTexts(change[1]) || !isCode(change[2])) return false
      table.skip(change[1], change[2])
      return true
    case 'fail': {
      const [, messageId, code, detail, applicationCode] = change
      if (!isText(messageId) || !isCode(code)) return false
      table.fail(
        messageId,
        code,
        isText(detail) ? detail : undefined,
        isText(applicationCode) ? applicationCode : undefined,
      )
      return true
    }
    case 'renumber':
      if (!areTexts(change.slice(1))) return false
      table.renumber(change[1], change[2], change[3])
      return true
    case 'remove':
      if (!areTexts(change[1])) return false
      table.remove(change[1])
      return true
    case 'clear':
      table.clear()
      return true
    default:
      return false
  }
}

async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  } catch (error) {
    // Windows has no such thing, and keeps a rename without it.
    if (codeOf(error) !== 'EPERM' && codeOf(error) !== 'EISDIR') throw error
  }
}

function warn({ keptAs, lines }: Damage): void {
  process.emitWarning(`${lines} lines of the outbox cannot be read; the file is kept as ${keptAs}`)
}
