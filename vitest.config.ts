import { defaultServerConditions } from 'vite'
import { defineConfig } from 'vitest/config'
import { PATIENCE_MS } from './test/support/patience.ts'

// Tests read the packages' sources (the `source` condition of their exports): nothing has to be built first. A test with
// a page (jsdom) is still a program of Node, and may have a real server beside it: no `browser` condition there either.
const conditions = ['source', ...defaultServerConditions]

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['test/**/*.test.{ts,tsx}'],
    environment: 'node',
    // For a machine that is busy with other things: what is there is seen at once. A few tests let a real clock run (a token
    // ends, a peer answers pings) with room for such a machine; else none fails because something took long, unless it
    // computed long.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: PATIENCE_MS } },
    reporters: ['default', './scripts/tally-reporter.mjs'],
  },
})
