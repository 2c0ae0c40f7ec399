/**
 * `POST /demo/token`: signs a token for whatever name is asked for. That is no authentication at all, so it is done
 * for this machine alone: the connection, the name in the Host header (a foreign name that was pointed at 127.0.0.1 is
 * refused) and the page that asks must all be of it, and no proxy may stand between.
 */
import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { USER_ID } from '@tautline/protocol/wire'
import { createToken } from '@tautline/server'
import { isLoopback } from './arguments.ts'

export const TOKEN_PATH = '/demo/token'

export interface Answer {
  readonly status: number
  readonly body: { readonly token: string } | { readonly error: string }
}

const MAX_BODY_BYTES = 1_024

export async function answerTokenRequest(request: IncomingMessage, secret: string): Promise<Answer> {
  const objection = objectionTo(request.socket.remoteAddress, request.headers)
  if (objection !== undefined) return refusal(403, objection)
  if (request.method !== 'POST') return refusal(405, 'ask with POST')
  if (!/^application\/json\b/i.test(request.headers['content-type'] ?? '')) return refusal(415, 'ask in JSON')
  const body = await readBody(request)
  if (body === undefined) return refusal(413, 'that is too long for a name')
  const userId = userIdIn(body)
  if (userId === undefined)
    return refusal(400, 'a name is 1 to 128 characters of A-Z a-z 0-9 . _ @ | : + = and -')
  return { status: 200, body: { token: await createToken({ userId, secret }) } }
}

/** Why this request does not come from a page of ours on this machine, or undefined. */
export function objectionTo(
  remoteAddress: string | undefined,
  headers: IncomingHttpHeaders,
): string | undefined {
  const { host, origin } = headers
  const site = headers['sec-fetch-site']
  if (!isLoopback(remoteAddress ?? '')) return 'demo tokens are for this machine alone'
  if (
    headers['x-forwarded-for'] !== undefined ||
    headers.forwarded !== undefined ||
    headers.via !== undefined
  )
    return 'demo tokens are not handed out through a proxy'
  if (!isLoopback(hostnameOf(host))) return 'demo tokens are for pages at a loopback address alone'
  if (origin !== undefined && origin !== `http://${host}`)
    return 'demo tokens are not for pages of another origin'
  if (site !== undefined && site !== 'same-origin') return 'demo tokens are not for pages of another site'
  return undefined
}

function hostnameOf(host: string | undefined): string {
  const url = `http://${host ?? ''}`
  return URL.canParse(url) ? new URL(url).hostname : ''
}

const refusal = (status: number, error: string): Answer => ({ status, body: { error } })

async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > MAX_BODY_BYTES) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function userIdIn(body: string): string | undefined {
  try {
    const asked = JSON.parse(body) as { readonly userId?: unknown } | null
    return typeof asked?.userId === 'string' && USER_ID.test(asked.userId) ? asked.userId : undefined
  } catch {
    return undefined // not JSON: the caller says what a request looks like
  }
}

/** The secret of this file, which is made, readable for its owner alone, where there is none. */
export function keptSecret(file: string): string {
  try {
    writeFileSync(file, randomBytes(32).toString('base64url'), { flag: 'wx', mode: 0o600 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  return readFileSync(file, 'utf8').trim()
}
