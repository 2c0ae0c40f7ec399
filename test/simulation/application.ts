// The application's own code beside the servers. It speaks through the real shell (application.ts of the server): what the
// server could not decide it says again under the same id, to whichever server is there, and sometimes once more although
// it was accepted, as a program does that was started anew.

import { CODES, SYSTEM_USER_ID, TautlineError } from '@tautline/protocol/wire'
import type { Application } from '../../packages/server/src/application.ts'
import type { Dice } from './dice.ts'
import type { History, Spoken } from './history.ts'
import type { World } from './world.ts'

export interface Speaker {
  /** Says something in a room: as itself, or as a user. */
  say(room: string, as: string | undefined): void
  /** Changes who belongs to a room, and as what. Nobody waits for it. */
  change(room: string, about: string): void
  /** Lets everybody in again. */
  pardon(rooms: readonly string[], users: readonly string[]): void
}

export interface SpeakerParts {
  readonly world: World
  readonly history: History
  readonly dice: Dice
  /** That of a server that is up. */
  readonly application: () => Application | undefined
  readonly count: (what: string) => void
}

export function createSpeaker({ world, history, dice, application, count }: SpeakerParts): Speaker {
  function tryAgain(spoken: Spoken, content: string): void {
    world.after(dice.between(200, 4_000), () => attempt(spoken, content))
  }

  function attempt(spoken: Spoken, content: string): void {
    const { messageId, room, user } = spoken
    const shell = application()
    if (!shell) return tryAgain(spoken, content)
    world.settleSoon()
    const sender = user === SYSTEM_USER_ID ? undefined : user
    shell.send({ room, sender, messageId, content }).then(
      ({ seq }) => {
        world.note(() => `the application: ${messageId} is at ${seq} of ${room}`)
        spoken.outcomes.push({ at: world.now, status: 'acknowledged', code: undefined, seq })
        if (spoken.outcomes.length === 1 && dice.chance(0.5)) onceMore(spoken, content)
      },
      (error: unknown) => {
        const code = error instanceof TautlineError ? error.code : undefined
        count(`application_${code}`)
        if (code === undefined)
          history.broken.push({ at: world.now, what: `the application: ${String(error)}` })
        else if (!CODES[code].final) return tryAgain(spoken, content)
        spoken.outcomes.push({ at: world.now, status: 'failed', code, seq: undefined })
      },
    )
  }

  /** Whatever it says by then, the same is acknowledged where it stands. */
  function onceMore(spoken: Spoken, content: string): void {
    const { messageId, room, user } = spoken
    if (dice.chance(0.5)) {
      const target = { room, messageId, ...(user === SYSTEM_USER_ID ? {} : { sender: user }) }
      world.after(dice.between(100, 5_000), () => {
        ignore(application()?.edit({ target, content: `${content}, in other words` }))
      })
    }
    count('application_again')
    world.after(dice.between(500, 20_000), () => attempt(spoken, content))
  }

  function ignore(promise: Promise<unknown> | undefined): void {
    world.settleSoon()
    promise?.catch((error: unknown) => {
      if (error instanceof TautlineError) return
      history.broken.push({ at: world.now, what: `the application: ${String(error)}` })
    })
  }

  return {
    say(room, as) {
      const user = as ?? SYSTEM_USER_ID
      const spoken: Spoken = {
        messageId: `said-${dice.letters(10)}`,
        user,
        room,
        at: world.now,
        outcomes: [],
      }
      history.spoken.push(spoken)
      world.note(() => `the application: says ${spoken.messageId} in ${room} as ${user}`)
      attempt(spoken, `news ${dice.letters(6)}`)
    },

    change(room, about) {
      const rooms = application()?.rooms
      if (!rooms) return
      world.note(() => `the application: does something to ${about} in ${room}`)
      switch (dice.below(6)) {
        case 0:
          return ignore(rooms.addMember(room, about, dice.pick(['member', 'moderator', 'owner'])))
        case 1:
          return ignore(rooms.removeMember(room, about))
        case 2:
          return ignore(rooms.setRole(room, about, dice.pick(['member', 'moderator', 'owner'])))
        case 3:
          return ignore(rooms.ban(room, about))
        case 4:
          return ignore(rooms.unban(room, about))
        default:
          return ignore(rooms.mute(room, about, 1_000 + dice.below(30_000)))
      }
    },

    pardon(rooms, users) {
      const shell = application()
      for (const room of rooms) for (const user of users) ignore(shell?.rooms.unban(room, user))
    },
  }
}
