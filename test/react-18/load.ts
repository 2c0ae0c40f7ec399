// What stands in this folder's node_modules: React 18.

import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

export const load = (name: string): object => ({ ...require(name) })
