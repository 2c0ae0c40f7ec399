/**
 * Plots as SVG, by hand: horizontal bars with the goals as marks, and lines over sizes. No more than the figures need; the
 * colours stand on light and dark pages alike, since an image in a document cannot know which it is on.
 */
import type { Spread } from './summary.ts'

export interface Bar {
  readonly title: string
  readonly value: Spread
  readonly isOurs: boolean
}

export interface PlotMark {
  readonly title: string
  readonly at: number
}

export interface PlotLine {
  readonly title: string
  readonly points: readonly { readonly size: number; readonly value: Spread }[]
}

const WIDTH = 820
const LABELS = 320
const RIGHT = 70
const BAR = 22
const GAP = 8
const TOP = 44
const INK = '#24292f'
const FAINT = '#8c959f'
const OURS = '#0a7d55'
const THEIRS = '#9aa7b4'
const MARK = '#c2410c'
const LINE_COLOURS = [OURS, '#2563eb', '#a21caf', '#b45309']

/** One bar for each row, with the least and the most as a thin line over its end. */
export function barPlot(title: string, bars: readonly Bar[], marks: readonly PlotMark[]): string {
  const most = Math.max(...bars.map(({ value }) => value.max), ...marks.map(({ at }) => at), Number.EPSILON)
  const scale = (value: number) => LABELS + (value / most) * (WIDTH - LABELS - RIGHT)
  const bottom = TOP + bars.length * (BAR + GAP)
  const rows = bars.map(({ title: name, value, isOurs }, i) => {
    const y = TOP + i * (BAR + GAP)
    const middle = y + BAR / 2
    return (
      text(LABELS - 8, middle + 4, name, { anchor: 'end' }) +
      `<rect x="${LABELS}" y="${y}" width="${px(scale(value.median) - LABELS)}" height="${BAR}" fill="${isOurs ? OURS : THEIRS}"/>` +
      `<path d="M${px(scale(value.min))} ${middle}H${px(scale(value.max))}" stroke="${INK}" stroke-width="1.5"/>` +
      text(scale(Math.max(value.max, value.median)) + 6, middle + 4, shortNumber(value.median))
    )
  })
  const lines = marks.map(
    ({ title: name, at }) =>
      `<path d="M${px(scale(at))} ${TOP - 6}V${bottom}" stroke="${MARK}" stroke-width="1.5" stroke-dasharray="4 3"/>` +
      text(scale(at), TOP - 10, name, { anchor: 'middle', colour: MARK, size: 11 }),
  )
  return svg(bottom + 8, title, [...rows, ...lines])
}

/** Sizes on a logarithmic axis, values from 0; each point with the least and the most. */
export function linePlot(title: string, lines: readonly PlotLine[]): string {
  const height = 300
  const [left, top, bottom, right] = [56, TOP, height - 40, WIDTH - 150]
  const sizes = [...new Set(lines.flatMap(({ points }) => points.map(({ size }) => size)))].sort(
    (a, b) => a - b,
  )
  const logs = sizes.map((size) => Math.log10(Math.max(size, 1)))
  const [first, last] = [Math.min(...logs), Math.max(...logs)]
  const most =
    Math.max(...lines.flatMap(({ points }) => points.map(({ value }) => value.max)), Number.EPSILON) * 1.1
  const x = (size: number) =>
    left + ((Math.log10(Math.max(size, 1)) - first) / Math.max(last - first, 1)) * (right - left)
  const y = (value: number) => bottom - (value / most) * (bottom - top)
  const ticks = [0, 0.25, 0.5, 0.75, 1].map(
    (share) =>
      `<path d="M${left} ${px(y(most * share))}H${right}" stroke="${FAINT}" stroke-width="0.5"/>` +
      text(left - 6, y(most * share) + 4, shortNumber(most * share), { anchor: 'end', size: 11 }),
  )
  const labels = sizes.map((size) =>
    text(x(size), bottom + 18, size.toLocaleString('en'), { anchor: 'middle', size: 11 }),
  )
  const drawn = lines.map(({ title: name, points }, i) => {
    const colour = LINE_COLOURS[i % LINE_COLOURS.length] ?? INK
    const path = points.map(
      ({ size, value }, j) => `${j === 0 ? 'M' : 'L'}${px(x(size))} ${px(y(value.median))}`,
    )
    const dots = points.map(
      ({ size, value }) =>
        `<path d="M${px(x(size))} ${px(y(value.min))}V${px(y(value.max))}" stroke="${colour}"/>` +
        `<circle cx="${px(x(size))}" cy="${px(y(value.median))}" r="3.5" fill="${colour}"/>`,
    )
    const end = points.at(-1)
    const label = end ? text(x(end.size) + 8, y(end.value.median) + 4 + i * 2, name, { colour }) : ''
    return `<path d="${path.join('')}" fill="none" stroke="${colour}" stroke-width="2"/>${dots.join('')}${label}`
  })
  return svg(height, title, [...ticks, ...labels, ...drawn])
}

function svg(height: number, title: string, parts: readonly string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" font-family="system-ui, sans-serif" font-size="13">
<title>${escaped(title)}</title>
<rect width="100%" height="100%" fill="#ffffff"/>
${text(12, 20, title, { size: 14, weight: 600 })}
${parts.join('\n')}
</svg>
`
}

interface TextStyle {
  readonly anchor?: 'end' | 'middle'
  readonly colour?: string
  readonly size?: number
  readonly weight?: number
}

function text(x: number, y: number, content: string, style: TextStyle = {}): string {
  const { anchor, colour = INK, size, weight } = style
  const more = [
    anchor && ` text-anchor="${anchor}"`,
    size && ` font-size="${size}"`,
    weight && ` font-weight="${weight}"`,
  ]
  return `<text x="${px(x)}" y="${px(y)}" fill="${colour}"${more.filter(Boolean).join('')}>${escaped(content)}</text>`
}

function shortNumber(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(2)
}

function px(value: number): string {
  return String(Math.round(value * 10) / 10)
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
