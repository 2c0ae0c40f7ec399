// Holds docs/protocol.md to the tables, to the server and the client, and to itself. Where it fails because a table
// changed, `node_modules/.bin/node --conditions=source scripts/protocol-document.ts` writes the filled-in parts anew;
// where something is handled now that was vocabulary only, the mark below its heading has to go.

import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { STATUSES } from '@tautline/client'
import {
  CODES,
  type Decoded,
  decodeClientFrame,
  decodeServerFrame,
  EXAMPLES,
  follow,
  HEARTBEAT_TIMEOUT_MS,
  HELLO_TIMEOUT_MS,
  isCode,
  MAX_BATCH,
  MAX_DEPTH,
  nextFingerprint,
  PRESENCE_GRACE_MS,
  readClose,
  type ServerMessage,
  TYPING_INTERVAL_MS,
  TYPING_TIMEOUT_MS,
} from '@tautline/protocol'
import { callProtocol } from '@tautline/protocol/calls'
import { type Group, jsonSchemas, laneVectors } from '@tautline/protocol/schema'
import { createServer, handle, memory, type Server } from '@tautline/server'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fillIn } from '../scripts/protocol-document.ts'
import { jobs } from './support/jobs.ts'
import { wholeDoor } from './support/whole-door.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const text = readFileSync(join(root, 'docs/protocol.md'), 'utf8')
const sections = sectionsOf(text)
const schemas = jsonSchemas()

describe('the specification', () => {
  it('has the filled-in parts that the tables make', () => expect(fillIn(text)).toBe(text))

  it('has one part for everything in the vocabulary, under its heading', () => {
    const parts = sections.flatMap(({ heading, body }) => namesIn(body).map((name) => ({ heading, name })))
    expect(parts.map(({ name }) => name).sort()).toEqual(schemas.map(({ name }) => name).sort())
    for (const { heading, name } of parts) expect(heading).toBe(`\`${name.split('.')[1]}\``)
  })

  it('names no code that there is not', () => {
    const words = text.match(/`[A-Z]+(?:_[A-Z]+)+`/g) ?? []
    expect(
      words
        .map((word) => word.slice(1, -1))
        .filter((word) => !isCode(word) && !(word in callProtocol.errors)),
    ).toEqual([])
  })

  it('gives codes the close codes that they have', () => {
    const pairs = [...text.matchAll(/(\d{4}) \((`[A-Z_`, ]+`)\)/g)].flatMap(([, closeCode, names = '']) =>
      names.split(', ').map((name) => ({ closeCode: Number(closeCode), code: name.replaceAll('`', '') })),
    )
    expect(pairs.length).toBeGreaterThan(5)
    for (const { closeCode, code } of pairs)
      expect(CODES, code).toHaveProperty([code, 'closeCode'], closeCode)
  })

  it.each([
    `within ${HELLO_TIMEOUT_MS / 1_000} s (else 4408)`,
    `nothing for ${HEARTBEAT_TIMEOUT_MS / 1_000} s closes with 4411`,
    `Sent at most every ${TYPING_INTERVAL_MS / 1_000} s`,
    `more often than every ${TYPING_INTERVAL_MS / 2_000} s`,
    `by the receiver ${TYPING_TIMEOUT_MS / 1_000} s after the last one`,
    `for a grace (${PRESENCE_GRACE_MS / 1_000} s)`,
    `no deeper than ${MAX_DEPTH} levels`,
    `an array of 1 to ${MAX_BATCH} of them`,
  ])('says: %s', (phrase) => expect(text.replace(/\s+/g, ' ')).toContain(phrase))

  it('has no link that leads nowhere', () => {
    const anchors = new Set(
      sections.map(({ heading }) =>
        heading
          .toLowerCase()
          .replace(/[^\w -]/g, '')
          .replaceAll(' ', '-'),
      ),
    )
    const links = [...text.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor = '']) => anchor)
    expect(links.filter((link) => !anchors.has(link))).toEqual([])
  })
})

describe('the guide', () => {
  const guide = readFileSync(join(root, 'docs/guide.md'), 'utf8')
  const firstCells = Array.from(guide.matchAll(/^\| (`[^|]+`) \|/gm), ([, cell = '']) =>
    cell.replaceAll('`', ''),
  )

  it('says of each code what to show a person, and of no other', () => {
    expect(firstCells.filter((cell) => /^[A-Z]/.test(cell)).toSorted()).toEqual(Object.keys(CODES).toSorted())
  })

  it('says what each status means, of the connection and of a message', () => {
    const ofMessages = ['saving', 'queued', 'sent', 'acknowledged', 'failed']
    expect(firstCells.filter((cell) => /^[a-z]/.test(cell)).flatMap((cell) => cell.split(', '))).toEqual([
      ...Object.keys(STATUSES),
      ...ofMessages,
    ])
  })
})

describe('the table of the lane', () => {
  const rows = tableAfter('### The decision').map(([, , outcome = '', lastN = '']) => ({ outcome, lastN }))

  it.each(laneVectors())('is right about $name', ({ lastN, existing, command, decision }) => {
    const isHere = existing?.room === command.room
    const isSame = isHere && (command.skip || existing.digest === command.digest)
    const conditions = [
      command.n <= lastN && isHere,
      command.n <= lastN,
      command.n > lastN + 1,
      isSame,
      existing !== null,
      command.skip,
      command.refusal !== null,
      true,
    ]
    expect(rows).toHaveLength(conditions.length)
    const row = rows[conditions.indexOf(true)]
    const expected = {
      gap: 'retryable `GAP`',
      acknowledge: '`ack` with its `seq`',
      append: 'append the entry, then `ack`',
      fail:
        'code' in decision && decision.code === command.refusal
          ? 'that code'
          : `final \`${Object(decision).code}\``,
    }
    expect(row?.outcome).toContain(expected[decision.decision])
    const advances = decision.decision === 'append' || ('advance' in decision && decision.advance)
    expect(row?.lastN).toBe(advances ? '`n`' : 'stays')
  })
})

describe('the whole vocabulary is acted on', () => {
  let server: Server
  beforeAll(async () => {
    server = await createServer({
      auth: { verify: () => ({ userId: 'ada' }) },
      store: memory(),
      logger: false,
      extensions: [handle(jobs, { get_job: () => ({ title: 'Painter' }) })],
    })
  })
  afterAll(() => server.close())

  it.each(named('client'))('the server handles: $type', async ({ name, type }) => {
    const message = { ...EXAMPLES.client[type as keyof typeof EXAMPLES.client] }
    const answers = type === 'authenticate' ? [] : await ask(server, message)
    expect(answers, name).not.toContain('UNKNOWN_TYPE')
  })

  it.each(named('command'))('the server handles the command: $type', async ({ name, type }) => {
    const room = `of-${type}`
    const command = EXAMPLES.commands[type as keyof typeof EXAMPLES.commands]
    const answers = await ask(
      server,
      { type: 'join_room', payload: { ref: 2, room } },
      { type: 'commands', payload: { ref: 3, room, sid: 'lane-of-this', n: 1, commands: [command] } },
    )
    expect(answers, name).not.toContain('UNKNOWN_TYPE')
  })

  it.each(named('server'))('the server says and the client lets in: $type', ({ name, type }) => {
    const messages = wholeDoor(JSON.stringify(EXAMPLES.server[type as keyof typeof EXAMPLES.server]))
    const isSaid = serverSources().includes(`'${type}'`)
    expect(isSaid && messages?.length !== 0, name).toBe(true)
  })

  it.each(named('entry'))('the server writes into a log: $type', ({ name, type }) => {
    expect(serverSources().includes(`'${type}'`), name).toBe(true)
  })
})

describe('the sample session', () => {
  const lines = [...sectionOf('A sample session').matchAll(/```session\n([\s\S]*?)```/g)].flatMap(
    ([, block = '']) => block.trim().split('\n'),
  )
  const said = (who: 'C' | 'S') => lines.filter((line) => line.startsWith(who)).map((line) => line.slice(3))
  const server = said('S').flatMap((frame) => decodeServerFrame(frame).map(messageOf))

  it('is of both, in turns', () => {
    expect(lines.filter((line) => !/^[CS]: [[{]/.test(line))).toEqual([])
    expect(lines.length).toBeGreaterThan(10)
  })

  it('is what the client may say, but for the type that is not known', () => {
    const faults = said('C')
      .flatMap((frame) => decodeClientFrame(frame))
      .filter((decoded) => !decoded.ok)
    expect(faults).toEqual([expect.objectContaining({ code: 'UNKNOWN_TYPE', ref: 5 })])
  })

  it('is what the server may say, byte by byte what it writes', () => {
    for (const frame of said('S')) {
      const messages = decodeServerFrame(frame).map(messageOf)
      // The order of the fields is the writer's own.
      expect(JSON.parse(frame)).toEqual(frame.startsWith('[') ? messages : messages[0])
      expect(JSON.stringify(JSON.parse(frame))).toBe(frame)
      expect(wholeDoor(frame)).toEqual(messages)
    }
  })

  it('has fingerprints that follow from one another, and no hole', () => {
    const known = new Map<number, string>()
    let cursor = 2
    for (const { type, payload } of server) {
      if (type === 'page') known.set(payload.after.seq, payload.after.h)
      if (type !== 'page' && type !== 'entries') continue
      const { entries, h } = payload
      for (const { seq, sender, messageId } of entries)
        known.set(seq, nextFingerprint(known.get(seq - 1) ?? '', sender, messageId))
      const last = entries.at(-1)
      if (!last) continue
      expect(known.get(last.seq)).toBe(h)
      expect(follow(cursor, entries[0]?.seq ?? 0, last.seq).do).toBe('apply')
      cursor = last.seq
    }
    expect(cursor).toBe(6)
  })

  it('acknowledges each command where its entry stands', () => {
    const places = new Map<string, number>()
    for (const { type, payload } of server)
      if (type === 'page' || type === 'entries')
        for (const { messageId, seq } of payload.entries) places.set(messageId, seq)
    const acks = server.flatMap(({ type, payload }) => (type === 'ack' ? payload.acks : []))
    expect(acks.map(({ seq, count = 1 }) => [seq, count])).toEqual([
      [3, 2],
      [5, 1],
    ])
    expect([...places.values()]).toEqual([3, 4, 5, 6])
  })

  it('shows the bytes of two of its frames', () => {
    const [pong, close] = [...sectionOf('A sample session').matchAll(/```bytes\n([\s\S]*?)```/g)].map(
      ([, hex = '']) => Buffer.from(hex.replace(/\s/g, ''), 'hex'),
    )
    expect([pong?.[0], pong?.[1]]).toEqual([0x81, (pong?.length ?? 0) - 2])
    expect(said('S')).toContain(pong?.subarray(2).toString('utf8'))
    expect([close?.[0], close?.[1]]).toEqual([0x88, (close?.length ?? 0) - 2])
    const meaning = readClose(close?.readUInt16BE(2) ?? 0, close?.subarray(4).toString('utf8') ?? '')
    const [told] = server.flatMap(({ type, payload }) =>
      type === 'going_away' ? [payload.reconnectAfterMs] : [],
    )
    expect(meaning).toEqual({ code: 'RESTART', action: 'retry', retryAfterMs: told })
  })
})

interface Section {
  readonly heading: string
  readonly body: string
}

/** The headings outside of blocks of code, each with what stands below it up to the next. */
function sectionsOf(document: string): Section[] {
  return document.split(/^(?=#{1,4} )/m).map((part) => {
    const [first = '', ...rest] = part.split('\n')
    return { heading: first.replace(/^#+ /, ''), body: rest.join('\n') }
  })
}

function sectionOf(heading: string): string {
  const found = sections.find((section) => section.heading === heading)
  if (!found) throw new Error(`docs/protocol.md has no heading ${heading}`)
  return found.body
}

/** The cells of the first table below a heading, without its head. */
function tableAfter(heading: string): string[][] {
  const below = sectionOf(heading.replace(/^#+ /, '')).split('\n')
  const rows = below.slice(below.findIndex((line) => line.startsWith('|')))
  const end = rows.findIndex((line) => !line.startsWith('|'))
  return rows.slice(2, end).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
}

function namesIn(body: string): string[] {
  return [...body.matchAll(/<!-- begin: (\w+\.\w+) -->/g)].map(([, name = '']) => name)
}

function named(group: Group) {
  return schemas.filter((schema) => schema.group === group)
}

function messageOf(decoded: Decoded<ServerMessage>): ServerMessage {
  if (!decoded.ok)
    throw new Error(`the sample session has a frame that is ${decoded.code}: ${decoded.detail}`)
  return decoded.message
}

/** Says these things on a connection of its own, and gives the codes of the errors that answer. */
function ask(server: Server, ...messages: readonly object[]): Promise<string[]> {
  return new Promise((resolve) => {
    const codes: string[] = []
    const listener = server.accept({
      send(frame) {
        for (const message of decodeServerFrame(frame).map(messageOf)) {
          if (message.type === 'error') codes.push(message.payload.code)
          if (message.type === 'connected')
            for (const asked of [...messages, LAST]) listener.text(JSON.stringify(asked))
          if (message.type === 'room_joined' && message.payload.ref === LAST.payload.ref) resolve(codes)
        }
      },
      ping() {},
      close: () => resolve(codes),
      terminate: () => resolve(codes),
      bufferedBytes: () => 0,
    })
    listener.text(JSON.stringify(EXAMPLES.client.authenticate))
  })
}

/** Committed, and so answered, after all that was asked before it. */
const LAST = { type: 'join_room', payload: { ref: 999, room: 'the-last' } }

function serverSources(): string {
  const sources = ['packages/server/src/core/*.ts', 'packages/server/src/application.ts']
  return globSync(sources, { cwd: root })
    .map((path) => readFileSync(join(root, path), 'utf8'))
    .join('\n')
}
