import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as index from '@tautline/protocol'
import * as wire from '@tautline/protocol/wire'
import { describe, expect, it } from 'vitest'

const src = fileURLToPath(new URL('../../packages/protocol/src/', import.meta.url))

/** What loading a module loads: every import and export of another that is not of types alone. */
function loadedBy(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen
  seen.add(file)
  const path = join(src, file)
  if (!existsSync(path)) return seen
  for (const [, name = ''] of readFileSync(path, 'utf8').matchAll(
    /^(?:import|export) (?!type )[^;]*?from '([^']+)'|^import '([^']+)'/gms,
  )) {
    loadedBy(name.startsWith('.') ? join(dirname(file), name) : name, seen)
  }
  return seen
}

describe('the entry point without validators', () => {
  it('loads no schema, no example and no library', () => {
    expect([...loadedBy('wire.ts')].sort()).toEqual([
      'codes.ts',
      'ids.ts',
      'lane.ts',
      'limits.ts',
      'log.ts',
      'text.ts',
      'wire.ts',
    ])
  })

  it('is a part of the whole, which does load them', () => {
    expect([...loadedBy('index.ts')]).toEqual(
      expect.arrayContaining(['wire.ts', 'vocabulary.ts', 'examples.ts', 'messages/fields.ts', 'zod/mini']),
    )
    for (const [name, value] of Object.entries(wire)) expect(index).toHaveProperty(name, value)
  })
})

// The public surface. A name that goes breaks somebody; a name that comes is documented first.
describe('the names that programs may use', () => {
  it('are these without validators', () => {
    expect(Object.keys(wire).sort()).toMatchInlineSnapshot(`
      [
        "CODES",
        "DEFAULT_LIMITS",
        "FINGERPRINT",
        "HEARTBEAT_INTERVAL_MS",
        "HEARTBEAT_TIMEOUT_MS",
        "HELLO_TIMEOUT_MS",
        "LOG_START",
        "MAX_BATCH",
        "MAX_DEPTH",
        "MAX_FRAME_BYTES",
        "MAX_PAGE_BYTES",
        "MAX_PAGE_ENTRIES",
        "MAX_REPLAY_ENTRIES",
        "MAX_ROOMS_PER_FRAME",
        "MESSAGE_ID",
        "PRESENCE_GRACE_MS",
        "ROOM_ID",
        "SID",
        "SUBPROTOCOL",
        "TYPING_INTERVAL_MS",
        "TYPING_TIMEOUT_MS",
        "TautlineError",
        "USER_ID",
        "decide",
        "digestOf",
        "directRoomId",
        "encodeCloseReason",
        "findFault",
        "follow",
        "isCode",
        "isWellFormed",
        "makeMessageId",
        "nextFingerprint",
        "ownLogId",
        "readClose",
        "usersOfDirectRoom",
        "utf8Bytes",
      ]
    `)
  })

  it('are these beside them in the whole', () => {
    expect(
      Object.keys(index)
        .filter((name) => !(name in wire))
        .sort(),
    ).toMatchInlineSnapshot(`
      [
        "CLIENT_MESSAGES",
        "COMMANDS",
        "ENTRIES",
        "EXAMPLES",
        "SERVER_MESSAGES",
        "decodeClientFrame",
        "decodeCommand",
        "decodeServerFrame",
        "encode",
      ]
    `)
  })
})
