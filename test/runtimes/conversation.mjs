// One conversation, the same on every runtime: connect, send, lose the server, send on, come back, read history. Run with
// `{ url, token, userId, room }` as JSON in its last argument. It prints `half` when the first half is acknowledged, and
// goes on when the connection is lost; at the end, what it saw as JSON.

import { createClient } from '@tautline/client'
import { history } from '@tautline/client/history'

const HALF = 25
const { url, token, userId, room: id } = JSON.parse(process.argv.at(-1))

// Nobody waits for longer, and a process that nobody waits for must not stay.
const deadline = setTimeout(() => process.exit(1), 20_000)

const client = createClient({
  url,
  userId,
  getToken: () => token,
  backoff: { minMs: 50, baseMs: 50, capMs: 200 },
})
const statuses = []
client.on('status', ({ status }) => statuses.push(status))

await client.connect()
const room = client.room(id)
await room.join()
const heard = []
room.on('message', ({ seq, content }) => heard.push([seq, content]))

const send = (from) => Array.from({ length: HALF }, (_, i) => room.send({ content: `${from + i}` }))
const first = await Promise.all(send(0))
const isLost = new Promise((resolve) => {
  client.on('status', ({ status }) => status === 'waiting' && resolve())
})
console.log('half')
await isLost
const second = await Promise.all(send(HALF))

const { messages } = await history(room, { limit: 100 })
await client.close()
clearTimeout(deadline)
console.log(
  JSON.stringify({
    acknowledged: [...first, ...second].map(({ seq }) => seq),
    heard,
    history: messages.map(({ seq, content }) => [seq, content]),
    statuses,
  }),
)
