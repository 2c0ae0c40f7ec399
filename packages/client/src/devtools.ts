/**
 * @tautline/client/devtools: what the client does, to be looked at, and the way to the server, to be broken on purpose.
 *
 *     const tools = devtools()
 *     const client = tools.watch(createClient(tools.instrument({ url, userId, getToken })))
 *     const unmount = tools.mount()
 *
 * The client knows nothing of it: its transport, token and lifecycle are wrapped, and the rest is in its public events and
 * snapshots. The panel itself is loaded when it is opened first.
 */
import { TautlineError } from '@tautline/protocol/wire'
import type { Client, StatusChange } from './client.ts'
import type { Status } from './core/status.ts'
import { type OutboxRow, outboxRows } from './devtools/outbox-rows.ts'
import type { PanelParts } from './devtools/panel/panel.ts'
import { createRecorder, type Recording } from './devtools/recorder.ts'
import { type ReportFormat, writeReport } from './devtools/report.ts'
import { createWireBreaker, type SwitchName } from './devtools/wire-breaker.ts'
import { browserLifecycle } from './lifecycle.ts'
import { createListeners } from './listeners.ts'
import { type ClientOptions, dialOf } from './options.ts'
import { type Scheduler, systemScheduler } from './scheduler.ts'
import type { Readable } from './store.ts'

export type { OutboxRow } from './devtools/outbox-rows.ts'
export type { Fate, Happening, HappeningKind, RecordedFrame, Recording } from './devtools/recorder.ts'
export type { ReportFormat } from './devtools/report.ts'
export type { Latency, RoundTrip } from './devtools/round-trips.ts'
export type { SwitchName } from './devtools/wire-breaker.ts'

export interface DevtoolsOptions {
  /** How many frames are remembered. Default 500. */
  readonly maxFrames?: number | undefined
  /** How many lines the time line has. Default 300. */
  readonly maxHappenings?: number | undefined
  /**
   * Whether what frames carry is kept, up to 4,096 characters each. Default true. What is hidden is not kept, and can
   * neither be shown nor copied later. Tokens are never kept.
   */
  readonly bodies?: boolean | undefined
}

export interface DevtoolsSnapshot extends Recording {
  /** What is broken on purpose. */
  readonly switches: ReadonlySet<SwitchName>
}

export interface Devtools extends Readable<DevtoolsSnapshot> {
  /** These options with their transport, token and lifecycle wrapped: for `createClient`. */
  instrument(options: ClientOptions): ClientOptions
  /** Whose statuses and outbox are shown: the client that was made with these options. Another one takes its place. */
  watch<C extends Client>(client: C): C
  /**
   * Breaks something, or mends it: `stall` holds frames in both directions until it is released; with `halfOpen` they
   * vanish, and nothing closes; `refuseToken` gives the server one that is none; `offline` ends connections, lets none be
   * made, and says so to the client. The client stops where its token is refused: releasing `refuseToken` connects it again.
   */
  set(name: SwitchName, isOn: boolean): void
  /** Ends every connection as a lost network does. The client comes back by itself. */
  cut(): void
  /** All switches off. */
  restore(): void
  /** Undecided and failed messages of the watched client, as they are now. */
  outbox(): readonly OutboxRow[]
  /** What is recorded, to be passed on. */
  report(format: ReportFormat): string
  /** Forgets the time line, the frames and the latency. */
  clear(): void
  /** While paused nothing is recorded; the status, the outbox and the latency go on. */
  pause(isPaused: boolean): void
  /** Hidden bodies are forgotten. */
  showBodies(hasBodies: boolean): void
  /**
   * Shows the panel in this element, which it fills; without one at the bottom edge of the page. Returns how to take it
   * away. What was broken is mended when the last panel goes. Throws VALIDATION_ERROR before a client is watched.
   */
  mount(element?: Element, options?: MountOptions): () => void
}

export interface MountOptions {
  /** The panel was closed by its own button. */
  onClose?(): void
}

const SWITCHES: readonly SwitchName[] = ['stall', 'halfOpen', 'refuseToken', 'offline']

export function devtools(options: DevtoolsOptions = {}): Devtools {
  let scheduler: Scheduler = systemScheduler
  let watched: Client | undefined
  let unwatch = () => {}
  /** Since when it has its status, by the monotonic clock. */
  let since = 0
  let status: Status = 'idle'
  let cameFrom: Status | undefined
  let snapshot: DevtoolsSnapshot | undefined
  let panels = 0
  const listeners = createListeners<[]>()
  const recorder = createRecorder({
    clock: { now: () => scheduler.now(), unixTime: () => scheduler.unixTime() },
    maxFrames: options.maxFrames ?? 500,
    maxHappenings: options.maxHappenings ?? 300,
    hasBodies: options.bodies ?? true,
    changed,
  })
  const breaker = createWireBreaker({
    dialled: (link) => recorder.note({ kind: 'socket', what: `connection ${link} is dialled` }),
    opened: (link) => recorder.note({ kind: 'socket', what: `connection ${link} is open` }),
    closed: (link, closeCode, reason) =>
      recorder.note({
        kind: 'socket',
        what: `connection ${link} is closed`,
        reason: String(closeCode),
        detail: reason,
      }),
    frame: recorder.frame,
    settle: recorder.settle,
  })

  function changed(): void {
    snapshot = undefined
    listeners.tell()
  }

  function onStatus({ status: to, reason, detail, retryInMs }: StatusChange): void {
    const isMove = to !== status
    const now = scheduler.now()
    recorder.note({
      kind: 'status',
      what: isMove ? `${status} → ${to}` : `${to}, with another time`,
      reason,
      detail,
      afterMs: isMove ? now - since : undefined,
      retryInMs,
    })
    if (isMove) {
      since = now
      cameFrom = status
    }
    status = to
    if (to === 'closed') unwatch()
  }

  function set(name: SwitchName, isOn: boolean): void {
    if (breaker.isOn(name) === isOn) return
    recorder.note({ kind: 'switch', what: `${name} ${isOn ? 'on' : 'off'}` })
    breaker.set(name, isOn)
    // Where the token was refused the client has stopped, and the reason is none.
    if (name === 'refuseToken' && !isOn && watched?.status === 'stopped') watched.connect().catch(() => {})
    changed()
  }

  function on(): ReadonlySet<SwitchName> {
    return new Set(SWITCHES.filter(breaker.isOn))
  }

  const tools: Devtools = {
    getSnapshot() {
      snapshot ??= { ...recorder.read(), switches: on() }
      return snapshot
    },
    subscribe: (listener) => listeners.add(listener),
    instrument(given) {
      scheduler = given.scheduler ?? systemScheduler
      const askForToken = breaker.getToken((context) => given.getToken(context))
      return {
        ...given,
        transport: breaker.dial(dialOf(given)),
        lifecycle: breaker.lifecycle(given.lifecycle ?? browserLifecycle),
        async getToken(context) {
          const what = context.refused ? 'a token is asked for once more' : 'a token is asked for'
          recorder.note({ kind: 'token', what })
          const token = await askForToken(context)
          recorder.redactor.learn(token)
          return token
        },
      }
    },
    watch(client) {
      unwatch()
      watched = client
      status = client.status
      cameFrom = undefined
      since = scheduler.now()
      const stops = [
        client.on('status', onStatus),
        client.subscribe(changed),
        client.on('failed', ({ messageId, room, error }) =>
          recorder.note({ kind: 'outbox', what: `${messageId} to ${room} failed`, reason: error?.code }),
        ),
        client.on('discarded', ({ messageId }) =>
          recorder.note({ kind: 'outbox', what: `${messageId} is discarded` }),
        ),
        client.on('storage', ({ status: kept, code, detail }) =>
          recorder.note({ kind: 'outbox', what: `kept: ${kept}`, reason: code, detail }),
        ),
        client.on('error', ({ code, message }) =>
          recorder.note({ kind: 'error', what: 'an error', reason: code, detail: message }),
        ),
      ]
      unwatch = () => {
        for (const stop of stops) stop()
      }
      changed()
      return client
    },
    set,
    cut() {
      recorder.note({ kind: 'switch', what: 'cut' })
      breaker.cut()
    },
    restore() {
      for (const name of SWITCHES) set(name, false)
    },
    outbox: () => (watched ? outboxRows(watched, recorder) : []),
    report(format) {
      const { switches, ...recording } = tools.getSnapshot()
      const brokenOnPurpose = [...switches]
      return writeReport({ status, ...recording, outbox: tools.outbox(), brokenOnPurpose }, format)
    },
    clear: recorder.clear,
    pause: recorder.pause,
    showBodies: recorder.keepBodies,
    mount(element, { onClose } = {}) {
      if (!watched) throw new TautlineError('VALIDATION_ERROR', 'watch a client first')
      const first = watched
      const host = createHost(element)
      const root = host.attachShadow({ mode: 'open' })
      let end: (() => void) | undefined
      let isMounted = true
      panels++
      const unmount = () => {
        if (!isMounted) return
        isMounted = false
        end?.()
        host.remove()
        if (--panels === 0) tools.restore()
      }
      const parts: PanelParts = {
        tools,
        client: () => watched ?? first,
        cameFrom: () => cameFrom,
        now: () => scheduler.unixTime(),
        close() {
          unmount()
          onClose?.()
        },
      }
      import('./devtools/panel/panel.ts').then(
        ({ openPanel }) => {
          if (isMounted) end = openPanel(root, parts)
        },
        (error: unknown) => {
          // Whoever opens it without a network, and for the first time.
          root.textContent = `The panel could not be loaded: ${String(error)}`
        },
      )
      return unmount
    },
  }
  return tools
}

/** Nothing that the page's style sheets say of it, not even with !important, changes where it stands. */
function createHost(parent: Element | undefined): HTMLElement {
  const host = document.createElement('tautline-devtools')
  const docked = {
    position: 'fixed',
    inset: 'auto 0 0 0',
    'block-size': 'min(27rem, 60vh)',
    'z-index': '2147483000',
  }
  const within = { 'block-size': '100%', 'min-block-size': '16rem' }
  const style = { all: 'initial', display: 'block', contain: 'content', ...(parent ? within : docked) }
  for (const [name, value] of Object.entries(style)) host.style.setProperty(name, value, 'important')
  ;(parent ?? document.body).append(host)
  return host
}
