/**
 * What this device sends in a call: tracks, each with the stream that it belongs to. The same to all peers; a track in the
 * place of another of its kind takes over its sender, so that nothing has to be negotiated.
 */
import type { PeerConnection } from './peer-connection.ts'

export interface LocalMedia {
  has(kind: string): boolean
  /** These instead of those of the stream that was set before. Tracks that were added by themselves stay. */
  setStream(stream: MediaStream | undefined): void
  addTrack(track: MediaStreamTrack, stream: MediaStream): void
  removeTrack(track: MediaStreamTrack): void
  /** Makes the connection send them, and nothing else. */
  apply(connection: PeerConnection, onError: (error: unknown) => void): void
}

export function createLocalMedia(): LocalMedia {
  const tracks = new Map<MediaStreamTrack, MediaStream>()
  let ofStream: readonly MediaStreamTrack[] = []

  return {
    has: (kind) => Array.from(tracks.keys()).some((track) => track.kind === kind),
    setStream(stream) {
      for (const track of ofStream) tracks.delete(track)
      ofStream = stream?.getTracks() ?? []
      for (const track of ofStream) if (stream) tracks.set(track, stream)
    },
    addTrack(track, stream) {
      tracks.set(track, stream)
    },
    removeTrack(track) {
      tracks.delete(track)
    },
    apply(connection, onError) {
      const senders = connection.getSenders().filter(({ track }) => track)
      const sent = new Set(senders.map(({ track }) => track))
      const fresh = Array.from(tracks.keys()).filter((track) => !sent.has(track))
      for (const sender of senders) {
        if (!sender.track || tracks.has(sender.track)) continue
        const kind = sender.track.kind
        const next = fresh.findIndex((track) => track.kind === kind)
        const [track] = next < 0 ? [] : fresh.splice(next, 1)
        if (track) sender.replaceTrack(track).catch(onError)
        else connection.removeTrack(sender)
      }
      for (const track of fresh) {
        const stream = tracks.get(track)
        if (stream) connection.addTrack(track, stream)
      }
    },
  }
}
