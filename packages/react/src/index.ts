/** @tautline/react: hooks that show what a Tautline client knows. They subscribe, and do nothing else by themselves. */
export { TautlineProvider, type TautlineProviderProps } from './provider.ts'
export { useClient } from './use-client.ts'
export { useConnection } from './use-connection.ts'
export { useExtension } from './use-extension.ts'
export { type Messages, useMessages } from './use-messages.ts'
export { type RoomView, useRoom } from './use-room.ts'
