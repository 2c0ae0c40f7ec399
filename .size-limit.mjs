// How much of a page's first load the packages may take: as bundled for a browser, minified and gzipped, with all of
// their dependencies. `npm run size` measures what stands in dist/.
//
// A budget is written for a reason, or stands just above what the thing weighs today; what makes it heavier raises it
// in the same commit, on purpose.

/** The client checks frames by hand (its `openDoor`), so that no schema library is in the default bundle. */
const withoutZod = {
  name: 'without-zod',
  setup(build) {
    build.onResolve({ filter: /^zod(\/|$)/ }, ({ importer }) => ({
      errors: [{ text: `zod is in the default bundle: ${importer} imports it` }],
    }))
  },
}

/** As an application of today is built: nothing of it is rewritten for older browsers. */
const forBrowser = (config) => ({
  ...config,
  target: 'es2022',
  plugins: [...(config.plugins ?? []), withoutZod],
})

export default [
  {
    name: 'createClient, with the native WebSocket',
    path: 'packages/client/dist/index.js',
    import: '{ createClient }',
    // The aim is 10 kB; what takes the room stands in docs/architecture.md. Lower this with every saving.
    limit: '19.15 kB',
    gzip: true,
    modifyEsbuildConfig: forBrowser,
  },
  {
    name: 'a whole chat: the client, IndexedDB and tabs, timeline, history, administration, presence, notifications, names',
    path: [],
    import: {
      'packages/client/dist/index.js': '{ createClient }',
      'packages/client/dist/indexeddb.js': '{ indexedDb }',
      'packages/client/dist/timeline.js': '{ timeline }',
      'packages/client/dist/history.js': '{ history, thread, versions, reactions }',
      'packages/client/dist/admin.js': '{ admin }',
      'packages/client/dist/presence.js': '{ presence }',
      'packages/client/dist/notifications.js': '{ notifications }',
      'packages/client/dist/users.js': '{ users }',
    },
    // The aim is 13 kB.
    limit: '31.1 kB',
    gzip: true,
    modifyEsbuildConfig: forBrowser,
  },
  {
    name: 'createClient with the validating door',
    path: [],
    import: {
      'packages/client/dist/index.js': '{ createClient }',
      'packages/client/dist/validate.js': '{ validatingDoor }',
    },
    // The aim is 23 kB. 8 kB are the schema library, 3 the schemas of what servers say.
    limit: '30.6 kB',
    gzip: true,
    modifyEsbuildConfig: (config) => ({ ...config, target: 'es2022' }),
  },
  {
    // With history, and the checks of what it answers, which the client has in part.
    name: 'timeline, beyond the client',
    path: 'packages/client/dist/timeline.js',
    limit: '3.4 kB',
    gzip: true,
    modifyEsbuildConfig: forBrowser,
  },
  {
    name: 'presence, beyond the client',
    path: 'packages/client/dist/presence.js',
    ignore: ['@tautline/protocol'],
    // A third of it is for being away by itself; the rest of the limit is the store of snapshots, which the client has anyway.
    limit: '2.2 kB',
    gzip: true,
    modifyEsbuildConfig: forBrowser,
  },
  {
    name: 'notifications, beyond the client',
    path: 'packages/client/dist/notifications.js',
    // What it takes of the protocol the client has already.
    ignore: ['@tautline/protocol'],
    // 1.6 kB where the client is there already, whose events and store it shares.
    limit: '2.6 kB',
    gzip: true,
    modifyEsbuildConfig: forBrowser,
  },
  {
    name: 'users, beyond the client',
    path: 'packages/client/dist/users.js',
    ignore: ['@tautline/protocol'],
    limit: '1.1 kB',
    gzip: true,
    modifyEsbuildConfig: forBrowser,
  },
  {
    name: 'unread, beyond the client',
    path: 'packages/client/dist/unread.js',
    ignore: ['@tautline/protocol'],
    // 0.84 kB where the client is there already, whose store and shapes it shares.
    limit: '1.6 kB',
    gzip: true,
    modifyEsbuildConfig: forBrowser,
  },
  {
    name: 'extend and defineProtocol, beyond the client',
    path: 'packages/client/dist/extension.js',
    // 1.4 kB for extend with the checks of what it hears, and 0.5 for defineProtocol; the rest the client has anyway.
    limit: '3 kB',
    gzip: true,
    modifyEsbuildConfig: forBrowser,
  },
  {
    name: 'calls, beyond the client',
    path: 'packages/client/dist/calls.js',
    ignore: ['@tautline/protocol'],
    // 5.5 kB is its own; the rest (extend, listeners, the store of snapshots) the client or another subject has.
    limit: '7.9 kB',
    gzip: true,
    modifyEsbuildConfig: forBrowser,
  },
  {
    name: 'devtools, beyond the client, until they are opened',
    path: 'packages/client/dist/devtools.js',
    ignore: ['@tautline/protocol'],
    limit: '6.4 kB',
    gzip: true,
    modifyEsbuildConfig: (config) =>
      forBrowser({ ...config, external: [...(config.external ?? []), './panel-*.js'] }),
  },
  {
    name: 'devtools, beyond the client, with the panel',
    path: 'packages/client/dist/devtools.js',
    ignore: ['@tautline/protocol'],
    limit: '13.6 kB',
    gzip: true,
    modifyEsbuildConfig: forBrowser,
  },
  {
    name: 'indexedDb, beyond the client',
    path: 'packages/client/dist/indexeddb.js',
    ignore: ['@tautline/protocol'],
    // 2.8 kB of it is what the core does with any store: a client without one does not carry it.
    limit: '6.6 kB',
    gzip: true,
    modifyEsbuildConfig: forBrowser,
  },
  {
    name: 'validatingDoor, beyond the client: the schemas and their library',
    path: 'packages/client/dist/validate.js',
    limit: '13.6 kB',
    gzip: true,
    modifyEsbuildConfig: (config) => ({ ...config, target: 'es2022' }),
  },
  {
    name: '@tautline/react, beyond the client',
    path: 'packages/react/dist/index.js',
    ignore: ['react', '@tautline/client'],
    // The aim is 3 kB.
    limit: '1.8 kB',
    gzip: true,
    modifyEsbuildConfig: forBrowser,
  },
  {
    name: '@tautline/vue, beyond the client',
    path: 'packages/vue/dist/index.js',
    ignore: ['vue', '@tautline/client'],
    // The aim is 3 kB.
    limit: '1.5 kB',
    gzip: true,
    modifyEsbuildConfig: forBrowser,
  },
]
