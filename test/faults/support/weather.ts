/** Bad weather: every so often some link gets some fault, or the server some trouble, for a while. */
import type { Direction, Faults, TcpProxy } from '../proxy.ts'
import type { Dice } from './dice.ts'

export interface Weather {
  /** How often each kind of fault was there. */
  readonly faults: Readonly<Record<string, number>>
  begin(): void
  /** No more faults, and none of those there were: a fine day. */
  end(): void
}

/** Something that may begin and end at any time; ending it twice, or without a beginning, does nothing. */
export interface Trouble {
  begin(): void
  end(): void
  /** At most. */
  readonly lastsMs: number
}

const DIRECTIONS: readonly (Direction | 'both')[] = ['toServer', 'toClient', 'both']

export function createWeather(
  links: readonly TcpProxy[],
  troubles: Readonly<Record<string, Trouble>>,
  dice: Dice,
): Weather {
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

  function trouble({ begin, end, lastsMs }: Trouble): void {
    begin()
    // The shortest hit one commit, the longest all that is in flight.
    after(lastsMs * 10 ** -dice.between(0, 2), end)
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

  /** Mostly with some latency: so that several frames of a sender are on their way, and a kill hits them there. */
  function calm(link: TcpProxy): void {
    link.heal()
    link.set('both', { latencyMs: dice.pick([0, 5, 20]) })
  }

  function next(): void {
    after(dice.between(50, 350), () => {
      const kind = dice.pick([...Object.keys(kinds), ...Object.keys(troubles)])
      faults[kind] = (faults[kind] ?? 0) + 1
      const server = troubles[kind]
      if (server) trouble(server)
      else kinds[kind]?.(dice.pick(links))
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
      for (const { end } of Object.values(troubles)) end()
      for (const link of links) calm(link)
    },
  }
}
