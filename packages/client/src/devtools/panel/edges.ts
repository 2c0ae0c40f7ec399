/** The moves of the connection as lines between boxes, from the table that the client itself goes by. */
import { MOVES, STATUSES, type Status } from '../../core/status.ts'

export interface Edge {
  readonly from: Status
  readonly to: Status
  readonly move: string
}

export const ALL_STATUSES = Object.keys(STATUSES) as Status[]

export const EDGES: readonly Edge[] = ALL_STATUSES.flatMap((from) =>
  Object.entries(MOVES[from]).map(([move, to]) => ({ from, to, move })),
)
