/**
 * The port for sockets: what the client asks of whatever carries its frames. A new host (a worker, a native bridge, a
 * test) is one `Dial`.
 */
export interface Transport {
  /** Sends one text frame. Called only between onOpen and onClose. */
  send(text: string): void
  close(code: number, reason: string): void
}

/** What a transport reports. After `onClose` nothing more is listened to. */
export interface TransportEvents {
  onOpen(): void
  onMessage(data: unknown): void
  /** Once, however the connection ended; 1006 where no close frame came. */
  onClose(code: number, reason: string): void
}

/** Opens a connection. It may throw; that counts as a connection that was lost at once. */
export type Dial = (events: TransportEvents) => Transport
