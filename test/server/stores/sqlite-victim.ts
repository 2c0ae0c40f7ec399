// A process that commits, says so, and waits to be killed: `node --conditions=source sqlite-victim.ts <file>`.

import { sqlite } from '../../../packages/server/src/stores/sqlite.ts'
import { join, NOW, send } from '../../contracts/store/harness.ts'

const store = await sqlite(process.argv[2]!).open()
await store.commit([join(), send(1)], NOW)
process.stdout.write('committed\n')
setInterval(() => {}, 1_000)
