/**
 * The panel: what the devtools know, drawn by hand into a shadow root. It draws at most ten times a second and only while
 * somebody can see it; what happens meanwhile is in the recorder.
 */
import type { Client } from '../../client.ts'
import type { Status } from '../../core/status.ts'
import type { Devtools } from '../../devtools.ts'
import type { ReportFormat } from '../report.ts'
import { button, element, say, setAttributes } from './dom.ts'
import { createLatencyView } from './latency.ts'
import { createFrameList, createOutboxList, createTimeLine, MAX_OUTBOX_ROWS } from './lists.ts'
import { createPicture } from './picture.ts'
import { STYLE } from './style.ts'
import { createSwitchBoard } from './switches.ts'
import { createTabs } from './tabs.ts'

export interface PanelParts {
  readonly tools: Devtools
  client(): Client
  /** Where the client was before, once it has moved. */
  cameFrom(): Status | undefined
  /** Unix milliseconds, by the client's clock. */
  now(): number
  close(): void
}

const DRAW_INTERVAL_MS = 100
/** Countdowns and ages. */
const TICK_MS = 250

const MOODS: { readonly [S in Status]: 'good' | 'busy' | 'bad' | 'none' } = {
  idle: 'none',
  connecting: 'busy',
  authenticating: 'busy',
  connected: 'good',
  waiting: 'busy',
  suspended: 'bad',
  stopped: 'bad',
  closed: 'none',
}

/** Returns how to end it. */
export function openPanel(root: ShadowRoot, parts: PanelParts): () => void {
  const { tools } = parts
  const chip = element('span', { class: 'chip', role: 'status' })
  const countdown = element('span', { class: 'countdown' })
  const notice = element('span', { class: 'countdown', role: 'status' })
  const pause = button('Pause', () => tools.pause(!tools.getSnapshot().isPaused), { 'aria-pressed': 'false' })
  const hide = button('Hide bodies', () => tools.showBodies(!tools.getSnapshot().hasBodies), {
    'aria-pressed': 'false',
    title: 'What frames carry is neither kept nor copied; what was kept is forgotten',
  })
  const picture = createPicture()
  const board = createSwitchBoard(tools)
  const latency = createLatencyView()
  const filter = element('input', { type: 'search', autocomplete: 'off', spellcheck: 'false' })
  filter.addEventListener('input', () => soon())
  const tabs = createTabs(['Time line', 'Frames', 'Outbox'], () => soon())
  const [timeLinePage, framesPage, outboxPage] = tabs.pages
  const showHappenings = createTimeLine(timeLinePage.list)
  const showFrames = createFrameList(framesPage.list)
  const showOutbox = createOutboxList(outboxPage.list, parts.client, parts.now)

  const halves = element(
    'div',
    { class: 'halves' },
    element(
      'div',
      { class: 'state', tabindex: 0, role: 'group', 'aria-label': 'Connection' },
      picture.node,
      element('h3', {}, 'Break on purpose'),
      board.node,
      element('h3', {}, 'Latency'),
      latency.node,
    ),
    element(
      'div',
      { class: 'lists' },
      element('div', { class: 'bar' }, tabs.bar, element('label', {}, 'Filter', filter)),
      ...tabs.pages.map(({ node }) => node),
    ),
  )
  const panel = element(
    'section',
    { class: 'panel', 'aria-label': 'Tautline devtools' },
    element(
      'header',
      {},
      element('h2', {}, 'Tautline'),
      chip,
      countdown,
      notice,
      element(
        'span',
        { class: 'actions' },
        pause,
        hide,
        button('Clear', () => tools.clear()),
        button('Copy text', () => copy('text')),
        button('Copy JSON', () => copy('json')),
        button('Close', () => parts.close(), { 'aria-label': 'Close the devtools' }),
      ),
    ),
    halves,
  )

  function copy(format: ReportFormat): void {
    const text = tools.report(format)
    const told = () => say(notice, `Copied ${text.length} characters`)
    // Where the page is not secure there is no clipboard: it can be taken by hand.
    const byHand = () => {
      const area = element('textarea', { readonly: '', 'aria-label': 'The report, to be copied' })
      area.value = text
      area.addEventListener('blur', () => area.remove())
      halves.before(area)
      area.select()
      area.focus()
    }
    if (!navigator.clipboard) return byHand()
    navigator.clipboard.writeText(text).then(told, byHand)
  }

  /** What holds this word, in whatever it shows. */
  function matches(...texts: readonly (string | undefined)[]): boolean {
    const word = filter.value.trim().toLowerCase()
    return word === '' || texts.some((text) => text?.toLowerCase().includes(word))
  }

  function draw(): void {
    const client = parts.client()
    const { status, reason, detail, retryAt } = client.getSnapshot()
    const snapshot = tools.getSnapshot()
    say(chip, status)
    setAttributes(chip, { 'data-mood': MOODS[status] })
    const next = retryAt === undefined ? undefined : countdownWords(retryAt - parts.now())
    say(countdown, next ?? '')
    const why = [reason, detail, next].filter(Boolean).join(' · ')
    picture.show({ status, cameFrom: parts.cameFrom(), why: why === '' ? '' : `${status}: ${why}` })
    board.show(snapshot.switches)
    latency.show(snapshot.latency)
    setAttributes(pause, { 'aria-pressed': String(snapshot.isPaused) })
    setAttributes(hide, { 'aria-pressed': String(!snapshot.hasBodies) })
    // Row by row only where it is looked at: an outbox may be long.
    const rows = tabs.chosen() === 2 ? tools.outbox() : []
    const happenings = snapshot.happenings.filter(({ kind, what, reason: code }) => matches(kind, what, code))
    const frames = snapshot.frames.filter(({ types, room, fate }) => matches(...types, room, fate))
    const waiting = rows.filter(({ type, room, status: state, messageId }) =>
      matches(type, room, state, messageId),
    )
    const outboxCount = tabs.chosen() === 2 ? waiting.length : client.outbox.list().length
    tabs.count([happenings.length, frames.length, outboxCount])
    // Only what can be seen: the others are drawn when their tab is.
    if (tabs.chosen() === 0) timeLinePage.stick(() => showHappenings(happenings))
    if (tabs.chosen() === 1) framesPage.stick(() => showFrames(frames))
    if (tabs.chosen() === 2) showOutbox(waiting.slice(0, MAX_OUTBOX_ROWS))
    const more = waiting.length - MAX_OUTBOX_ROWS
    timeLinePage.note(happenings.length === 0 ? 'Nothing happened yet.' : '')
    framesPage.note(frames.length === 0 ? 'No frames.' : '')
    outboxPage.note(waiting.length === 0 ? 'Nothing waits.' : more > 0 ? `… and ${more} more` : '')
    if (retryAt !== undefined || rows.length > 0) later(TICK_MS)
  }

  let isVisible = true
  let isClosed = false
  let frameRequest: number | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let timerAt = 0
  let drawnAt = 0

  /** In the next frame of the browser, which has none for a page that is hidden. */
  function soon(): void {
    if (isClosed || !isVisible || frameRequest !== undefined) return
    frameRequest = requestAnimationFrame(() => {
      frameRequest = undefined
      const wait = drawnAt + DRAW_INTERVAL_MS - performance.now()
      if (wait > 0) return later(wait)
      drawnAt = performance.now()
      draw()
    })
  }

  function later(ms: number): void {
    const at = performance.now() + ms
    if (timer !== undefined && timerAt <= at) return
    clearTimeout(timer)
    timerAt = at
    timer = setTimeout(() => {
      timer = undefined
      soon()
    }, ms)
  }

  const sheet = new CSSStyleSheet()
  sheet.replaceSync(STYLE)
  root.adoptedStyleSheets = [sheet]
  root.replaceChildren(panel)
  const sight = new IntersectionObserver((changes) => {
    isVisible = changes.at(-1)?.isIntersecting ?? true
    soon()
  })
  sight.observe(root.host)
  const stop = tools.subscribe(soon)
  draw()

  return () => {
    isClosed = true
    stop()
    sight.disconnect()
    clearTimeout(timer)
    if (frameRequest !== undefined) cancelAnimationFrame(frameRequest)
    root.replaceChildren()
  }
}

function countdownWords(ms: number): string {
  return ms <= 0 ? 'next attempt now' : `next attempt in ${(ms / 1_000).toFixed(1)} s`
}
