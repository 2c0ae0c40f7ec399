// What the test page of tab-stage.ts offers to the tests that run in it, as the global `tautline`.

import { createClient } from '@tautline/client'
import { calls } from '@tautline/client/calls'
import { devtools } from '@tautline/client/devtools'
import { indexedDb } from '@tautline/client/indexeddb'
import { laneRow, type OutboxTab, openTab } from '../client/support/outbox-tab.ts'
import { openChat, type TabChat } from './tab-chat.ts'

const offered = { calls, createClient, devtools, indexedDb, laneRow, openChat, openTab }

declare global {
  var tautline: typeof offered
  /** The outbox that a tab has open. */
  var outbox: OutboxTab
  /** The chat of a tab. */
  var chat: TabChat
}

globalThis.tautline = offered
