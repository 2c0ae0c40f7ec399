/** A client of the server that this page came from, with the tokens that the demo signs for anybody. */
import type { Client } from '@tautline/client'
import { indexedDb } from '@tautline/client/indexeddb'
import { presence } from '@tautline/client/presence'
import { createWatchedClient } from './devtools-button.tsx'

const TOKEN_PATH = '/demo/token'

export function createDemoClient(userId: string): Client {
  const url = new URL('/ws', location.href)
  url.protocol = url.protocol.replace('http', 'ws')
  url.search = ''
  url.hash = ''
  const client = createWatchedClient({
    url: url.href,
    userId,
    getToken: () => fetchToken(userId),
    // All tabs of this user share what is in it, and one of them sends.
    outbox: { store: indexedDb() },
  })
  presence(client, { autoAway: true })
  return client
}

async function fetchToken(userId: string): Promise<string> {
  const response = await fetch(TOKEN_PATH, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ userId }),
  })
  const answer = (await response.json()) as { readonly token?: string; readonly error?: string }
  if (!response.ok || answer.token === undefined) throw new Error(answer.error ?? `HTTP ${response.status}`)
  return answer.token
}
