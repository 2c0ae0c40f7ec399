/**
 * The address of a server as people type it: `127.0.0.1:8080`, `http://…`, `wss://…/ws` all name one. From it come the
 * URL of the WebSocket and that of the health report.
 */
import { UsageError } from './command.ts'

const WEB_SOCKET_PATH = '/ws'
const HEALTH_PATH = '/health'
/** In pairs: of the WebSocket, of HTTP. */
const PROTOCOLS = [
  ['ws:', 'http:'],
  ['wss:', 'https:'],
] as const

/** Without a path it is /ws, where servers listen by default. */
export function webSocketUrl(given: string): string {
  const url = parse(given)
  const [protocol] = pairOf(url, given)
  if (url.pathname === '/') url.pathname = WEB_SOCKET_PATH
  return withProtocol(url, protocol)
}

/** The address of the WebSocket does as well: its health is beside it. */
export function healthUrl(given: string): string {
  const url = parse(given)
  const [, protocol] = pairOf(url, given)
  if (url.pathname === '/' || url.pathname === WEB_SOCKET_PATH) url.pathname = HEALTH_PATH
  return withProtocol(url, protocol)
}

function parse(given: string): URL {
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(given) ? given : `ws://${given}`
  if (URL.canParse(text)) return new URL(text)
  throw new UsageError(`"${given}" is no address. A server's looks like ws://127.0.0.1:8080/ws`)
}

function pairOf({ protocol }: URL, given: string): (typeof PROTOCOLS)[number] {
  const pair = PROTOCOLS.find((names) => names.some((name) => name === protocol))
  if (pair) return pair
  throw new UsageError(`"${given}" is no address of a server: it begins with ws, wss, http or https.`)
}

/** By hand: a URL does not let its protocol change between all of these. */
function withProtocol({ host, pathname, search }: URL, protocol: string): string {
  return `${protocol}//${host}${pathname}${search}`
}
