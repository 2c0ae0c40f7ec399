// Freezes the public names: what each entry point of each published package exports, as values and as types.
//
// The lists stand in test/exports/, one file an entry point. A name that goes, or comes, or turns from a value into a
// type is a change of the public interface; whoever means it writes the lists anew:
//
//     npm test -- test/exports.test.ts --update

import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const entries = globSync('packages/*/package.json', { cwd: root }).toSorted().flatMap(entriesOf)
const program = programOf(entries.map((entry) => entry.source))
const checker = program.getTypeChecker()

describe('the public names', () => {
  it('belong to entry points that exist', () => {
    const lists = globSync('*.txt', { cwd: join(root, 'test/exports') })
    expect(lists.toSorted()).toEqual(entries.map((entry) => entry.list).toSorted())
  })

  it.each(entries)('of $name are those that its list has', async ({ source, list }) => {
    await expect(exportsOf(source)).toMatchFileSnapshot(join(root, 'test/exports', list))
  })
})

interface EntryPoint {
  /** As it is imported: `@tautline/client/memory`. */
  readonly name: string
  /** The file in test/exports/. */
  readonly list: string
  /** The source file, absolute. */
  readonly source: string
}

function entriesOf(manifestPath: string): EntryPoint[] {
  const manifest = JSON.parse(readFileSync(join(root, manifestPath), 'utf8'))
  if (manifest.private) return []
  return Object.entries<{ readonly source: string } | string>(manifest.exports).flatMap(([path, entry]) => {
    if (typeof entry === 'string') return []
    const name = join(manifest.name, path)
    return [
      {
        name,
        list: `${name.replace(/^@tautline\//, '').replaceAll('/', '.')}.txt`,
        source: join(root, dirname(manifestPath), entry.source),
      },
    ]
  })
}

/** Reads the sources of the workspace and nothing else: all that is asked for is names, and those are our own. */
function programOf(sources: readonly string[]) {
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ESNext,
    module: ts.ModuleKind.Preserve,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    customConditions: ['source'],
    allowImportingTsExtensions: true,
    noEmit: true,
    noLib: true,
    types: [],
  }
  const host = ts.createCompilerHost(options)
  host.resolveModuleNameLiterals = (literals, file) =>
    literals.map(({ text }) =>
      /^(\.|@tautline\/)/.test(text)
        ? ts.resolveModuleName(text, file, options, host)
        : { resolvedModule: undefined },
    )
  return ts.createProgram(sources, options, host)
}

/** A line for each name, values first. What is both (a class) counts as a value. */
function exportsOf(source: string): string {
  const file = program.getSourceFile(source)
  const symbol = file && checker.getSymbolAtLocation(file)
  if (!symbol) throw new Error(`${source} is no module`)
  const lines = checker.getExportsOfModule(symbol).map((exported) => `${kindOf(exported)} ${exported.name}`)
  return `${lines.toSorted((a, b) => Number(a.startsWith('type')) - Number(b.startsWith('type')) || (a < b ? -1 : 1)).join('\n')}\n`
}

function kindOf(exported: ts.Symbol): 'value' | 'type' {
  // `export { type A }` and `export type { A }`.
  if (exported.declarations?.some(ts.isTypeOnlyImportOrExportDeclaration)) return 'type'
  const target = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported
  if (target.declarations === undefined) throw new Error(`${exported.name} leads nowhere`)
  return target.flags & ts.SymbolFlags.Value ? 'value' : 'type'
}
