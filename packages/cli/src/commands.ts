/** The table of the commands, in the order of the help. */
import type { Command } from './command.ts'
import { chat } from './commands/chat.ts'
import { health } from './commands/health.ts'
import { serve } from './commands/serve.ts'
import { token } from './commands/token.ts'

export const COMMANDS: ReadonlyMap<string, Command> = new Map(Object.entries({ serve, token, health, chat }))
