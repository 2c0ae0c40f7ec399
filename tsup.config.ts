// What each package publishes: a plain list of builds. `dist/` of every package is emptied first.
// NO_DTS=1 leaves out the type declarations, which take most of the time.

import { readFileSync, rmSync } from 'node:fs'
import { defineConfig, type Options } from 'tsup'

const bareImports = /^[^./]/

function packageBuild(name: string, entries: Record<string, string>, options: Options = {}): Options {
  const folder = `packages/${name}`
  return {
    name,
    entry: Object.fromEntries(Object.entries(entries).map(([entry, file]) => [entry, `${folder}/${file}`])),
    outDir: `${folder}/dist`,
    format: ['esm', 'cjs'],
    target: 'es2022',
    // By default tsup keeps out what the manifest beside it names, and that is the workspace's, not the package's.
    external: [bareImports],
    dts: !process.env.NO_DTS,
    sourcemap: true,
    // What two entries share stays one module, in CommonJS too: a class must not exist twice.
    splitting: true,
    removeNodeProtocol: false,
    ...options,
  }
}

/**
 * Making a schema has no effect beside it: said of each, so that a page that validates what servers say does not carry the
 * schemas of what clients say. (zod says so of its functions, but no bundler sees it through `z.`.)
 */
const schemasArePure: NonNullable<Options['esbuildPlugins']>[number] = {
  name: 'schemas-are-pure',
  setup(build) {
    build.onLoad({ filter: /protocol\/src\/.*\.ts$/ }, ({ path }) => {
      const text = readFileSync(path, 'utf8')
      return { contents: text.replace(/(?<![\w.$])(?=z\.\w+\()/g, '/* @__PURE__ */ '), loader: 'ts' }
    })
  },
}

const clientEntries = {
  index: 'src/index.ts',
  admin: 'src/admin.ts',
  history: 'src/history.ts',
  memory: 'src/memory.ts',
  messages: 'src/messages.ts',
  timeline: 'src/timeline.ts',
  notifications: 'src/notifications.ts',
  users: 'src/users.ts',
  unread: 'src/unread-rooms.ts',
  file: 'src/node/file.ts',
  indexeddb: 'src/stores/indexeddb.ts',
  extension: 'src/extension.ts',
  presence: 'src/presence.ts',
  calls: 'src/calls.ts',
  session: 'src/session.ts',
  devtools: 'src/devtools.ts',
  validate: 'src/validate.ts',
}

for (const name of ['protocol', 'client', 'server', 'react', 'vue', 'cli']) {
  rmSync(`packages/${name}/dist`, { recursive: true, force: true })
}

export default defineConfig([
  packageBuild(
    'protocol',
    {
      index: 'src/index.ts',
      // No entry point, but a file of its own: examples say much, and who does not ask for them does not get them.
      examples: 'src/examples.ts',
      wire: 'src/wire.ts',
      extension: 'src/extension.ts',
      calls: 'src/calls.ts',
      schema: 'src/schema.ts',
    },
    { esbuildPlugins: [schemasArePure] },
  ),
  packageBuild('client', clientEntries, { format: 'esm' }),
  // nanoid is published as ES modules only, so the CommonJS build carries its own copy.
  packageBuild('client', clientEntries, { format: 'cjs', noExternal: ['nanoid'] }),
  packageBuild('server', { index: 'src/index.ts', calls: 'src/calls.ts' }, { target: 'node22' }),
  // Split, the CommonJS build would have helpers before the banner, which is one at the very beginning alone.
  packageBuild('react', { index: 'src/index.ts' }, { banner: { js: "'use client'" }, splitting: false }),
  packageBuild('vue', { index: 'src/index.ts' }),
  // A program: nobody imports it.
  packageBuild('cli', { cli: 'src/cli.ts' }, { format: 'esm', target: 'node22', dts: false }),
])
