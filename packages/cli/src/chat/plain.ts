/**
 * Lines for scripts, files and pipes. The standard output has what the rooms say, a line a message, own ones as soon as
 * they have their place; everything about it (state, steps, who comes and goes) is on the standard error.
 */
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { printable } from '../printable.ts'
import type { OwnMessage, ShownMessage, View } from './view.ts'

export function createPlainView(input: Readable, output: Writable, errors: Writable): View {
  const reader = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })
  const about = (text: string) => errors.write(`${text}\n`)
  const told = new Set<number>()
  let typing = ''
  return {
    lines: reader,
    isInteractive: false,
    message: (message) => {
      output.write(`${lineOf(message)}\n`)
    },
    step(own) {
      about(told.has(own.number) ? `[${own.number}] ${stepOf(own)}` : firstStepOf(own))
      told.add(own.number)
    },
    notice: (text) => about(`* ${text}`),
    problem: (text) => about(`! ${text}`),
    answer: (text) => {
      output.write(`${text}\n`)
    },
    show(state) {
      const names = state.typing.join(', ')
      if (names !== typing && names !== '') about(`* ${names} types …`)
      typing = names
    },
    onTyping() {},
    onLeave() {},
    close: () => reader.close(),
  }
}

function lineOf({ room, seq, sender, content }: ShownMessage): string {
  return `${room} #${seq} ${sender}: ${printable(content)}`
}

function firstStepOf(own: OwnMessage): string {
  return `[${own.number}] ${stepOf(own)}: ${printable(own.content)}`
}

function stepOf({ status, seq, failure }: OwnMessage): string {
  if (status === 'acknowledged') return `acknowledged #${seq}`
  return failure === undefined ? status : `failed (${failure})`
}
