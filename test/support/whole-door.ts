// The client's door as it is once every subject is in use.

import type { ServerMessage } from '@tautline/protocol'
import { openDoor } from '../../packages/client/src/door.ts'
import type { Checks } from '../../packages/client/src/shapes.ts'
import * as subjects from '../../packages/client/src/subject-checks.ts'

/** The checks of all subjects. */
export const ALL: Checks = Object.assign({}, ...Object.values(subjects))

export const wholeDoor = (data: unknown): readonly ServerMessage[] | undefined => openDoor(data, ALL)
