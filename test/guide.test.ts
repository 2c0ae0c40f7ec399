// Holds docs/guide.md and each README to what there is: every piece of TypeScript in them is type-checked, and those marked
// `ts run` are run against a server in this process, as alice, who is connected as `client`.

import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { compileFunction } from 'node:vm'
import * as clientModule from '@tautline/client'
import * as serverModule from '@tautline/server'
import ts from 'typescript'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const snippets = snippetsOf(readFileSync(join(root, 'docs/guide.md'), 'utf8'))
const ofReadmes = globSync(['README.md', 'packages/*/README.md'], { cwd: root }).flatMap((path) =>
  snippetsOf(readFileSync(join(root, path), 'utf8')),
)

/** What the pieces may take for granted, and what they import that is not ours to install. */
const PRELUDE = `
declare const client: import('@tautline/client').Client
declare const url: string
declare const getToken: () => Promise<string>
declare const secret: string
declare const text: string
declare function openChannel(): {
  onopen: () => void
  onmessage: (event: { data: unknown }) => void
  onclose: () => void
  send(text: string): void
  close(): void
}
declare module 'react-native' {
  const AppState: {
    addEventListener(type: 'change', listener: (state: string) => void): { remove(): void }
  }
}
declare module '@react-native-community/netinfo' {
  const NetInfo: { addEventListener(listener: (state: { isConnected: boolean | null }) => void): () => void }
  export default NetInfo
}
`

describe('the pieces of the guide and of each README', () => {
  it('are there', () => {
    expect(snippets.length).toBeGreaterThan(12)
    expect(snippets.filter(({ isRun }) => isRun).length).toBeGreaterThan(7)
    expect(ofReadmes.length).toBe(8)
  })

  it('are what the type checker accepts', () => {
    expect(faultsOf([...snippets, ...ofReadmes])).toEqual([])
  }, 60_000)

  it('would not be, were one of them wrong', () => {
    expect(faultsOf([{ code: 'client.conect()', extension: 'ts' }])).toHaveLength(1)
  }, 60_000)
})

describe('a piece of the guide, run', () => {
  let server: serverModule.Server
  const clients: clientModule.Client[] = []
  beforeAll(async () => {
    server = await serverModule.createServer({
      port: 0,
      auth: { verify: (token) => ({ userId: token }) },
      store: serverModule.memory(),
      logger: false,
    })
  })
  afterAll(async () => {
    await Promise.all(clients.map((client) => client.close()))
    await server.close()
  })

  function createClient(options: clientModule.ClientOptions): clientModule.Client {
    const client = clientModule.createClient(options)
    clients.push(client)
    return client
  }

  const load = async (name: string): Promise<object> =>
    name === '@tautline/client' ? { ...clientModule, createClient } : ((await import(name)) as object)

  /** What it prints. */
  async function run(code: string): Promise<string> {
    const url = `ws://127.0.0.1:${server.port}/ws`
    const getToken = () => 'alice'
    const client = createClient({ url, userId: 'alice', getToken })
    await client.connect()
    const lines: string[] = []
    const given = {
      load,
      client,
      url,
      getToken,
      fetch: () => Promise.resolve({ text: () => 'alice' }),
      console: { log: (...words: unknown[]) => void lines.push(words.join(' ')) },
    }
    const body = `return (async () => { ${runnable(code).replace('ws://127.0.0.1:8080/ws', url)} })()`
    const program = compileFunction(body, Object.keys(given)) as (...values: unknown[]) => Promise<void>
    await program(...Object.values(given))
    return lines.join('\n')
  }

  const printed: Record<string, RegExp> = {
    Send: /acknowledged\nit has place \d+, for everybody, for ever/,
    'History and timeline': /alice|the end/,
    'Your own messages':
      /#2 bob: 12 an hour\nat 2\nPainter\nNobody offers j18\.\n#3 bob: 20 an hour\nj17 is gone/,
    Errors: /There is no such room, or it is not yours\./,
  }

  it.each(snippets.filter(({ isRun }) => isRun))('does what it says: $title', async ({ heading, code }) => {
    expect(await run(code)).toMatch(printed[heading] ?? /^/)
  })
})

interface Snippet {
  readonly heading: string
  readonly title: string
  readonly isRun: boolean
  readonly extension: string
  readonly code: string
}

function snippetsOf(markdown: string): Snippet[] {
  return markdown.split(/^## /m).flatMap((section) => {
    const heading = section.slice(0, section.indexOf('\n'))
    return Array.from(section.matchAll(/^```ts(x| run)?\n([\s\S]*?)^```/gm), ([, mark, code = ''], i) => ({
      heading,
      title: `${heading}, no. ${i + 1}`,
      isRun: mark === ' run',
      extension: mark === 'x' ? 'tsx' : 'ts',
      code,
    }))
  })
}

/** Of each piece as a module of its own, by the rules of this workspace. */
function faultsOf(pieces: readonly Pick<Snippet, 'code' | 'extension'>[]): string[] {
  const config = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile).config as {
    compilerOptions: object
  }
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root)
  const texts = new Map(
    pieces.map(({ code, extension }, i) => [
      join(root, `test/piece-${i + 1}.${extension}`),
      `${code}\nexport {}\n`,
    ]),
  )
  texts.set(join(root, 'test/guide-prelude.d.ts'), PRELUDE)
  const host = ts.createCompilerHost(options)
  const { fileExists, readFile, getSourceFile } = host
  host.fileExists = (path) => texts.has(path) || fileExists.call(host, path)
  host.readFile = (path) => texts.get(path) ?? readFile.call(host, path)
  host.getSourceFile = (path, ...rest) => {
    const text = texts.get(path)
    if (text === undefined) return getSourceFile.call(host, path, ...rest)
    return ts.createSourceFile(path, text, ts.ScriptTarget.ESNext)
  }
  const program = ts.createProgram([...texts.keys()], options, host)
  return ts
    .getPreEmitDiagnostics(program)
    .map(
      ({ file, messageText }) =>
        `${file?.fileName ?? ''}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`,
    )
}

/** Without types, and with what it imports asked of `load`. */
function runnable(code: string): string {
  const { outputText } = ts.transpileModule(code, {
    compilerOptions: { target: ts.ScriptTarget.ESNext, module: ts.ModuleKind.ESNext },
  })
  return outputText.replace(
    /^import \{([^}]*)\} from ['"]([^'"]+)['"];?$/gm,
    (_line, names: string, from: string) =>
      `const {${names.replaceAll(' as ', ': ')}} = await load('${from}');`,
  )
}
