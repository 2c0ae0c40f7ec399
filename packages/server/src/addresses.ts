/**
 * Addresses of machines: which of them are this one, and which connections count as coming from the same.
 *
 * A client can write any X-Forwarded-For; what it wrote stands to the left of what the proxies added. So only as many
 * entries are believed, from the right, as there are proxies of one's own.
 */
import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'

export interface SourceOptions {
  /** Proxies of one's own between the clients and the server, each of which adds an entry. */
  readonly trustedProxies: number
  /** Whether this machine is an address like any other, or is not bound. */
  readonly countsLoopback: boolean
}

export interface SourceHooks {
  /** Once: a proxy told for whom it speaks, and was not believed, since there is none of one's own. */
  readonly onUnbelieved: () => void
}

/** What is counted as one address; undefined: it is not counted. */
export interface Sources {
  ofRequest(request: IncomingMessage): string | undefined
  ofAddress(address: string | undefined): string | undefined
}

export function createSources(
  { trustedProxies, countsLoopback }: SourceOptions,
  { onUnbelieved }: SourceHooks,
): Sources {
  let isToldOf = false

  function ofAddress(address: string | undefined): string | undefined {
    if (address === undefined) return undefined
    return !countsLoopback && isLoopback(unmapped(address)) ? undefined : blockOf(address)
  }
  return {
    ofAddress,
    ofRequest(request) {
      const forwarded = forwardedFor(request, trustedProxies)
      // What a proxy names is a client, even on the machine of the proxy.
      if (forwarded !== undefined) return blockOf(forwarded)
      if (!isToldOf && trustedProxies === 0 && request.headers['x-forwarded-for'] !== undefined) {
        isToldOf = true
        onUnbelieved()
      }
      return ofAddress(request.socket.remoteAddress)
    },
  }
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host)
}

/** The entry that the outermost of our proxies added; undefined where there is none that is an address. */
function forwardedFor({ headers }: IncomingMessage, trustedProxies: number): string | undefined {
  const header = headers['x-forwarded-for']
  if (trustedProxies === 0 || header === undefined) return undefined
  const entries = (Array.isArray(header) ? header.join(',') : header).split(',')
  const entry = entries[Math.max(0, entries.length - trustedProxies)]?.trim() ?? ''
  const address = /^\[(.+)\](?::\d+)?$/.exec(entry)?.[1] ?? /^([\d.]+):\d+$/.exec(entry)?.[1] ?? entry
  return isIP(address) === 0 ? undefined : address
}

/** An IPv4 address is one machine or one house; of IPv6 a house has a /64, and whoever is in it any address of that. */
function blockOf(address: string): string {
  const plain = unmapped(address)
  if (isIP(plain) !== 6) return plain
  const [head = '', tail] = plain.replace(/%.*$/, '').toLowerCase().split('::')
  const front = head === '' ? [] : head.split(':')
  const missing = tail === undefined ? 0 : Math.max(0, 8 - front.length - groupsOf(tail))
  const groups = [
    ...front,
    ...Array<string>(missing).fill('0'),
    ...(tail === undefined ? [] : tail.split(':')),
  ]
  const block = groups.slice(0, 4).map((group) => Number.parseInt(group || '0', 16).toString(16))
  return `${block.join(':')}::/64`
}

/** In groups of 16 bits; an IPv4 address at the end is two of them. */
function groupsOf(tail: string): number {
  if (tail === '') return 0
  return tail.split(':').length + (tail.includes('.') ? 1 : 0)
}

/** An IPv4 address as sockets that speak both give it: `::ffff:192.0.2.1`. */
function unmapped(address: string): string {
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address
}
