import { describeStoreContract } from '../../contracts/store.ts'
import { startSqlite } from './sqlite-harness.ts'

// Synced as it is by default: this suite is also what a slow disk would show.
describeStoreContract('sqlite', async () => startSqlite())
