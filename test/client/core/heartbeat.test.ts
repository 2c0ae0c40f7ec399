import { describe, expect, it } from 'vitest'
import { createHeartbeat } from '../../../packages/client/src/core/heartbeat.ts'

const WATCHDOG_MS = 35_000
const PROBE_MS = 5_000

function start(now = 0) {
  const heartbeat = createHeartbeat({ watchdogMs: WATCHDOG_MS, probeTimeoutMs: PROBE_MS })
  heartbeat.start(now)
  return heartbeat
}

describe('the heartbeat', () => {
  it('asks for nothing before it starts and after it stops', () => {
    const unstarted = createHeartbeat({ watchdogMs: WATCHDOG_MS, probeTimeoutMs: PROBE_MS })
    const stopped = start()
    stopped.stop()
    for (const heartbeat of [unstarted, stopped]) {
      expect(heartbeat.deadline()).toBe(Number.POSITIVE_INFINITY)
      expect(heartbeat.tick(1e9)).toBe('fine')
      expect(heartbeat.doubt(1e9)).toBe(false)
      heartbeat.feed(1e9)
      expect(heartbeat.deadline()).toBe(Number.POSITIVE_INFINITY)
    }
  })

  it('probes after the silence, and not before', () => {
    const heartbeat = start()
    expect(heartbeat.deadline()).toBe(WATCHDOG_MS)
    expect(heartbeat.tick(WATCHDOG_MS - 1)).toBe('fine')
    expect(heartbeat.tick(WATCHDOG_MS)).toBe('probe')
    expect(heartbeat.deadline()).toBe(WATCHDOG_MS + PROBE_MS)
  })

  it('is fed by any frame', () => {
    const heartbeat = start()
    for (let now = 0; now < 10 * WATCHDOG_MS; now += 30_000) {
      heartbeat.feed(now)
      expect(heartbeat.tick(now + 30_000 - 1)).toBe('fine')
    }
  })

  it('gives up when a probe stays without an answer', () => {
    const heartbeat = start()
    heartbeat.tick(WATCHDOG_MS)
    expect(heartbeat.tick(WATCHDOG_MS + PROBE_MS - 1)).toBe('fine')
    expect(heartbeat.tick(WATCHDOG_MS + PROBE_MS)).toBe('dead')
  })

  it('lets any frame answer a probe', () => {
    const heartbeat = start()
    heartbeat.tick(WATCHDOG_MS)
    heartbeat.feed(WATCHDOG_MS + 4_999)
    expect(heartbeat.tick(WATCHDOG_MS + PROBE_MS)).toBe('fine')
    expect(heartbeat.deadline()).toBe(WATCHDOG_MS + 4_999 + WATCHDOG_MS)
  })

  it('has one probe under way at a time', () => {
    const heartbeat = start()
    expect(heartbeat.doubt(100)).toBe(true)
    expect(heartbeat.doubt(200)).toBe(false)
    expect(heartbeat.deadline()).toBe(100 + PROBE_MS)
    heartbeat.feed(300)
    expect(heartbeat.doubt(400)).toBe(true)
  })

  it('that fires late looks again before it probes: what came meanwhile is read first', () => {
    const heartbeat = start()
    const woke = WATCHDOG_MS + 3_600_000
    expect(heartbeat.tick(woke)).toBe('fine')
    expect(heartbeat.deadline()).toBe(woke + 1)
    heartbeat.feed(woke)
    expect(heartbeat.tick(woke + 1)).toBe('fine')
    expect(heartbeat.deadline()).toBe(woke + WATCHDOG_MS)
  })

  it('probes after a sleep through which nothing came', () => {
    const heartbeat = start()
    const woke = WATCHDOG_MS + 3_600_000
    heartbeat.tick(woke)
    expect(heartbeat.tick(woke + 1)).toBe('probe')
  })

  it('gives an answer that came during a sleep its chance', () => {
    const heartbeat = start()
    heartbeat.tick(WATCHDOG_MS)
    const woke = WATCHDOG_MS + PROBE_MS + 60_000
    expect(heartbeat.tick(woke)).toBe('fine')
    expect(heartbeat.deadline()).toBe(woke + 1)
    heartbeat.feed(woke)
    expect(heartbeat.tick(woke + 1)).toBe('fine')
  })

  it('gives up after a sleep where no answer was waiting', () => {
    const heartbeat = start()
    heartbeat.tick(WATCHDOG_MS)
    const woke = WATCHDOG_MS + PROBE_MS + 60_000
    heartbeat.tick(woke)
    expect(heartbeat.tick(woke + 1)).toBe('dead')
  })

  it('finds a dead connection also where every timer is late, as in a tab that has been hidden for long', () => {
    const heartbeat = start()
    const verdicts: string[] = []
    for (let now = 60_000; now <= 300_000 && !verdicts.includes('dead'); now += 60_000)
      verdicts.push(heartbeat.tick(now))
    expect(verdicts).toEqual(['fine', 'probe', 'fine', 'dead'])
  })

  it('looks again each time that it fires late, once a frame has come', () => {
    const heartbeat = start()
    for (let now = 60_000; now <= 600_000; now += 60_000) {
      expect(heartbeat.tick(now)).toBe('fine')
      heartbeat.feed(now)
    }
  })

  it.each([0, 4_999, 5_000])('takes a timer that is %d ms late at its word', (lateMs) => {
    expect(start().tick(WATCHDOG_MS + lateMs)).toBe('probe')
  })

  it('always has its next deadline after a tick', () => {
    const heartbeat = start()
    let now = 0
    for (let i = 0; i < 50; i++) {
      now = Math.max(now, heartbeat.deadline())
      if (heartbeat.tick(now) === 'dead') break
      expect(heartbeat.deadline()).toBeGreaterThan(now)
    }
    expect(now).toBe(WATCHDOG_MS + PROBE_MS)
  })
})
