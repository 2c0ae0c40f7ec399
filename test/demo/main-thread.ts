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
  var longTasks: number[]
}

export async function tasksDuring(browser: Browser, page: Page, act: () => Promise<void>): Promise<Tasks> {
  await page.evaluate(() => {
    globalThis.longTasks = []
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) globalThis.longTasks.push(duration)
    }).observe({ type: 'longtask' })
  })
  const marker = `main-thread-${Math.random()}`
  await browser.startTracing(page, {
    categories: ['toplevel', 'disabled-by-default-devtools.timeline', 'blink.user_timing'],
  })
  await page.evaluate((name) => performance.mark(name), marker)
  await act()
  const trace = JSON.parse(String(await browser.stopTracing())) as {
    readonly traceEvents: readonly TraceEvent[]
  }
  // The browser tells of a long task some time after it.
  await page.waitForTimeout(200)
  const wall = await page.evaluate(() => globalThis.longTasks)
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
