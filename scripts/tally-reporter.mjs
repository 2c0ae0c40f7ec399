// A vitest reporter that ends every run with one line alone, `N passed, N failed, N skipped`, for people and for CI.
//
// It is written as the process ends, so that nothing comes after it. A file that could not be loaded counts as one
// failure, an error outside all tests too. A run in which no test was executed is a failure.

import { writeSync } from 'node:fs'

export default class TallyReporter {
  onInit(vitest) {
    this.watching = vitest.config.watch
  }

  onTestRunEnd(testModules, unhandledErrors) {
    const tally = { passed: 0, failed: unhandledErrors.length, skipped: 0 }
    for (const testModule of testModules) {
      for (const test of testModule.children.allTests()) {
        const { state } = test.result()
        tally[state === 'pending' ? 'skipped' : state] += 1
      }
      tally.failed += testModule.errors().length
    }
    if (this.watching) return
    process.once('exit', () => {
      if (tally.passed + tally.failed === 0) {
        writeSync(1, '\nNo test was executed.\n')
        process.exitCode = process.exitCode || 1
      }
      writeSync(1, `\n${tally.passed} passed, ${tally.failed} failed, ${tally.skipped} skipped\n`)
    })
  }
}
