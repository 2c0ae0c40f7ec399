/** The commands within a chat: lines that begin with a slash. One row each; /help is made of them. */
export interface SlashActions {
  help(): void
  join(room: string): void
  members(): void
  history(count: number): void
  quit(): void
}

interface SlashCommand {
  readonly usage: string
  readonly about: string
  /** Returns what is wrong with the argument. */
  run(actions: SlashActions, argument: string): string | undefined
}

const DEFAULT_HISTORY = 20
/** As many as the server gives in one answer. */
const MAX_HISTORY = 100

const SLASH_COMMANDS: { readonly [name: string]: SlashCommand } = {
  help: {
    usage: '/help',
    about: 'this list',
    run(actions) {
      actions.help()
    },
  },
  join: {
    usage: '/join <room>',
    about: 'enter another room; what you type goes there',
    run(actions, room) {
      if (room === '') return 'Which room? /join general'
      actions.join(room)
      return undefined
    },
  },
  members: {
    usage: '/members',
    about: 'who belongs to the room, and who is there',
    run(actions) {
      actions.members()
    },
  },
  history: {
    usage: '/history [n]',
    about: `the last ${DEFAULT_HISTORY} (or n) messages; once more: those before`,
    run(actions, argument) {
      const count = argument === '' ? DEFAULT_HISTORY : Number(argument)
      if (!Number.isInteger(count) || count < 1 || count > MAX_HISTORY)
        return `/history takes a number from 1 to ${MAX_HISTORY}, not "${argument}".`
      actions.history(count)
      return undefined
    },
  },
  quit: {
    usage: '/quit',
    about: 'leave; so do Ctrl-C and Ctrl-D',
    run(actions) {
      actions.quit()
    },
  },
}

export const SLASH_HELP = [
  ...Object.values(SLASH_COMMANDS).map(({ usage, about }) => `  ${usage.padEnd(14)} ${about}`),
  '  //text         says "/text"',
].join('\n')

/** Carries the line out; returns what is wrong with it. */
export function runSlash(line: string, actions: SlashActions): string | undefined {
  const [word = '', ...rest] = line.slice(1).trim().split(/\s+/)
  const command = Object.hasOwn(SLASH_COMMANDS, word) ? SLASH_COMMANDS[word] : undefined
  return command ? command.run(actions, rest.join(' ')) : `There is no /${word}. /help lists what there is.`
}
