/** @tautline/client/memory: a transport and a store of the outbox without network and disk. */
export { memoryStore } from './stores/memory.ts'
export { type MemoryPeer, memoryTransport } from './transports/memory.ts'
