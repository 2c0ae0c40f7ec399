/** What is copied out of the devtools: for people as text, for programs as JSON. What is hidden is not in it. */
import type { OutboxRow } from './outbox-rows.ts'
import type { Happening, RecordedFrame, Recording } from './recorder.ts'

export interface Report extends Recording {
  readonly status: string
  readonly outbox: readonly OutboxRow[]
  readonly brokenOnPurpose: readonly string[]
}

export type ReportFormat = 'text' | 'json'

export function writeReport(report: Report, format: ReportFormat): string {
  if (format === 'json') return `${JSON.stringify(report, undefined, 2)}\n`
  const { status, happenings, frames, outbox, brokenOnPurpose, latency } = report
  const figures = latency.lastMs === undefined ? 'none measured' : latencyWords(latency)
  return [
    `status      ${status}`,
    `latency     ${figures}`,
    `broken      ${brokenOnPurpose.join(', ') || 'nothing, on purpose'}`,
    '',
    'Time line',
    ...happenings.map(happeningLine),
    '',
    'Outbox',
    ...outbox.map(rowLine),
    '',
    'Frames',
    ...frames.map(frameLine),
    '',
  ].join('\n')
}

export function latencyWords({ lastMs, medianMs, worstMs }: Recording['latency']): string {
  const words = ({ name, ms }: { name: string; ms: number | undefined }) => `${name} ${milliseconds(ms ?? 0)}`
  return [
    { name: 'last', ms: lastMs },
    { name: 'median', ms: medianMs },
    { name: 'worst', ms: worstMs },
  ]
    .map(words)
    .join(', ')
}

/** `12:04:31.250`, in UTC, so that two people mean the same. */
export function timeOfDay(unixTime: number): string {
  return new Date(unixTime).toISOString().slice(11, 23)
}

/** `40 ms`, `3.2 s`, `4 min`, `2 h` */
export function milliseconds(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 100_000) return `${(ms / 1_000).toFixed(1)} s`
  return ms < 7_200_000 ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 3_600_000)} h`
}

export function bytesWords(bytes: number): string {
  return bytes < 1_000 ? `${bytes} B` : `${(bytes / 1_000).toFixed(1)} kB`
}

/** Why, and what is known beside it. */
export function whyWords({ reason, detail, afterMs, retryInMs }: Happening): string {
  return [
    reason,
    detail,
    afterMs === undefined ? undefined : `after ${milliseconds(afterMs)}`,
    retryInMs === undefined ? undefined : `next attempt in ${milliseconds(retryInMs)}`,
  ]
    .filter((part) => part !== undefined && part !== '')
    .join(' · ')
}

function happeningLine(happening: Happening): string {
  const { at, kind, what } = happening
  return `${timeOfDay(at)}  ${kind.padEnd(8)}  ${[what, whyWords(happening)].filter(Boolean).join('  ')}`
}

function rowLine({
  createdAt,
  room,
  messageId,
  type,
  status,
  attempts,
  sid,
  n,
  reason = '',
}: OutboxRow): string {
  const lane = sid === undefined ? 'no lane yet' : `lane ${sid} no. ${n}`
  return `${timeOfDay(createdAt)}  ${status.padEnd(12)}  ${room}  ${type}  ${messageId}  ${lane}  sent ${attempts}×  ${reason}`.trimEnd()
}

function frameLine({ at, link, direction, bytes, types, fate, body = '' }: RecordedFrame): string {
  const arrow = direction === 'in' ? '←' : '→'
  const note = fate === 'passed' ? '' : `  (${fate})`
  return `${timeOfDay(at)}  ${arrow} ${link}  ${bytesWords(bytes)}  ${types.join(', ')}${note}  ${body}`.trimEnd()
}
