// Writes what authors in other languages need into packages/protocol/dist, from the tables of the protocol: JSON Schemas,
// the AsyncAPI document, the codes, the examples and the vectors of the lane. A step of `npm run build`; run by itself:
//
//     node_modules/.bin/node --conditions=source scripts/protocol-files.mjs

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CODES, EXAMPLES, MEANINGS } from '@tautline/protocol'
import { asyncApi, jsonSchemas, laneVectors } from '@tautline/protocol/schema'

const folder = fileURLToPath(new URL('../packages/protocol/', import.meta.url))
const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))

write('asyncapi.json', asyncApi(version))
write(
  'codes.json',
  Object.fromEntries(Object.entries(CODES).map(([code, row]) => [code, { meaning: MEANINGS[code], ...row }])),
)
write('examples.json', EXAMPLES)
write('lane-vectors.json', laneVectors())
for (const { name, schema } of jsonSchemas()) write(`schema/${name}.json`, schema)

function write(name, value) {
  const path = join(folder, 'dist', name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`)
}
