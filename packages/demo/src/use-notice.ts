/** What somebody should know who looks at the room: that messages were left out, or that its history is another one. */
import type { Room } from '@tautline/client'
import { useEffect, useState } from 'react'

export function useNotice(room: Room): readonly [notice: string | undefined, dismiss: () => void] {
  const [notice, setNotice] = useState<string>()
  useEffect(() => {
    const stops = [
      room.on('gap', ({ from, to }) =>
        setNotice(
          `You were away for long: ${to - from + 1} entries passed. The newest are shown; scroll up for the others.`,
        ),
      ),
      room.on('reset', () =>
        setNotice('The server has another history now than the one shown before; this room was read anew.'),
      ),
    ]
    return () => {
      for (const stop of stops) stop()
    }
  }, [room])
  return [notice, () => setNotice(undefined)]
}
