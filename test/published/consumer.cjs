// The same application as consumer.mjs, in CommonJS.

const assert = require('node:assert/strict')
const { readFileSync } = require('node:fs')
const { createClient } = require('@tautline/client')
const { file } = require('@tautline/client/file')
const { indexedDb } = require('@tautline/client/indexeddb')
const { memoryStore, memoryTransport } = require('@tautline/client/memory')
const { validatingDoor } = require('@tautline/client/validate')
const { decodeClientFrame } = require('@tautline/protocol')
const { makeMessageId } = require('@tautline/protocol/wire')
const { useRoom } = require('@tautline/react')
const { createServer, createToken, sqlite } = require('@tautline/server')
const { useRoom: useRoomInVue } = require('@tautline/vue')

for (const exported of [
  file,
  indexedDb,
  memoryStore,
  memoryTransport,
  validatingDoor,
  decodeClientFrame,
  makeMessageId,
  useRoom,
  useRoomInVue,
]) {
  assert.equal(typeof exported, 'function')
}

// A directive is one at the very beginning alone.
assert.ok(readFileSync(require.resolve('@tautline/react'), 'utf8').startsWith("'use client'"))

async function main() {
  const secret = 'a secret of thirty-two bytes or more'
  const server = await createServer({ port: 0, auth: { secret }, store: sqlite('cjs.db'), logger: false })
  const client = createClient({ url: server.url, getToken: () => createToken({ secret, userId: 'alice' }) })
  await client.connect()
  const room = client.room('general')
  await room.join()
  const { seq } = await room.send({ content: 'hello' })
  assert.equal(typeof seq, 'number')
  await client.close()
  await server.close()
}

void main()
