/**
 * The chat in a terminal. What was said scrolls up and stays; below it is the live part, drawn anew with each change:
 * own messages on their way, a line with the state, and the line that is being typed. The live part is readline's
 * prompt, so that editing, wrapping and resizing are its work.
 */
import { clearScreenDown, createInterface, cursorTo, moveCursor } from 'node:readline'
import type { ReadStream, WriteStream } from 'node:tty'
import { styleText } from 'node:util'
import { printable } from '../printable.ts'
import type { ChatState, OwnMessage, View } from './view.ts'
import { STATUS_WORDS } from './words.ts'

type Style = Parameters<typeof styleText>[0]

/** Own messages on their way that are shown at most; the rest is a number. */
const MAX_PENDING_LINES = 6

export function createWindow(input: ReadStream, output: WriteStream): View {
  const style = (format: Style, text: string) => styleText(format, text, { stream: output })
  const reader = createInterface({ input, output, terminal: true, historySize: 200, prompt: '> ' })
  let prompt = '> '
  let isOpen = true

  reader.on('line', eraseEcho)
  reader.on('close', () => {
    isOpen = false
    erase(reader.getCursorPos().rows)
  })

  function erase(rows: number): void {
    moveCursor(output, 0, -rows)
    cursorTo(output, 0)
    clearScreenDown(output)
  }

  /** Draws the live part again, where it was. */
  function redraw(): void {
    // What is pasted over the edge of the window, readline does not count: it would draw a row too low. It goes up as
    // many rows as this field says, which has no other door.
    Object.assign(reader, { prevRows: reader.getCursorPos().rows })
    reader.prompt(true)
  }

  /** Puts a line above the live part. */
  function write(text: string): void {
    if (!isOpen) {
      output.write(`${text}\n`)
      return
    }
    const { rows } = reader.getCursorPos()
    erase(rows)
    // It goes up as many rows as it drew: give it those rows.
    output.write(`${text}\n${'\n'.repeat(rows)}`)
    redraw()
  }

  /** What was typed is shown as a message with its state, so its echo goes. The cursor is in the row below it. */
  function eraseEcho(line: string): void {
    // The one public way to ask how many rows a text takes.
    reader.setPrompt(prompt + line)
    const { rows } = reader.getCursorPos()
    reader.setPrompt(prompt)
    erase(rows + 1)
    reader.prompt()
  }

  function livePart(state: ChatState): string {
    const columns = Math.max(output.columns, 20) - 1
    const shown = state.pending.slice(0, MAX_PENDING_LINES)
    const lines = shown.map((own) => style('dim', cut(pendingLine(own), columns)))
    const rest = state.pending.length - shown.length
    if (rest > 0) lines.push(style('dim', `  … and ${rest} more`))
    return [...lines, style(colourOf(state), cut(stateLine(state), columns)), '> '].join('\n')
  }

  return {
    lines: reader,
    isInteractive: true,
    message: ({ room, seq, sender, content, timestamp }) =>
      write(
        `${style('dim', `${clock(timestamp)} ${room} #${seq}`)} ${style('bold', sender)}: ${printable(content)}`,
      ),
    step({ failure, content }) {
      if (failure !== undefined) write(style('red', `✗ ${printable(content)} (${failure})`))
    },
    notice: (text) => write(style('dim', `· ${text}`)),
    problem: (text) => write(style('red', `! ${text}`)),
    answer: (text) => write(text),
    show(state) {
      const next = livePart(state)
      if (!isOpen || next === prompt) return
      erase(reader.getCursorPos().rows)
      prompt = next
      reader.setPrompt(prompt)
      output.write('\n'.repeat(reader.getCursorPos().rows))
      redraw()
    },
    onTyping(listener) {
      // readline puts the key into its line in the same event; after it the line is known.
      input.on('keypress', () => setImmediate(() => listener(isOpen && isMessage(reader.line))))
    },
    onLeave: (listener) => {
      reader.on('SIGINT', listener)
    },
    close: () => reader.close(),
  }
}

function isMessage(line: string): boolean {
  return line !== '' && (!line.startsWith('/') || line.startsWith('//'))
}

function pendingLine({ status, content }: OwnMessage): string {
  return `  ${status.padEnd(7)}${printable(content)}`
}

function stateLine({ status, userId, room, users, typing, pending }: ChatState): string {
  const parts = [status === 'connected' ? `connected as ${userId}` : STATUS_WORDS[status]]
  parts.push(users.length > 0 ? `${room}: ${users.join(', ')}` : room)
  if (typing.length > 0) parts.push(`${typing.join(', ')} types …`)
  if (pending.length > 0) parts.push(`${pending.length} on the way`)
  return parts.join(' · ')
}

function colourOf({ status }: ChatState): Style {
  if (status === 'connected') return 'green'
  return status === 'connecting' || status === 'authenticating' ? 'yellow' : 'red'
}

function cut(text: string, columns: number): string {
  return text.length <= columns ? text : `${text.slice(0, columns - 1)}…`
}

function clock(unixMs: number): string {
  const date = new Date(unixMs)
  return [date.getHours(), date.getMinutes()].map((part) => String(part).padStart(2, '0')).join(':')
}
