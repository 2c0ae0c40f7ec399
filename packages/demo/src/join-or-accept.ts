/** Getting into a room by its name or its address. */
import { type Room, TautlineError } from '@tautline/client'

/** A room that is not open to everybody may be open to who was invited. */
export async function joinOrAccept(room: Room): Promise<void> {
  try {
    await room.join()
  } catch (error) {
    if (!(error instanceof TautlineError) || error.code !== 'FORBIDDEN') throw error
    await room.accept()
  }
}
