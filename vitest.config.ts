import { defaultServerConditions } from 'vite'
import { defineConfig } from 'vitest/config'

// Tests read the packages' sources (the `source` condition of their exports): nothing has to be built first. A test with
// a page (jsdom) is still a program of Node, and may have a real server beside it: no `browser` condition there either.
const conditions = ['source', ...defaultServerConditions]

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['test/**/*.test.{ts,tsx}'],
    environment: 'node',
    // None of them waits for a clock. A machine that is busy with other things takes longer; what is there is seen at once.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 20_000 } },
    reporters: ['default', './scripts/tally-reporter.mjs'],
  },
})
