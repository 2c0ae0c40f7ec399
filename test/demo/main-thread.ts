// How long the tasks of a page's main thread are, by two clocks: that of the CPU, which counts what the page did, and that
// of the wall, which counts what the machine did meanwhile too. A page is held to the first; the second is reported.

import type { Browser, Page } from 'playwright-core'

export interface Tasks {
  /** The longest task, in milliseconds of CPU time. */
  readonly longestCpuMs: number
  /** The longest task as the browser's own `longtask` entries have it (from 50 ms on); 0: there was none. */
  readonly longestWallMs: number
  readonly count: number
}

interface TraceEvent {
  readonly name: string
  readonly ph: string
  readonly pid: number
  readonly tid: number
  readonly tdur?: number
  readonly args?: { readonly name?: string; readonly data?: { readonly processId?: number } }
}

declare global {
  var longTasks: { readonly seen: number[]; readonly observer: PerformanceObserver }
}

export async function tasksDuring(browser: Browser, page: Page, act: () => Promise<void>): Promise<Tasks> {
  await page.evaluate(() => {
    const seen: number[] = []
    const observer = new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) seen.push(duration)
    })
    observer.observe({ type: 'longtask' })
    globalThis.longTasks = { seen, observer }
  })
  const marker = `main-thread-${Math.random()}`
  await browser.startTracing(page, {
    categories: ['toplevel', 'disabled-by-default-devtools.timeline', 'blink.user_timing'],
  })
  await page.evaluate((name) => performance.mark(name), marker)
  await act()
  // The page answers out of a task that goes on: only when the next one runs, is that at its end, and in the trace.
  await page.evaluate(() => new Promise((resolve) => setTimeout(resolve)))
  const trace = JSON.parse(String(await browser.stopTracing())) as {
    readonly traceEvents: readonly TraceEvent[]
  }
  const wall = await page.evaluate(() => {
    const { seen, observer } = globalThis.longTasks
    const untold = observer.takeRecords().map(({ duration }) => duration)
    observer.disconnect()
    return [...seen, ...untold]
  })
  // The thread of the page is the one that set the mark.
  const home = trace.traceEvents.find(({ name }) => name === marker)
  const tasks = trace.traceEvents.filter(
    ({ name, ph, pid, tid, tdur }) =>
      name === 'RunTask' && ph === 'X' && pid === home?.pid && tid === home.tid && tdur !== undefined,
  )
  return {
    longestCpuMs: tasks.reduce((longest, { tdur = 0 }) => Math.max(longest, tdur), 0) / 1_000,
    longestWallMs: Math.max(0, ...wall),
    count: tasks.length,
  }
}
