/** `npm run faults -- --mutants`: every deliberate weakening must be noticed by a campaign, or by one more. */
import { type CampaignReport, isClean, runCampaign } from './campaign.ts'
import { VERDICTS, type Verdict } from './checker.ts'
import { MUTANTS, type Mutant } from './mutants.ts'

const KILLS = 8
const ATTEMPTS = 4
const WEAKEN = new URL('./support/weaken-process.ts', import.meta.url).href

export interface Noticed {
  readonly mutant: string
  readonly about: string
  /** Undefined: it survived. */
  readonly seed: number | undefined
  readonly verdicts: Readonly<Partial<Record<Verdict, number>>>
}

export async function runGate(
  messagesPerSecond: number,
  progress: (line: string) => void,
): Promise<readonly Noticed[]> {
  const all: Noticed[] = []
  for (const mutant of MUTANTS) {
    const noticed = await hunt(mutant, messagesPerSecond)
    all.push(noticed)
    const { seed, verdicts } = noticed
    const counts = Object.entries(verdicts).map(([verdict, count]) => `${count} ${verdict}`)
    progress(
      `${mutant.name}: ${seed === undefined ? 'NOT NOTICED' : `seed ${seed}: ${counts.join(', ') || 'stuck'}`}`,
    )
  }
  return all
}

async function hunt({ name, about }: Mutant, messagesPerSecond: number): Promise<Noticed> {
  // Not for this process, which is running: for those that it starts.
  process.env['TAUTLINE_MUTANT'] = name
  process.env['NODE_OPTIONS'] = `--import=${WEAKEN}`
  for (let seed = 1; seed <= ATTEMPTS; seed++) {
    const report = await runCampaign({ kills: KILLS, seed, messagesPerSecond })
    if (!isClean(report)) return { mutant: name, about, seed, verdicts: brokenOf(report) }
  }
  return { mutant: name, about, seed: undefined, verdicts: {} }
}

function brokenOf({ verdicts }: CampaignReport): Noticed['verdicts'] {
  const names = Object.keys(VERDICTS) as Verdict[]
  return Object.fromEntries(names.filter((name) => verdicts[name] > 0).map((name) => [name, verdicts[name]]))
}
