/** Times in words, in the language of the browser. */
const TIME = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' })
const DAY = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' })
const AGO = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' })
const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
] as const

export const timeOf = (at: number): string => TIME.format(at)
export const dayOf = (at: number): string => DAY.format(at)
export const isoOf = (at: number): string => new Date(at).toISOString()

export function ago(at: number, now: number): string {
  const [unit, ms] = UNITS.find(([, length]) => now - at >= length) ?? ['minute', Number.POSITIVE_INFINITY]
  return ms === Number.POSITIVE_INFINITY ? 'just now' : AGO.format(-Math.floor((now - at) / ms), unit)
}
