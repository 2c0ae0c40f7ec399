// An application that imports what is published as ES modules: one message, through a real socket, into SQLite.
// scripts/check-packages.mjs runs it on plain Node beside the unpacked tarballs, and checks its types there.

import assert from 'node:assert/strict'
import { createClient } from '@tautline/client'
import { file } from '@tautline/client/file'
import { indexedDb } from '@tautline/client/indexeddb'
import { memoryStore, memoryTransport } from '@tautline/client/memory'
import { validatingDoor } from '@tautline/client/validate'
import { decodeClientFrame } from '@tautline/protocol'
import { makeMessageId } from '@tautline/protocol/wire'
import { useRoom } from '@tautline/react'
import { createServer, createToken, sqlite } from '@tautline/server'
import { useRoom as useRoomInVue } from '@tautline/vue'

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

const secret = 'a secret of thirty-two bytes or more'
const server = await createServer({ port: 0, auth: { secret }, store: sqlite('mjs.db'), logger: false })
const client = createClient({ url: server.url, getToken: () => createToken({ secret, userId: 'alice' }) })
await client.connect()
const room = client.room('general')
await room.join()
const { seq } = await room.send({ content: 'hello' })
assert.equal(typeof seq, 'number')
await client.close()
await server.close()
