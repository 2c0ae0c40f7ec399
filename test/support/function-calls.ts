// What something costs, counted instead of timed: calls of functions, as V8 counts them for coverage. They are as many on a
// machine that is busy, and each time. What loops within a function and what is native do is not seen.

import { Session } from 'node:inspector/promises'

/** How often functions of files with `part` in their address (`/packages/server/src/`) are called while `act` runs. */
export async function callsWithin(part: string, act: () => unknown): Promise<number> {
  const session = new Session()
  session.connect()
  try {
    await session.post('Profiler.enable')
    await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false })
    await act()
    const { result } = await session.post('Profiler.takePreciseCoverage')
    return result
      .filter(({ url }) => url.includes(part))
      .flatMap(({ functions }) => functions.map(({ ranges }) => ranges[0]?.count ?? 0))
      .reduce((sum, count) => sum + count, 0)
  } finally {
    session.disconnect()
  }
}
