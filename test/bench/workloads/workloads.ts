/** All workloads, in the order in which they are measured and told. */
import { accept, memory } from './connections.ts'
import { fanOut, fanOutBursts, fanOutLatency } from './fan-out.ts'
import { herd1, herd10 } from './herd.ts'
import { replay, validation } from './reading.ts'
import { bytes, lockStep, manySenders, oneSender, smallWindow } from './sends.ts'
import { sizeOfCrowd, sizeOfLog, sizeOfRooms } from './size.ts'
import type { Workload } from './workload.ts'

export const WORKLOADS: readonly Workload[] = [
  manySenders,
  oneSender,
  smallWindow,
  lockStep,
  fanOut,
  fanOutBursts,
  fanOutLatency,
  memory,
  accept,
  bytes,
  herd1,
  herd10,
  replay,
  sizeOfRooms,
  sizeOfLog,
  sizeOfCrowd,
  validation,
]
