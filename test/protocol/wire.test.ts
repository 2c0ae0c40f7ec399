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
      'fold.ts',
      'hash.ts',
      'ids.ts',
      'lane.ts',
      'limits.ts',
      'log.ts',
      'notifications.ts',
      'rights.ts',
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
