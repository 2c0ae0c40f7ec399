/** Bad weather: every so often some link gets some fault, for a while. */
import type { Direction, Faults, TcpProxy } from '../proxy.ts'
import type { Dice } from './dice.ts'

export interface Weather {
  /** How often each kind of fault was there. */
  readonly faults: Readonly<Record<string, number>>
  begin(): void
  /** No more faults, and none of those there were: a fine day. */
  end(): void
}

const DIRECTIONS: readonly (Direction | 'both')[] = ['toServer', 'toClient', 'both']

export function createWeather(links: readonly TcpProxy[], dice: Dice): Weather {
  const faults: Record<string, number> = {}
  const timers = new Set<NodeJS.Timeout>()

  function after(ms: number, act: () => void): void {
    const timer = setTimeout(() => {
      timers.delete(timer)
      act()
    }, ms)
    timers.add(timer)
  }

  function lasting(link: TcpProxy, fault: Partial<Faults>): void {
    link.set(dice.pick(DIRECTIONS), fault)
    after(dice.between(100, 2_000), () => calm(link))
  }

  const kinds: Readonly<Record<string, (link: TcpProxy) => void>> = {
    latency: (link) => lasting(link, { latencyMs: dice.between(20, 300) }),
    slow: (link) => lasting(link, { bytesPerSecond: dice.between(5_000, 100_000) }),
    sliced: (link) => lasting(link, { sliceBytes: Math.ceil(dice.between(0, 40)) }),
    stalled: (link) => lasting(link, { isStalled: true }),
    cut: (link) => link.cut(),
    reset: (link) => link.reset(),
    'half-open to the server': (link) => link.vanish('client'),
    'half-open to the client': (link) => link.vanish('server'),
  }

  /** Never without any latency: what is said must be on its way for a while, or it would always arrive before a kill. */
  function calm(link: TcpProxy): void {
    link.heal()
    link.set('toClient', { latencyMs: 10 })
  }

  function next(): void {
    after(dice.between(100, 500), () => {
      const kind = dice.pick(Object.keys(kinds))
      faults[kind] = (faults[kind] ?? 0) + 1
      kinds[kind]?.(dice.pick(links))
      next()
    })
  }

  for (const link of links) calm(link)
  return {
    faults,
    begin: next,
    end() {
      for (const timer of timers) clearTimeout(timer)
      timers.clear()
      for (const link of links) calm(link)
    },
  }
}
