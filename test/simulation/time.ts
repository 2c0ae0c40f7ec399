// When a run begins, by the clock on the wall.
export const UNIX_START = 1_790_000_000_000
