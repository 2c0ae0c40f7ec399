/** The keys that go from message to message, the same in the room and in a thread. */

/** Where this key leads to from the message at this index; one past the newest is where one writes. Undefined: nowhere. */
export function stepOf(key: string, at: number, newest: number): number | undefined {
  switch (key) {
    case 'ArrowUp':
      return Math.max(0, at - 1)
    case 'ArrowDown':
      return at + 1
    case 'Home':
      return 0
    case 'End':
      return newest
    default:
      return undefined
  }
}
