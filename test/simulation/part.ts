// One part of a series, in a process of its own (jobs.ts).

import { isProfileName } from './faults.ts'
import { letObjectsIn, switchOn } from './hooks.ts'
import type { Part, Report } from './jobs.ts'
import { MUTANTS } from './mutants.ts'

const part = JSON.parse(process.argv[2] ?? '') as Part
const { runs, firstSeed, profile, door } = part
const mutant = MUTANTS.find(({ name }) => name === part.mutant)
if (door !== 'json') letObjectsIn()
if (mutant) switchOn(mutant)
const { runSeries } = await import('./series.ts')
const figures = await runSeries({
  runs,
  firstSeed,
  profile: profile !== undefined && isProfileName(profile) ? profile : undefined,
  door: door === 'json' || door === 'objects' ? door : undefined,
  stopAtFirst: false,
  trace: false,
  out: (line) => tell({ says: 'line', line }),
  progress: (done, violations) => tell({ says: 'progress', done, violations }),
})
tell({ says: 'figures', figures })
process.disconnect()

function tell(report: Report): void {
  process.send?.(report)
}
