/**
 * One process at a time: a file beside the one that is locked says which process has it. A process that was killed leaves
 * its file behind; whoever comes next sees that nobody of that number, or another program, is there.
 */
import { open, readFile, stat, unlink, utimes } from 'node:fs/promises'
import { hostname } from 'node:os'
import { pid } from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'

export interface FileLock {
  release(): Promise<void>
}

interface Owner {
  readonly pid: number
  /** When it was started, as its system counts: numbers are given again. Empty where the system does not tell. */
  readonly started: string
  readonly host: string
}

/** Of a process on another machine (or in another container) nothing is known but that it touches its file so often. */
const TOUCH_MS = 10_000
const STALE_MS = 30_000
/** Who has made the file writes its name into it in this time, or was killed. */
const WRITING_MS = 1_000
const RETRY_MS = 50
/** A claim is held for a moment; one so old is of a process that was killed in that moment. */
const CLAIM_MS = 2_000

/** Rejects where another process has it. */
export async function lockFile(path: string): Promise<FileLock> {
  const own = JSON.stringify({ pid, started: await startOf(pid), host: hostname() } satisfies Owner)
  while (!(await create(path, own))) await removeStale(path)
  const touching = setInterval(() => {
    // Only others on other machines look at it.
    utimes(path, new Date(), new Date()).catch(() => {})
  }, TOUCH_MS)
  // A program may end although its outbox is open.
  touching.unref()
  return {
    async release() {
      clearInterval(touching)
      await unlink(path)
    },
  }
}

async function create(path: string, owner: string): Promise<boolean> {
  try {
    const handle = await open(path, 'wx')
    await handle.writeFile(owner)
    await handle.close()
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  }
}

async function removeStale(path: string): Promise<void> {
  const seen = await read(path)
  if (seen === undefined) return
  const owner = ownerOf(seen)
  if (!owner && (await ageOf(path)) < WRITING_MS) return sleep(RETRY_MS)
  if (owner && (await isAlive(path, owner)))
    throw new Error(`${path}: another process has the outbox: ${seen}`)
  // Of those who came to the same conclusion one removes it, or the next would remove what the first put in its place.
  const claim = `${path}.claim`
  if (!(await create(claim, ''))) {
    if ((await ageOf(claim)) > CLAIM_MS) await unlink(claim).catch(() => {})
    return sleep(RETRY_MS)
  }
  try {
    if ((await read(path)) === seen) await unlink(path)
  } finally {
    await unlink(claim)
  }
}

async function read(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

async function isAlive(path: string, owner: Owner): Promise<boolean> {
  if (owner.host !== hostname()) return (await ageOf(path)) < STALE_MS
  if (!isRunning(owner.pid)) return false
  return owner.started === '' || owner.started === (await startOf(owner.pid))
}

/** How long ago it was touched. */
async function ageOf(path: string): Promise<number> {
  try {
    return Date.now() - (await stat(path)).mtimeMs
  } catch {
    // Gone: whoever had it has let go.
    return Number.POSITIVE_INFINITY
  }
}

function ownerOf(text: string): Owner | undefined {
  try {
    return JSON.parse(text) as Owner
  } catch {
    return undefined
  }
}

function isRunning(other: number): boolean {
  try {
    process.kill(other, 0)
    return true
  } catch (error) {
    // It is there, and not ours to signal.
    return codeOf(error) === 'EPERM'
  }
}

/** Linux tells in the 22nd field; the second, in brackets, may hold anything. */
async function startOf(of: number): Promise<string> {
  try {
    const text = await readFile(`/proc/${of}/stat`, 'utf8')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  } catch {
    // Another system, or no such process.
    return ''
  }
}

export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined
}
