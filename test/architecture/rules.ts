// The layer rule and the rule of purity, as tables, and the checker that reads one source file and says what breaks them.
//
// It works on the syntax tree, so that comments and strings cannot trip it, and looks at one file at a time: whatever is
// forbidden is forbidden by name. It knows nothing of the file system; the test that calls it does.

import { posix } from 'node:path'
import ts from 'typescript'

export interface SourceFile {
  /** From the root of the repository, with forward slashes. */
  readonly path: string
  readonly text: string
}

export interface Layer {
  readonly name: string
  readonly folder: string
  /** The Tautline packages that it may import, by name. */
  readonly packages: readonly string[]
  /** The layers of its own package that it may import, by relative path, beside itself. */
  readonly below: readonly string[]
  /** What it may import from elsewhere; `node:` stands for all of Node's own modules. */
  readonly thirdParty: readonly string[]
  /** Whether it must be free of clock, dice, timers, sockets, console and environment. */
  readonly pure: boolean
}

/** From the most specific folder to the least: the first that holds a file is its layer. */
export const layers: readonly Layer[] = [
  {
    name: 'protocol',
    folder: 'packages/protocol/src/',
    packages: [],
    below: [],
    thirdParty: ['@standard-schema/spec', 'zod/mini'],
    pure: true,
  },
  {
    name: 'client core',
    folder: 'packages/client/src/core/',
    packages: ['@tautline/protocol'],
    below: [],
    thirdParty: [],
    pure: true,
  },
  {
    name: 'client calls core',
    folder: 'packages/client/src/calls/core/',
    packages: ['@tautline/protocol'],
    below: [],
    thirdParty: [],
    pure: true,
  },
  {
    name: 'client on Node',
    folder: 'packages/client/src/node/',
    packages: ['@tautline/protocol'],
    below: ['client core', 'client'],
    thirdParty: ['node:'],
    pure: false,
  },
  {
    name: 'client',
    folder: 'packages/client/src/',
    packages: ['@tautline/protocol'],
    below: ['client core', 'client calls core'],
    thirdParty: ['nanoid'],
    pure: false,
  },
  {
    name: 'server core',
    folder: 'packages/server/src/core/',
    packages: ['@tautline/protocol'],
    below: [],
    thirdParty: [],
    pure: true,
  },
  {
    name: 'server calls core',
    folder: 'packages/server/src/calls/core/',
    packages: ['@tautline/protocol'],
    below: ['server core'],
    thirdParty: [],
    pure: true,
  },
  {
    name: 'server',
    folder: 'packages/server/src/',
    packages: ['@tautline/protocol'],
    below: ['server core', 'server calls core'],
    thirdParty: ['node:', 'better-sqlite3', 'jose', 'lru-cache', 'pino', 'ws'],
    pure: false,
  },
  {
    name: 'react',
    folder: 'packages/react/src/',
    packages: ['@tautline/client'],
    below: [],
    thirdParty: ['react'],
    pure: false,
  },
  {
    name: 'vue',
    folder: 'packages/vue/src/',
    packages: ['@tautline/client'],
    below: [],
    thirdParty: ['vue'],
    pure: false,
  },
  {
    name: 'cli',
    folder: 'packages/cli/src/',
    packages: ['@tautline/protocol', '@tautline/client', '@tautline/server'],
    below: [],
    thirdParty: ['node:'],
    pure: false,
  },
  {
    name: 'demo',
    folder: 'packages/demo/',
    packages: ['@tautline/protocol', '@tautline/client', '@tautline/server', '@tautline/react'],
    below: [],
    thirdParty: ['node:', 'react', 'react-dom', 'react-dom/client', 'virtua', 'vite', '@vitejs/plugin-react'],
    pure: false,
  },
]

/** Globals that a pure layer may not name. What only a browser or Node has, `tsconfig.pure.json` forbids as well. */
const impureGlobals = namesIn([
  'Date performance Intl globalThis global process console crypto Buffer',
  'setTimeout clearTimeout setInterval clearInterval setImmediate queueMicrotask',
  'requestAnimationFrame requestIdleCallback WebSocket fetch XMLHttpRequest EventSource',
  'localStorage sessionStorage indexedDB navigator window document',
  'eval Function require WeakRef FinalizationRegistry',
])

/** Methods whose result depends on the language that the machine is set to. */
const localeMethods = namesIn([
  'localeCompare toLocaleString toLocaleLowerCase toLocaleUpperCase',
  'toLocaleDateString toLocaleTimeString',
])

function namesIn(lines: readonly string[]): ReadonlySet<string> {
  return new Set(lines.flatMap((line) => line.split(' ')))
}

const suppression =
  /(?:\/\/|\/\*+)\s*(@ts-ignore|@ts-nocheck|@ts-expect-error|biome-ignore|(?:oxlint|eslint)-disable)/g

/** All that breaks a rule in one file, each as `path:line what`. */
export function violationsIn(file: SourceFile): string[] {
  const layer = layerOf(file.path)
  if (layer === undefined) return [`${file.path}:1 lies in no layer`]
  const source = ts.createSourceFile(
    file.path,
    file.text,
    ts.ScriptTarget.Latest,
    true,
    scriptKindOf(file.path),
  )
  const found: string[] = []
  const report = (position: number, what: string) => {
    found.push(`${file.path}:${source.getLineAndCharacterOfPosition(position).line + 1} ${what}`)
  }

  if (/^(utils|types)\.[cm]?tsx?$/.test(posix.basename(file.path)))
    report(0, 'is a file without an idea: rename it')
  for (const match of file.text.matchAll(suppression)) report(match.index, `silences a tool with ${match[1]}`)

  const visit = (node: ts.Node) => {
    const objection = objectionToImport(node, file.path, layer) ?? objectionToNode(node, layer)
    if (objection !== undefined) report(node.getStart(source), objection)
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

function layerOf(path: string): Layer | undefined {
  return layers.find((layer) => path.startsWith(layer.folder))
}

function scriptKindOf(path: string): ts.ScriptKind {
  return path.endsWith('x') ? ts.ScriptKind.TSX : ts.ScriptKind.TS
}

// --- imports -------------------------------------------------------------------------------------------------------

function objectionToImport(node: ts.Node, path: string, layer: Layer): string | undefined {
  const specifier = importSpecifierOf(node)
  if (specifier === undefined) return undefined
  if (!ts.isStringLiteralLike(specifier)) return 'imports what only the running program knows'
  const name = specifier.text
  return name.startsWith('.') ? objectionToRelative(name, path, layer) : objectionToBare(name, layer)
}

/** The expression that names the module, for each of the six ways to import one. */
function importSpecifierOf(node: ts.Node): ts.Node | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return node.moduleSpecifier
  if (ts.isExternalModuleReference(node)) return node.expression
  if (ts.isImportTypeNode(node))
    return ts.isLiteralTypeNode(node.argument) ? node.argument.literal : node.argument
  if (ts.isCallExpression(node)) {
    const { expression } = node
    const imports = expression.kind === ts.SyntaxKind.ImportKeyword
    const requires = ts.isIdentifier(expression) && expression.text === 'require'
    return imports || requires ? (node.arguments[0] ?? node) : undefined
  }
  return undefined
}

function objectionToRelative(name: string, path: string, layer: Layer): string | undefined {
  if (!/\.(tsx?|css|json|svg)$/.test(name)) return `imports ${name} without its extension`
  const target = posix.join(posix.dirname(path), name)
  const targetLayer = layerOf(target)
  if (packageOf(target) !== packageOf(path)) return `imports ${name}, which lies outside its package`
  if (targetLayer === undefined) return `imports ${name}, which lies in no layer`
  if (targetLayer === layer || layer.below.includes(targetLayer.name)) return undefined
  return `imports ${name}: ${layer.name} may not import ${targetLayer.name}`
}

function objectionToBare(name: string, layer: Layer): string | undefined {
  if (name.startsWith('@tautline/')) {
    const packageName = name.split('/').slice(0, 2).join('/')
    return layer.packages.includes(packageName) ? undefined : `imports ${name}: ${layer.name} may not`
  }
  const listed = name.startsWith('node:') ? 'node:' : name
  return layer.thirdParty.includes(listed)
    ? undefined
    : `imports ${name}, which is not listed for ${layer.name}`
}

function packageOf(path: string): string {
  return path.split('/').slice(0, 2).join('/')
}

// --- everything else -----------------------------------------------------------------------------------------------

function objectionToNode(node: ts.Node, layer: Layer): string | undefined {
  if (node.kind === ts.SyntaxKind.AnyKeyword) return 'says `any`'
  if (!layer.pure) return undefined
  if (ts.isMetaProperty(node) && node.keywordToken === ts.SyntaxKind.ImportKeyword) return 'asks import.meta'
  if (ts.isStringLiteralLike(node) && ts.isElementAccessExpression(node.parent))
    return objectionToMember(node)
  if (!ts.isIdentifier(node)) return undefined
  if (isMemberName(node)) return objectionToMember(node)
  if (
    node.text === 'Math' &&
    !ts.isPropertyAccessExpression(node.parent) &&
    !ts.isElementAccessExpression(node.parent)
  ) {
    return 'passes Math on, and its dice with it'
  }
  return impureGlobals.has(node.text) ? `names ${node.text} in a pure layer` : undefined
}

/** Whether the identifier names a member, not something in scope: `x.name`, `{ name: … }`, `{ name: local } = x`. */
function isMemberName(node: ts.Identifier): boolean {
  const { parent } = node
  if (ts.isPropertyAccessExpression(parent) || ts.isPropertyAssignment(parent)) return parent.name === node
  if (ts.isQualifiedName(parent)) return parent.right === node
  if (ts.isBindingElement(parent)) return parent.propertyName === node
  return ts.isTypeElement(parent) || ts.isClassElement(parent) ? parent.name === node : false
}

function objectionToMember(node: ts.Identifier | ts.StringLiteralLike): string | undefined {
  if (node.text === 'random' && isMemberOfMath(node)) return 'throws dice in a pure layer'
  return localeMethods.has(node.text)
    ? `calls ${node.text}, which depends on the machine's language`
    : undefined
}

/** A seeded `random` of our own is no dice; `Math` handed on by another name is caught where it is handed on. */
function isMemberOfMath({ parent }: ts.Node): boolean {
  const isAccess = ts.isPropertyAccessExpression(parent) || ts.isElementAccessExpression(parent)
  return isAccess && ts.isIdentifier(parent.expression) && parent.expression.text === 'Math'
}
