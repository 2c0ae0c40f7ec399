/** The state machine as a picture: where the connection is, where it came from, and where it can go. */
import { STATUSES, type Status } from '../../core/status.ts'
import { element, say, setAttributes, shape } from './dom.ts'
import { ALL_STATUSES, EDGES, type Edge } from './edges.ts'

export interface Picture {
  readonly node: HTMLElement
  show(state: { readonly status: Status; readonly cameFrom: Status | undefined; readonly why: string }): void
}

/** Centres of the boxes. */
const PLACES: { readonly [S in Status]: readonly [x: number, y: number] } = {
  idle: [58, 34],
  connecting: [186, 34],
  authenticating: [322, 34],
  connected: [458, 34],
  waiting: [322, 148],
  suspended: [186, 148],
  stopped: [58, 148],
  closed: [458, 148],
}
const HALF_WIDTH = 50
const HALF_HEIGHT = 15
/** How far a line swerves, so that two in opposite directions are two. */
const SWERVE = 13
/** Moves that are drawn quietly: they are rare. */
const QUIET = new Set(['refused', 'tired'])
/** Moves that are drawn only when they are taken: they go from everywhere to one place. */
const FROM_EVERYWHERE = new Set(['disconnect', 'close'])

export function createPicture(): Picture {
  const lines = EDGES.map((edge) => ({ edge, line: lineOf(edge) }))
  const boxes = ALL_STATUSES.map((status) => ({ status, box: boxOf(status) }))
  const label = shape('text', { class: 'move', 'text-anchor': 'middle' })
  const [frontmost] = boxes
  const svg = shape(
    'svg',
    { viewBox: '0 0 516 182', role: 'img', class: 'picture' },
    shape('defs', {}, arrowHead('arrow'), arrowHead('arrow-lit')),
    ...lines.map(({ line }) => line),
    ...boxes.map(({ box }) => box),
    label,
  )
  const words = element('p', { class: 'why' })
  const rest = element(
    'p',
    { class: 'figures' },
    'disconnect() leads to idle from everywhere, close() to closed.',
  )

  return {
    node: element('div', {}, svg, rest, words),
    show({ status, cameFrom, why }) {
      const taken = EDGES.find(({ from, to }) => from === cameFrom && to === status)
      for (const { edge, line } of lines)
        setAttributes(line, {
          'data-lit': edge === taken ? '' : undefined,
          'marker-end': edge === taken ? 'url(#arrow-lit)' : 'url(#arrow)',
        })
      // Above the others.
      const lit = lines.find(({ edge }) => edge === taken)
      if (lit && frontmost && lit.line.nextSibling !== frontmost.box)
        svg.insertBefore(lit.line, frontmost.box)
      for (const { status: other, box } of boxes)
        setAttributes(box, { 'data-lit': other === status ? '' : undefined })
      const [x, y] = taken ? middleOf(taken) : [0, 0]
      setAttributes(label, { x, y })
      say(label, taken?.move ?? '')
      const way = taken ? `, came from ${taken.from} by ${taken.move}` : ''
      setAttributes(svg, { 'aria-label': `The connection is ${status}${way}` })
      say(words, why || STATUSES[status])
    },
  }
}

function boxOf(status: Status): SVGGElement {
  const [x, y] = PLACES[status]
  return shape(
    'g',
    { class: 'box', 'data-status': status },
    shape('title', {}, `${status}: ${STATUSES[status]}`),
    shape('rect', {
      x: x - HALF_WIDTH,
      y: y - HALF_HEIGHT,
      width: 2 * HALF_WIDTH,
      height: 2 * HALF_HEIGHT,
      rx: 8,
    }),
    shape('text', { x, y: y + 4, 'text-anchor': 'middle' }, status),
  )
}

function lineOf(edge: Edge): SVGPathElement {
  const { from, to, move } = edge
  const control = controlOf(edge)
  const [x1, y1] = onBorder(PLACES[from], control, 1)
  const [x2, y2] = onBorder(PLACES[to], control, 4)
  const way = `M ${x1} ${y1} Q ${control[0]} ${control[1]} ${x2} ${y2}`
  const look = FROM_EVERYWHERE.has(move) ? 'edge unseen' : QUIET.has(move) ? 'edge quiet' : 'edge'
  return shape('path', { class: look, d: way, 'data-from': from, 'data-to': to, 'data-move': move })
}

/** The point that pulls the line aside, to its own right. */
function controlOf({ from, to }: Edge): readonly [number, number] {
  const [x1, y1] = PLACES[from]
  const [x2, y2] = PLACES[to]
  const length = Math.hypot(x2 - x1, y2 - y1)
  const aside = isStraight(from, to) ? 0 : SWERVE + length / 20
  return [(x1 + x2) / 2 - ((y2 - y1) / length) * aside, (y1 + y2) / 2 + ((x2 - x1) / length) * aside]
}

/** Neighbours with no way back that is seen. */
function isStraight(from: Status, to: Status): boolean {
  const hasWayBack = EDGES.some(
    (edge) => edge.from === to && edge.to === from && !FROM_EVERYWHERE.has(edge.move),
  )
  return !hasWayBack && PLACES[from][1] === PLACES[to][1]
}

/** Where the name of the move is written: beside the boxes, where the line runs between two neighbours. */
function middleOf(edge: Edge): readonly [number, number] {
  const [x1, y1] = PLACES[edge.from]
  const [x2, y2] = PLACES[edge.to]
  const [cx, cy] = controlOf(edge)
  const y = y1 === y2 ? y1 - HALF_HEIGHT - 5 : y1 / 4 + cy / 2 + y2 / 4 + 3
  return [x1 / 4 + cx / 2 + x2 / 4, y]
}

/** Where the line from the centre of a box towards a point leaves it. */
function onBorder(
  [x, y]: readonly [number, number],
  [toX, toY]: readonly [number, number],
  gap: number,
): readonly [number, number] {
  const [dx, dy] = [toX - x, toY - y]
  const scale = Math.min(
    dx === 0 ? Number.POSITIVE_INFINITY : (HALF_WIDTH + gap) / Math.abs(dx),
    dy === 0 ? Number.POSITIVE_INFINITY : (HALF_HEIGHT + gap) / Math.abs(dy),
  )
  return [Math.round(x + dx * scale), Math.round(y + dy * scale)]
}

function arrowHead(id: string): SVGMarkerElement {
  const size = { markerWidth: 7, markerHeight: 7, refX: 7, refY: 4, viewBox: '0 0 8 8', orient: 'auto' }
  return shape(
    'marker',
    { id, ...size, markerUnits: 'userSpaceOnUse' },
    shape('path', { d: 'M 0 0 L 8 4 L 0 8 z' }),
  )
}
