// Holds what the built entry points export, as ES modules and as CommonJS, to the lists of names whose folder is the
// first argument: `client.memory.txt` has the names of @tautline/client/memory.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const require = createRequire(import.meta.url)
const folder = process.argv[2] ?? ''

for (const file of readdirSync(folder)) {
  const name = `@tautline/${file.replace(/\.txt$/, '').replaceAll('.', '/')}`
  const frozen = readFileSync(join(folder, file), 'utf8').match(/(?<=^value ).+$/gm) ?? []
  assert.deepEqual(Object.keys(await import(name)).sort(), frozen, `import of ${name}`)
  assert.deepEqual(Object.keys(require(name)).sort(), frozen, `require of ${name}`)
}
