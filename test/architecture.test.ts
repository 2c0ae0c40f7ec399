// Holds the code to the layer rule and to the purity of the cores; the rules themselves stand in architecture/rules.ts.

import { existsSync, globSync, readFileSync } from 'node:fs'
import { posix, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { layers, type SourceFile, violationsIn } from './architecture/rules.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

function sourceFiles(): SourceFile[] {
  return globSync('packages/*/**/*.{ts,tsx}', { cwd: root, exclude: ['**/node_modules', '**/dist'] })
    .map((path) => path.split(sep).join('/'))
    .map((path) => ({ path, text: readFileSync(posix.join(root, path), 'utf8') }))
}

describe('the packages', () => {
  const files = sourceFiles()

  it('break no rule', () => {
    expect(files.flatMap(violationsIn)).toEqual([])
  })

  it('were looked at, every layer that there is', () => {
    expect(files.length).toBeGreaterThan(5)
    for (const layer of layers.filter(({ folder }) => existsSync(posix.join(root, folder)))) {
      expect(
        files.filter(({ path }) => path.startsWith(layer.folder)),
        layer.name,
      ).not.toEqual([])
    }
  })

  it('declare in their manifests what their layers may import', () => {
    for (const layer of layers) {
      const manifestPath = posix.join(root, ...layer.folder.split('/').slice(0, 2), 'package.json')
      const manifest = JSON.parse(readFileSync(manifestPath, 'utf8'))
      const declared = Object.keys({
        ...manifest.dependencies,
        ...manifest.peerDependencies,
        ...(manifest.private ? manifest.devDependencies : {}),
      })
      const needed = [
        ...layer.packages,
        ...layer.thirdParty.filter((name) => name !== 'node:').map(packageNameOf),
      ]
      expect(declared, layer.name).toEqual(expect.arrayContaining(needed))
    }
  })
})

function packageNameOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

const core = 'packages/client/src/core/step.ts'
const shell = 'packages/client/src/client.ts'
const protocol = 'packages/protocol/src/frames.ts'
const server = 'packages/server/src/server.ts'

describe('the checker finds', () => {
  it.each<[what: string, path: string, text: string, complaint: string]>([
    [
      'a core that imports its shell',
      core,
      `import { a } from '../client.ts'`,
      'client core may not import client',
    ],
    [
      'a type that comes from the shell',
      core,
      `import type { A } from '../client.ts'`,
      'may not import client',
    ],
    ['a re-export of the shell', core, `export * from '../client.ts'`, 'may not import client'],
    ['an import in a type', core, `type A = import('../client.ts').A`, 'may not import client'],
    ['a dynamic import', core, `const a = import('../client.ts')`, 'may not import client'],
    ['an import= of the shell', core, `import a = require('../client.ts')`, 'may not import client'],
    [
      'an import that only the running program knows',
      server,
      'import(name)',
      'only the running program knows',
    ],
    ['a client that imports the server', shell, `import '@tautline/server'`, 'client may not'],
    ['a server that imports the client', server, `import '@tautline/client/memory'`, 'server may not'],
    ['a protocol that imports a client', protocol, `import '@tautline/client'`, 'protocol may not'],
    ['a relative way into another package', shell, `import '../../protocol/src/a.ts'`, 'outside its package'],
    ['an import of the tests', shell, `import '../../../test/a.ts'`, 'outside its package'],
    ['an import of the documents', server, `import '../../../docs/a.ts'`, 'outside its package'],
    ['an import without its extension', shell, `import './room'`, 'without its extension'],
    ['all of zod', protocol, `import { z } from 'zod'`, 'imports zod, which is not listed'],
    ['a library that is not listed', shell, `import 'ws'`, 'imports ws, which is not listed for client'],
    ['a library in a core', core, `import { nanoid } from 'nanoid'`, 'not listed for client core'],
    ['a module of Node in a core', 'packages/server/src/core/a.ts', `import 'node:fs'`, 'imports node:fs'],
    [
      'a module of Node in the protocol',
      protocol,
      `import { createHash } from 'node:crypto'`,
      'imports node:crypto',
    ],
    ['a clock', core, 'const now = Date.now()', 'names Date'],
    ['a clock as a value', core, 'const clock = { Date }', 'names Date'],
    ['a clock behind globalThis', core, `globalThis['Da' + 'te']`, 'names globalThis'],
    ['another clock', protocol, 'performance.now()', 'names performance'],
    ['dice', core, 'const dice = Math.random()', 'throws dice'],
    ['dice in brackets', core, `const dice = Math['random']()`, 'throws dice'],
    ['dice taken out of Math', core, 'const { random } = Math', 'passes Math on'],
    ['a timer', core, 'setTimeout(() => {}, 5)', 'names setTimeout'],
    ['an interval', core, 'const every = setInterval', 'names setInterval'],
    ['a microtask', core, 'queueMicrotask(f)', 'names queueMicrotask'],
    ['a console', core, `console.log('x')`, 'names console'],
    ['the environment', core, 'if (process.env.X) f()', 'names process'],
    ['the environment of the module', core, 'import.meta.env', 'import.meta'],
    ['a socket, even as a type', core, 'let socket: WebSocket', 'names WebSocket'],
    ['a request', core, 'void fetch(url)', 'names fetch'],
    ['a random id', core, 'crypto.randomUUID()', 'names crypto'],
    ["the machine's language", core, 'a.localeCompare(b)', 'localeCompare'],
    ['any', shell, 'const a = b as any', 'says `any`'],
    ['any as an argument of a type', 'packages/demo/src/a.tsx', 'const a = <p>{f<any>(b)}</p>', 'says `any`'],
    ['a silenced type error', shell, '// @ts-ignore because\nf()', '@ts-ignore'],
    ['a silenced linter', shell, '/* oxlint-disable */', 'oxlint-disable'],
    ['another silenced linter', shell, '// biome-ignore lint/x: because', 'biome-ignore'],
    ['a file without an idea', 'packages/client/src/core/utils.ts', '', 'without an idea'],
    ['another file without an idea', 'packages/react/src/types.ts', '', 'without an idea'],
    ['a file in no layer', 'packages/other/src/a.ts', '', 'lies in no layer'],
  ])('%s', (_what, path, text, complaint) => {
    expect(violationsIn({ path, text })).toEqual([expect.stringContaining(complaint)])
  })

  it('the line', () => {
    expect(violationsIn({ path: core, text: '\n\nconsole.log(1)\n' })[0]).toMatch(
      /^packages\/client\/src\/core\/step\.ts:3 /,
    )
  })
})

describe('the checker allows', () => {
  it.each<[what: string, path: string, text: string]>([
    [
      'words in comments',
      core,
      '// Date.now() and any @ts-ignore, import "../client.ts"\n/* Math.random() */',
    ],
    ['words in strings', core, 'const a = "Date.now() // any"; const b = `console ${a} import("ws")`'],
    ['words in regular expressions', core, 'const a = /Date|any|\\/\\/ setTimeout/'],
    [
      'members with such names',
      core,
      'const a = { process: 1, fetch: f }; a.process; interface B { Date: number; fetch(): void }',
    ],
    ['members taken apart', core, 'const { process: run } = x'],
    ['the rest of Math', core, 'Math.min(1, Math.floor(2.5))'],
    [
      'a core that imports itself and the protocol',
      core,
      `import { a } from './a.ts'; import '@tautline/protocol'`,
    ],
    ['a shell that imports its core', shell, `import { step } from './core/step.ts'; Date.now()`],
    ['zod/mini in the protocol', protocol, `import * as z from 'zod/mini'`],
    [
      'Node, a socket and a database in the server',
      server,
      `import 'node:http'; import 'ws'; import 'better-sqlite3'`,
    ],
    [
      'everything in the demo',
      'packages/demo/server.ts',
      `import '@tautline/server'; import '@tautline/react'`,
    ],
  ])('%s', (_what, path, text) => {
    expect(violationsIn({ path, text })).toEqual([])
  })
})
