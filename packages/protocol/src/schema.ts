/**
 * @tautline/protocol/schema: the protocol for those who write in other languages, or want documents of it. JSON Schema,
 * AsyncAPI, and test vectors of the lane, made from the tables that validate every frame. `npm run build` writes them
 * into dist/. An entry point of its own: it loads the whole of the vocabulary, with its prose.
 */
export { asyncApi } from './schema/asyncapi.ts'
export {
  CLIENT_EXCHANGES,
  COMMAND_EXCHANGES,
  type CommandExchange,
  ENTRY_SUMMARIES,
  type Exchange,
  SERVER_SUMMARIES,
} from './schema/exchanges.ts'
export {
  type Dialect,
  type Group,
  type JsonSchema,
  jsonSchemas,
  type NamedSchema,
} from './schema/json-schema.ts'
export { type LaneVector, laneVectors } from './schema/lane-vectors.ts'
