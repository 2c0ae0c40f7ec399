// What a run changes of the modules before they are loaded: the server's door where frames are to go in as objects, and
// the one place that a mutant weakens. The sources themselves know of neither.
//
// To be installed before anything of the packages is imported.

import { registerHooks } from 'node:module'
import { type Mutant, weaken } from './mutants.ts'

const ROOT = new URL('../../', import.meta.url)
const INBOX = new URL('packages/server/src/core/inbox.ts', ROOT).href
const OBJECT_DOOR = new URL('./object-door.ts', import.meta.url).href

export function letObjectsIn(): void {
  registerHooks({
    resolve(specifier, context, next) {
      const isDoor = specifier === '@tautline/protocol' && context.parentURL === INBOX
      return next(isDoor ? OBJECT_DOOR : specifier, context)
    },
  })
}

export function switchOn(mutant: Mutant): void {
  const target = new URL(mutant.file, ROOT).href
  registerHooks({
    load(url, context, next) {
      const loaded = next(url, context)
      if (url !== target || loaded.source === undefined || loaded.source === null) return loaded
      const text =
        typeof loaded.source === 'string'
          ? loaded.source
          : Buffer.from(loaded.source as Uint8Array).toString()
      return { ...loaded, source: weaken(mutant, text) }
    },
  })
}
