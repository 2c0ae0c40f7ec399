// The weather over the scene: while it storms, each device loses its connection again and again, after so many frames of
// its own as its dice say. When it comes and goes the acts say, and they cut at points of their own besides.

import { createDice } from '../../faults/support/dice.ts'
import type { Device } from './device.ts'
import { until } from './waiting.ts'

export interface Weather {
  storm(): void
  /** Resolves when all devices are connected again. */
  calm(): Promise<void>
  /** How many connections it has taken. */
  cuts(): number
}

/** The ends hear a FIN, a reset, or the server hears nothing at all. */
const STRIKES = ['cut', 'reset', 'vanish'] as const

export function createWeather(devices: readonly Device[], seed: number): Weather {
  let isStormy = false
  let cuts = 0

  async function follow({ proxy }: Device, index: number): Promise<void> {
    const dice = createDice(seed + index)
    for (;;) {
      const frames = Math.floor(dice.between(4, 16))
      const strike = dice.pick(STRIKES)
      for (let i = 0; i < frames; i++) await proxy.delivers()
      if (!isStormy) continue
      cuts++
      if (strike === 'vanish') proxy.vanish('client')
      else proxy[strike]()
    }
  }
  for (const [index, device] of devices.entries()) void follow(device, index)

  return {
    storm() {
      isStormy = true
    },
    async calm() {
      isStormy = false
      const whole = devices.map((device) =>
        until(device.client, ({ status }) => status === 'connected', `${device.name} is connected again`),
      )
      await Promise.all(whole)
    },
    cuts: () => cuts,
  }
}
