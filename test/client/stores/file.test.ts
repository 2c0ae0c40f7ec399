import { execFile } from 'node:child_process'
import {
  appendFile,
  copyFile,
  type FileHandle,
  mkdtemp,
  open,
  readdir,
  readFile,
  rm,
  stat,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { LaneRow, OutboxStore, OutboxStoreEvents } from '@tautline/client'
import { type Damage, type FileOptions, file } from '@tautline/client/file'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { describeOutboxStoreContract } from '../../contracts/outbox-store.ts'
import { idle } from '../support/virtual-time.ts'

const SCOPE = { server: 'wss://chat.example/ws', userId: 'ada' }
const QUIET: OutboxStoreEvents = { held() {}, told() {}, lost() {} }

describeOutboxStoreContract('in a file', { isShared: false, canCrash: true }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tautline-outbox-'))
  let life = 1
  return {
    storage: () => file(join(folder, `life-${life}`)),
    /** The dead process holds its file open and has its lock: what the disk has goes on in another place. */
    async crash() {
      const names = await readdir(folder)
      const [dead] = names.filter((name) => name.startsWith(`life-${life}`) && name.endsWith('.jsonl'))
      life++
      await copyFile(join(folder, dead ?? ''), join(folder, (dead ?? '').replace(`-${life - 1}`, `-${life}`)))
    },
    settle: idle,
    dispose: () => rm(folder, { recursive: true }),
  }
})

let folder: string
let stores: OutboxStore[]
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tautline-outbox-'))
  stores = []
})
afterEach(async () => {
  await Promise.allSettled(stores.map((store) => store.close()))
  await rm(folder, { recursive: true })
})

async function openFile(options: FileOptions = {}): Promise<OutboxStore> {
  const store = await file(join(folder, 'outbox'), options).open(SCOPE, QUIET)
  stores.push(store)
  return store
}

/** The one journal that there is. */
async function journal(): Promise<string> {
  const [name] = (await readdir(folder)).filter((one) => one.endsWith('.jsonl'))
  return join(folder, name ?? 'none')
}

function row(n: number, content = `number ${n}`): LaneRow {
  const messageId = `message-${n}`
  return {
    room: 'den',
    type: 'send_message',
    payload: { content },
    messageId,
    bytes: 20,
    createdAt: n,
    sid: 'lane',
    n,
  }
}

async function numbers(store: OutboxStore): Promise<number[]> {
  return (await store.list()).map(({ n }) => n)
}

describe('the file', () => {
  it('is made with its folders', async () => {
    const store = await file(join(folder, 'a', 'b', 'outbox')).open(SCOPE, QUIET)
    await store.add([row(1)])
    await store.close()
    expect(await readdir(join(folder, 'a', 'b'))).toHaveLength(1)
  })

  it.each([
    ['half a line', '["add",[{"room":"den","typ'],
    ['noughts', '\0'.repeat(400)],
    ['half a character', Buffer.from('["add",["é').subarray(0, -1)],
  ])('that a crash cut off in %s counts up to there, and goes on from there', async (_, torn) => {
    const store = await openFile()
    await store.add([row(1)])
    await store.close()
    await appendFile(await journal(), torn)
    const damages: Damage[] = []
    const again = await openFile({ onDamage: (damage) => damages.push(damage) })
    expect(await numbers(again)).toEqual([1])
    await again.add([row(2)])
    await again.close()
    expect(await numbers(await openFile())).toEqual([1, 2])
    expect(damages).toEqual([])
  })

  it('that a crash left empty counts as new', async () => {
    const store = await openFile()
    await store.close()
    await writeFile(await journal(), '')
    expect(await numbers(await openFile())).toEqual([])
  })

  it('of which lines in the midst cannot be read is kept aside, and what can be read counts', async () => {
    const store = await openFile()
    for (const n of [1, 2, 3]) await store.add([row(n)])
    await store.close()
    const path = await journal()
    const broken = (await readFile(path, 'utf8')).replace('"number 2"', '"numb')
    await writeFile(path, broken)
    const damages: Damage[] = []
    const again = await openFile({ onDamage: (damage) => damages.push(damage) })
    expect(await numbers(again)).toEqual([1, 3])
    expect(damages.map(({ lines }) => lines)).toEqual([1])
    expect(await readFile(damages[0]?.keptAs ?? '', 'utf8')).toBe(broken)
    await again.close()
    expect(await numbers(await openFile())).toEqual([1, 3])
  })

  it.each([
    ['rows that are none', (text: string) => text.replace('"rows":[', '"rows":[null,7,{"messageId":"x"},')],
    [
      'a row without a room',
      (text: string) => text.replace('"rows":[', '"rows":[{"order":9,"messageId":"x"},'),
    ],
    ['a line that adds what is none', (text: string) => `${text}["add",[null,{"messageId":"x"}]]\n`],
    ['a line that adds a text', (text: string) => `${text}["add","x"]\n`],
    ['a line that skips nothing', (text: string) => `${text}["skip",null,"CANCELLED"]\n`],
    ['a line that fails with no code', (text: string) => `${text}["fail","number 1","OUCH"]\n`],
    ['a line that numbers nothing', (text: string) => `${text}["renumber",1,2,3]\n`],
    ['a line that removes a number', (text: string) => `${text}["remove",[1]]\n`],
    ['a line that is null', (text: string) => `${text}null\n`],
  ])('with %s keeps it aside, and all else', async (_what, plant) => {
    const store = await openFile()
    await store.add([row(1), row(2)])
    // What is there is written anew, into the first line.
    await store.clear()
    await store.add([row(1), row(2)])
    await store.close()
    const path = await journal()
    const planted = plant(await readFile(path, 'utf8'))
    await writeFile(path, planted)
    const damages: Damage[] = []
    const again = await openFile({ onDamage: (damage) => damages.push(damage) })
    expect(await numbers(again)).toEqual([1, 2])
    expect(damages).toHaveLength(1)
    expect(await readFile(damages[0]?.keptAs ?? '', 'utf8')).toBe(planted)
    await again.add([row(3)])
    await again.close()
    expect(await numbers(await openFile())).toEqual([1, 2, 3])
  })

  it('of another program is not written over', async () => {
    const store = await openFile()
    await store.close()
    await writeFile(await journal(), '{"dear":"diary"}\n"today"\n{"row":1}\n')
    const damages: Damage[] = []
    expect(await numbers(await openFile({ onDamage: (damage) => damages.push(damage) }))).toEqual([])
    expect(await readFile(damages[0]?.keptAs ?? '', 'utf8')).toContain('diary')
  })

  it('stays small, however much went through it', async () => {
    const store = await openFile()
    const content = 'x'.repeat(10_000)
    await store.add([row(0)])
    for (let n = 1; n <= 500; n++) {
      await store.add([row(n, content)])
      await store.remove([`message-${n}`])
    }
    expect((await stat(await journal())).size).toBeLessThan(1_300_000)
    const [last] = await store.add([row(501)])
    expect(last).toBe(502)
    await store.close()
    const again = await openFile()
    expect(await numbers(again)).toEqual([0, 501])
    expect(await again.add([row(502)])).toEqual([503])
  })

  it('writes what is asked for at once in few writes', async () => {
    const store = await openFile()
    const handle = await open(join(folder, 'another'), 'w')
    const allHandles: FileHandle = Object.getPrototypeOf(handle)
    await handle.close()
    const datasync = vi.spyOn(allHandles, 'datasync')
    onTestFinished(() => datasync.mockRestore())
    await Promise.all(Array.from({ length: 1_000 }, (_, n) => store.add([row(n)])))
    expect(datasync.mock.calls.length).toBeLessThanOrEqual(2)
    expect(await numbers(store)).toHaveLength(1_000)
  })
})

describe('the lock', () => {
  it('lets one have the file, in one process', async () => {
    await openFile()
    await expect(openFile()).rejects.toThrow('another process has the outbox')
    await stores[0]?.close()
    expect(await numbers(await openFile())).toEqual([])
  })

  it('is let go of when opening fails', async () => {
    const store = await openFile()
    await store.close()
    const path = await journal()
    await rm(path)
    await file(join(path, 'below'))
      .open(SCOPE, QUIET)
      .then((made) => made.close())
    await expect(openFile()).rejects.toThrow('EISDIR')
    await rm(path, { recursive: true })
    expect(await numbers(await openFile())).toEqual([])
  })

  async function lockedBy(owner: string): Promise<void> {
    const store = await openFile()
    await store.add([row(1)])
    await store.close()
    await writeFile(`${await journal()}.lock`, owner)
  }

  it('of a process that is no more holds nobody up', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, ['-e', 'console.log(process.pid)'])
    await lockedBy(JSON.stringify({ pid: Number(stdout), started: '1', host: hostname() }))
    expect(await numbers(await openFile())).toEqual([1])
  })

  it.runIf(process.platform === 'linux')(
    'of a process whose number another one has by now holds nobody up',
    async () => {
      await lockedBy(JSON.stringify({ pid: process.pid, started: '1', host: hostname() }))
      expect(await numbers(await openFile())).toEqual([1])
    },
  )

  it('that was left half written holds nobody up for long', async () => {
    await lockedBy('{"pid":')
    expect(await numbers(await openFile())).toEqual([1])
  })

  it('on another machine that is no longer touched holds nobody up', async () => {
    await lockedBy(JSON.stringify({ pid: 1, started: '1', host: `not-${hostname()}` }))
    const minuteAgo = Date.now() / 1_000 - 60
    await utimes(`${await journal()}.lock`, minuteAgo, minuteAgo)
    expect(await numbers(await openFile())).toEqual([1])
  })

  it('is one process’s, however many find a stale one at once', async () => {
    for (let round = 0; round < 20; round++) {
      await lockedBy(JSON.stringify({ pid: 2 ** 30, started: '1', host: hostname() }))
      const results = await Promise.allSettled(Array.from({ length: 5 }, () => openFile()))
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      await Promise.all(stores.splice(0).map((store) => store.close()))
      await rm(await journal())
    }
  })

  it('on another machine holds as long as it is touched', async () => {
    await lockedBy(JSON.stringify({ pid: 1, started: '1', host: `not-${hostname()}` }))
    await expect(openFile()).rejects.toThrow('another process has the outbox')
  })
})
