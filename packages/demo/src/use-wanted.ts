/** Goes to a message, however old: older pages are read until it is there. Returns its index for as long as it is wanted. */
import type { MessageName } from '@tautline/client'
import type { Messages } from '@tautline/react'
import { useEffect, useState } from 'react'
import { indexOfMessage } from './find-message.ts'

export function useWanted(
  messages: Messages,
  wanted: MessageName | undefined,
  onFound: (index: number) => void,
): number {
  const { items, hasOlder, isLoading, error, loadOlder } = messages
  const [reached, setReached] = useState<MessageName>()
  const index = wanted ? indexOfMessage(items, wanted) : -1

  useEffect(() => {
    if (!wanted || wanted === reached) return
    if (index >= 0) {
      setReached(wanted)
      onFound(index)
    } else if (hasOlder && !isLoading && !error) void loadOlder()
  }, [wanted, reached, index, hasOlder, isLoading, error, loadOlder, onFound])

  return index
}
