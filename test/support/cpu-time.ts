// How long something computes. Unlike the time on the wall it does not grow because the machine does other things too: a
// bound on it tells what takes for ever from what waits for its turn.

/** Milliseconds that this thread has computed since `before`, of an earlier call; from its start without. */
export function cpuMs(before = 0): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1_000 - before
}
