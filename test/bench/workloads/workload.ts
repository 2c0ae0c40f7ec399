/**
 * What is measured, as data: a workload has rows, one for each way in which it is done, and goals over what the rows of
 * one round came to. How a row is measured is its function; how rounds are made of rows stands in bench.ts.
 */
import type { Lab } from '../lab.ts'

/** By name, such as `perSecond`. */
export type Figures = Readonly<Record<string, number>>

export interface Measurement {
  readonly figures: Figures
  /** Cores that other processes used meanwhile. */
  readonly others: number
}

export interface Row {
  readonly key: string
  readonly title: string
  /** Of a row of others: the row of Tautline that does the same. Left out: `tautline`. */
  readonly comparedWith?: string
  measure(lab: Lab): Promise<Measurement>
}

/** What the rows of one round came to, by their keys. */
export type Round = Readonly<Record<string, Figures>>

export interface Goal {
  readonly what: string
  /** Undefined: the round says nothing about it. */
  of(round: Round): number | undefined
  readonly unit?: string
  /** Whether the figure shall be at least or at most so much. */
  readonly bound: 'at least' | 'at most'
  readonly must: number
  /** Left out: as `must`. */
  readonly aim?: number
  /** The plot shows this, and the goal as a mark in it: the ratio to bare ws, or a figure by its name. */
  readonly mark?: 'ratio' | { readonly figure: string }
}

export interface Column {
  readonly figure: string
  readonly title: string
  readonly digits: number
}

export interface Workload {
  readonly name: string
  readonly title: string
  /** What is done, and what a reader must know to believe it. */
  readonly about: string
  /** Whether `--quick` measures it. */
  readonly isQuick?: boolean
  readonly rows: readonly Row[]
  readonly columns: readonly Column[]
  /** The figure that is told as a ratio to the row `ws` of the same round. */
  readonly ratioOf?: string
  /** The figure by which others are told to be better where there is no ratio: less of it is better. */
  readonly comparedBy?: { readonly figure: string; readonly unit: string }
  readonly goals: readonly Goal[]
  /** Rows that are points of lines: cost against size. */
  readonly lines?: readonly Line[]
}

export interface Line {
  readonly title: string
  readonly points: readonly { readonly size: number; readonly key: string; readonly toKey: string }[]
  readonly figure: string
}

/** The figure of one row over that of another in the same round. */
export function ratio(round: Round, figure: string, key: string, toKey = 'ws'): number | undefined {
  const value = round[key]?.[figure]
  const base = round[toKey]?.[figure]
  return value === undefined || base === undefined || base === 0 ? undefined : value / base
}

/** The goal that a figure of a row is so much of that of another row of the same round. */
export function ratioGoal(
  what: string,
  figure: string,
  [key, toKey]: readonly [string, string],
  bounds: Pick<Goal, 'bound' | 'must' | 'aim' | 'mark'>,
): Goal {
  return { what, of: (round) => ratio(round, figure, key, toKey), ...bounds }
}

export const THROUGHPUT_COLUMNS: readonly Column[] = [
  { figure: 'perSecond', title: 'a second', digits: 0 },
  { figure: 'serverUs', title: 'server µs each', digits: 2 },
  { figure: 'serverUserUs', title: 'of which in the program', digits: 2 },
  { figure: 'clientUs', title: 'client µs each', digits: 2 },
]
