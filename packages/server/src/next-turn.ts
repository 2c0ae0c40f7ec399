/** Others have their turn: resolves in the next one of the event loop, after what waits by then. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
