/** The promise on real processes, in short: what `npm run faults` does for longer, with every kind of fault and kill. */
import { expect, it } from 'vitest'
import { runCampaign } from './campaign.ts'

// The server and a client die while acks are on their way.
it('keeps every acknowledged message, once and in one order, at everybody', {
  timeout: 60_000,
}, async () => {
  const report = await runCampaign({
    kills: 2,
    clientEvery: 2,
    moment: 'ack',
    hasWeather: false,
    seed: 1,
    messagesPerSecond: 600,
  })
  expect(report.violations).toEqual([])
  expect(report.stuck).toEqual([])
  expect(report.excused).toBe(0)
  // The kills hit messages on their way: else this would show nothing.
  expect(report.kills).toEqual({ server: 1, client: 1 })
  expect(report.messages.restored).toBeGreaterThan(0)
  expect(report.messages.delivered).toBeGreaterThan(4 * 500)
})
