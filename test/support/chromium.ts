// The real Chromium of the machine: where it is, how it is started without talking to anybody, and as a process that can
// be killed and started again on the same profile.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { type BrowserContext, chromium } from 'playwright-core'

/** Of several flags that switch features off only the last one counts, so that all of them stand here. */
const FEATURES_OFF = [
  // The popup of the address bar, which nobody sees: two pages for each window, at four times the cost of ours.
  'WebUIOmniboxPopup',
  'WebUIOmniboxAimPopup',
  // Would talk to somebody.
  'MediaRouter',
  'NetworkTimeServiceQuerying',
  'OptimizationHints',
  // In calls: addresses as they are.
  'WebRtcHideLocalIpsWithMdns',
]

export const CHROMIUM_FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  `--disable-features=${FEATURES_OFF.join()}`,
]

export function chromiumPath(): string {
  const path = process.env['CHROMIUM_PATH']
  if (!path) throw new Error('Run this by: node scripts/run.mjs test:browser')
  return path
}

export interface ChromiumProcess {
  /** Of the profile on the disk. */
  readonly context: BrowserContext
  /** Another one, in memory. */
  newProfile(): Promise<BrowserContext>
  /** All of it at once, as when the power goes. */
  kill(): Promise<void>
}

/** A camera that shows a clock and a microphone that beeps, given to every page that asks. */
export const FAKE_MEDIA_FLAGS = ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream']

/**
 * On a profile, which may be that of one that was killed. Not started by Playwright, which would switch off the
 * back-forward cache and the throttling of tabs in the background.
 */
export async function startChromium(
  profile: string,
  flags: readonly string[] = [],
): Promise<ChromiumProcess> {
  const args = [
    ...CHROMIUM_FLAGS,
    ...flags,
    '--remote-debugging-port=0',
    `--user-data-dir=${profile}`,
    'about:blank',
  ]
  // A group of its own: the browser is many processes.
  const child = spawn(chromiumPath(), args, { stdio: ['ignore', 'ignore', 'pipe'], detached: true })
  const browser = await chromium.connectOverCDP(await addressOf(child), { noDefaults: true })
  return {
    context: browser.contexts()[0] as BrowserContext,
    newProfile: () => browser.newContext(),
    async kill() {
      const isGone = once(child, 'exit')
      process.kill(-(child.pid as number), 'SIGKILL')
      await isGone
      await browser.close()
    },
  }
}

function addressOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = ''
    child.stderr?.on('data', (chunk) => {
      said += chunk
      const found = /DevTools listening on (ws:\S+)/.exec(said)
      if (found) resolve(found[1] as string)
    })
    child.once('exit', (code) => reject(new Error(`Chromium ended with code ${code}:\n${said}`)))
  })
}
