import { defaultServerConditions } from 'vite'
import { defineConfig } from 'vitest/config'

const conditions = ['source', ...defaultServerConditions]

// `npm test` needs no browser; what does is run by `node scripts/run.mjs test:browser`, which finds one first.
export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['test/**/*.browser.ts'],
    testTimeout: 240_000,
    hookTimeout: 120_000,
    // A machine that is busy with other things takes longer; what is there is seen at once.
    expect: { poll: { timeout: 60_000, interval: 25 } },
  },
})
