/** Loaded before a server or a client of a campaign: switches in the mutant that the environment names. */
import { registerHooks } from 'node:module'
import { MUTANTS, weaken } from '../mutants.ts'

const ROOT = new URL('../../../', import.meta.url)
const mutant = MUTANTS.find(({ name }) => name === process.env['TAUTLINE_MUTANT'])
if (!mutant) throw new Error(`there is no mutant ${process.env['TAUTLINE_MUTANT']}`)

registerHooks({
  load(url, context, next) {
    const loaded = next(url, context)
    const edits = mutant.edits.filter(({ file }) => new URL(file, ROOT).href === url)
    if (edits.length === 0 || loaded.source === undefined || loaded.source === null) return loaded
    const { source } = loaded
    const text = typeof source === 'string' ? source : Buffer.from(source as Uint8Array).toString()
    return { ...loaded, source: edits.reduce((weakened, edit) => weaken(edit, weakened), text) }
  },
})
