/** The latency as a line of the last round trips, with its figures. */
import { latencyWords, milliseconds } from '../report.ts'
import type { Latency } from '../round-trips.ts'
import { element, say, setAttributes, shape } from './dom.ts'

const WIDTH = 240
const HEIGHT = 36
/** The worst of a quiet line: what is quicker is drawn flat. */
const LEAST_TOP_MS = 20

export interface LatencyView {
  readonly node: HTMLElement
  show(latency: Latency): void
}

export function createLatencyView(): LatencyView {
  const line = shape('polyline', { class: 'spark' })
  const last = shape('path', { class: 'spark-end' })
  const svg = shape(
    'svg',
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: 'sparkline', role: 'img', preserveAspectRatio: 'none' },
    line,
    last,
  )
  const words = element('p', { class: 'figures' })
  return {
    node: element('div', { class: 'latency' }, svg, words),
    show(latency) {
      const { samples, worstMs } = latency
      const top = Math.max(LEAST_TOP_MS, worstMs ?? 0)
      const step = (WIDTH - 4) / Math.max(1, samples.length - 1)
      const points = samples.map(
        ({ ms }, i) =>
          [2 + Math.round(i * step * 10) / 10, Math.round(HEIGHT - 3 - (ms / top) * (HEIGHT - 6))] as const,
      )
      setAttributes(line, { points: points.map((point) => point.join(',')).join(' ') })
      const newest = samples.at(-1)
      const [x, y] = points.at(-1) ?? [0, HEIGHT]
      setAttributes(last, { d: newest ? `M ${x} ${y} h 0` : undefined })
      const figures = newest
        ? `${latencyWords(latency)} of the last ${samples.length}; the newest is of ${newest.kind === 'ping' ? 'a ping' : 'a message'}`
        : 'No round trip was measured yet'
      setAttributes(svg, { 'aria-label': newest ? `Latency, at most ${milliseconds(top)}` : 'Latency' })
      say(words, figures)
    },
  }
}
