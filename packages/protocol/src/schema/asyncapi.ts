/**
 * The protocol as an AsyncAPI 3.1 document, from the same tables as everything else. It describes a server: `receive` is
 * what clients say, `send` what the server says by itself. Its schemas are of draft 7, which every tool for AsyncAPI
 * reads. Commands and entries travel inside `commands` and `entries`; their schemas stand among the components.
 */
import { EXAMPLES } from '../examples.ts'
import { SUBPROTOCOL } from '../limits.ts'
import { CLIENT_EXCHANGES } from './exchanges.ts'
import { type JsonSchema, jsonSchemas, type NamedSchema } from './json-schema.ts'

const CHANNEL = { $ref: '#/channels/connection' }

/** `version`: that of the package. */
export function asyncApi(version: string): Record<string, unknown> {
  const schemas = jsonSchemas('draft-7')
  const client = schemas.filter(({ group }) => group === 'client')
  const server = schemas.filter(({ group }) => group === 'server')
  const messages = [...client, ...server]
  return {
    asyncapi: '3.1.0',
    info: {
      title: 'Tautline',
      version,
      description: `Realtime messaging over WebSocket, subprotocol ${SUBPROTOCOL}. A text frame carries one envelope, or an array of them.`,
      license: { name: 'MIT' },
    },
    defaultContentType: 'application/json',
    servers: { local: { host: '127.0.0.1:8080', protocol: 'ws', pathname: '/ws' } },
    channels: {
      connection: {
        address: '/',
        title: 'One connection',
        description: `Opened with the subprotocol ${SUBPROTOCOL}; the first frame of the client is authenticate.`,
        messages: Object.fromEntries(
          messages.map(({ name }) => [name, { $ref: `#/components/messages/${name}` }]),
        ),
        bindings: { ws: { method: 'GET' } },
      },
    },
    operations: Object.fromEntries([
      ...client.map((message) => [message.name, receive(message)]),
      ...server.filter(isUnasked).map((message) => [message.name, send(message)]),
    ]),
    components: {
      messages: Object.fromEntries(messages.map((message) => [message.name, component(message)])),
      schemas: Object.fromEntries(schemas.map(({ name, schema }) => [name, withoutDialect(schema)])),
    },
  }
}

function receive({ name, type, summary }: NamedSchema): Record<string, unknown> {
  const { replies } = CLIENT_EXCHANGES[type as keyof typeof CLIENT_EXCHANGES]
  const operation = { action: 'receive', channel: CHANNEL, summary, messages: [inChannel(name)] }
  if (replies.length === 0) return operation
  const answers = [...replies, 'error'].map((reply) => inChannel(`server.${reply}`))
  return { ...operation, reply: { channel: CHANNEL, messages: answers } }
}

function send({ name, summary }: NamedSchema): Record<string, unknown> {
  return { action: 'send', channel: CHANNEL, summary, messages: [inChannel(name)] }
}

/** What the server may say without being asked: what has no ref, or need not have one. Its ping has one of its own. */
function isUnasked({ type, schema }: NamedSchema): boolean {
  const payload = schema.properties?.['payload']
  const required = typeof payload === 'object' ? payload.required : undefined
  return type === 'ping' || required?.includes('ref') !== true
}

function inChannel(name: string): { readonly $ref: string } {
  return { $ref: `#/channels/connection/messages/${name}` }
}

function component({ name, group, type, summary }: NamedSchema): Record<string, unknown> {
  const examples: Readonly<Record<string, unknown>> = group === 'client' ? EXAMPLES.client : EXAMPLES.server
  return {
    name: type,
    title: type,
    summary,
    payload: { $ref: `#/components/schemas/${name}` },
    examples: [{ payload: examples[type] }],
  }
}

function withoutDialect(schema: JsonSchema): JsonSchema {
  const rest = { ...schema }
  delete rest.$schema
  return rest
}
