/** The three lists: what happened, what went over the wire, and what waits. */
import type { Client } from '../../client.ts'
import type { OutboxRow } from '../outbox-rows.ts'
import type { Happening, RecordedFrame } from '../recorder.ts'
import { bytesWords, milliseconds, timeOfDay, whyWords } from '../report.ts'
import { button, createRows, element, type Row, say, setAttributes } from './dom.ts'

/** More are not drawn: the rest is counted. */
export const MAX_OUTBOX_ROWS = 200

export function createTimeLine(list: HTMLElement): (items: readonly Happening[]) => void {
  return createRows(
    list,
    ({ id }) => id,
    (happening) => ({
      node: element(
        'li',
        { class: 'line', 'data-kind': happening.kind },
        element('time', {}, timeOfDay(happening.at)),
        element('span', { class: 'kind' }, happening.kind),
        element('span', { class: 'what' }, happening.what),
        element('span', { class: 'note' }, whyWords(happening)),
      ),
      update() {},
    }),
  )
}

export function createFrameList(list: HTMLElement): (items: readonly RecordedFrame[]) => void {
  return createRows(list, ({ id }) => id, frameRow)
}

function frameRow(first: RecordedFrame): Row<RecordedFrame> {
  let frame = first
  const fate = element('span', { class: 'fate' })
  const body = element('pre', { tabindex: 0 })
  const summary = element(
    'summary',
    {},
    element('time', {}, timeOfDay(frame.at)),
    element(
      'span',
      { class: 'way', 'aria-label': frame.direction === 'in' ? 'in' : 'out' },
      frame.direction === 'in' ? '↓' : '↑',
    ),
    element('span', { class: 'what' }, frame.types.join(', ')),
    element(
      'span',
      { class: 'note' },
      [frame.room ?? '', bytesWords(frame.bytes), `connection ${frame.link}`].filter(Boolean).join(' · '),
    ),
    fate,
  )
  const details = element('details', {}, summary)
  const node = element('li', { class: 'frame', 'data-direction': frame.direction }, details)

  function show(): void {
    setAttributes(node, { 'data-fate': frame.fate })
    say(fate, frame.fate === 'passed' ? '' : frame.fate)
    // Written only while it is looked at: five hundred bodies are much for a page.
    if (details.open) say(body, frame.body === undefined ? 'The body is hidden.' : indented(frame.body))
    else body.textContent = ''
  }

  details.addEventListener('toggle', () => {
    if (details.open) details.append(body)
    else body.remove()
    show()
  })
  show()
  return {
    node,
    update(next) {
      if (next === frame) return
      frame = next
      show()
    },
  }
}

function indented(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), undefined, 2)
  } catch {
    // Cut off, or no JSON to begin with.
    return body
  }
}

export function createOutboxList(
  list: HTMLElement,
  client: () => Client,
  now: () => number,
): (items: readonly OutboxRow[]) => void {
  return createRows(
    list,
    ({ messageId }) => messageId,
    (row) => outboxRow(row, client, now),
  )
}

/** Whole seconds, so that it is not written anew with each look. */
function ageWords(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000))
  return seconds < 100 ? `${seconds} s` : milliseconds(seconds * 1_000)
}

function outboxRow(first: OutboxRow, client: () => Client, now: () => number): Row<OutboxRow> {
  const { messageId, room, type, createdAt } = first
  const status = element('span', { class: 'kind' })
  const note = element('span', { class: 'note' })
  const outbox = () => client().outbox
  /** The button goes away with what it is pressed for: the keyboard stays in the list. */
  const stay = () => node.closest<HTMLElement>('[role="tabpanel"]')?.focus()
  const retry = button('Retry', () => {
    stay()
    void outbox().retry(messageId)
  })
  const discard = button('Discard', () => {
    stay()
    outbox().discard(messageId)
  })
  const cancel = button('Cancel', () => {
    stay()
    outbox().cancel(messageId)
  })
  const node = element(
    'li',
    { class: 'line' },
    element('time', {}, timeOfDay(createdAt)),
    status,
    element('span', { class: 'what' }, `${type} to ${room}`),
    note,
    element('span', { class: 'row-buttons' }, retry, discard, cancel),
  )
  function update({ status: next, attempts, sid, n, reason, detail }: OutboxRow): void {
    const hasFailed = next === 'failed'
    say(status, next)
    setAttributes(node, { 'data-status': next })
    const lane = sid === undefined ? 'no lane yet' : `lane ${sid} no. ${n}`
    const age = `${ageWords(now() - createdAt)} old`
    say(note, [reason, detail, messageId, lane, `sent ${attempts}×`, age].filter(Boolean).join(' · '))
    retry.hidden = discard.hidden = !hasFailed
    cancel.hidden = hasFailed
  }
  update(first)
  return { node, update }
}
