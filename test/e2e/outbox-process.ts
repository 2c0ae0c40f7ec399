/**
 * A client with its outbox in a file, in a process of its own, to be killed. Run with the options as JSON in its first
 * argument; it prints `queued N` for each message that the outbox has taken, `acknowledged N` for each outcome, and
 * `empty` when nothing is left, and then ends.
 */
import { createClient, type Sent } from '@tautline/client'
import { file } from '@tautline/client/file'

export interface OutboxProcessOptions {
  readonly url: string
  readonly token: string
  readonly userId: string
  readonly room: string
  /** Where the outbox is kept. */
  readonly path: string
  /** Whether it connects. */
  readonly isOnline: boolean
  /** Messages `from` to `to` are said; their content is the number. */
  readonly from: number
  readonly to: number
}

const { url, token, userId, room, path, isOnline, from, to } = JSON.parse(
  process.argv[2] ?? '{}',
) as OutboxProcessOptions

const client = createClient({ url, userId, getToken: () => token, outbox: { store: file(path) } })

function watch(sent: Sent): void {
  let before = sent.status
  sent.subscribe(() => {
    const now = sent.status
    if (now !== before && (now === 'queued' || now === 'acknowledged'))
      process.stdout.write(`${now} ${sent.content}\n`)
    before = now
    // What is decided is told first, and then forgotten.
    if (now === 'acknowledged' || now === 'failed') setImmediate(endWhenEmpty)
  })
}

function endWhenEmpty(): void {
  if (client.outbox.list().length > 0) return
  void client.close().then(() => process.stdout.write('empty\n'))
}

client.room(room).on('sending', watch)
if (isOnline) await client.connect()
for (let n = from; n <= to; n++) {
  client.room(room).send({ content: String(n) })
  // A few at a time, so that it dies in the midst of it.
  if (n % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
}
// Until it is killed, or everything is decided.
setInterval(() => {}, 1_000)
