// What a render shows that takes long and lets others in between: one state, not two.

import type { Client } from '@tautline/client'
import { TautlineProvider, useClient, useConnection } from '@tautline/react'
import {
  type ComponentType,
  startTransition,
  useDeferredValue,
  useEffect,
  useLayoutEffect,
  useState,
} from 'react'
import { createRoot } from 'react-dom/client'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { type LocalServer, startLocalServer } from '../support/local-server.ts'

const READERS = Array.from({ length: 40 }, (_, n) => `reader ${n}`)
const RENDER_MS = 3

function takeLong(): void {
  const end = performance.now() + RENDER_MS
  while (performance.now() < end);
}

function Reader() {
  takeLong()
  return <i>{useConnection(({ queued }) => queued)}</i>
}

/** As one would without a binding, and must not. */
function Unsubscribed() {
  takeLong()
  return <i>{useClient().getSnapshot().queued}</i>
}

type Way = 'startTransition' | 'useDeferredValue'

export function describeConcurrency(name: string): void {
  describe(name, () => {
    let server: LocalServer
    beforeEach(async () => {
      server = await startLocalServer()
    })
    afterEach(() => server.close())

    /** Renders many readers by and by, while the state changes every few milliseconds; what each commit showed. */
    async function commitsOf(Shown: ComponentType, way: Way): Promise<readonly (readonly string[])[]> {
      const client: Client = server.client('alice')
      const element = document.createElement('div')
      const commits: string[][] = []

      function Page() {
        const [isAsked, ask] = useState(false)
        const deferred = useDeferredValue(isAsked)
        const isShown = way === 'startTransition' ? isAsked : deferred
        useEffect(() => {
          if (way === 'startTransition') startTransition(() => ask(true))
          else ask(true)
        }, [])
        useLayoutEffect(() => {
          commits.push(Array.from(element.querySelectorAll('i'), (shown) => shown.textContent ?? ''))
        })
        return <p>{isShown && READERS.map((reader) => <Shown key={reader} />)}</p>
      }

      const root = createRoot(element)
      root.render(
        <TautlineProvider client={client}>
          <Page />
        </TautlineProvider>,
      )
      let changes = 0
      const timer = setInterval(() => {
        // Without a connection each one is queued.
        if (changes++ < 20) client.room('general').send({ content: 'hello' })
      }, 5)
      await eventually(() => expect(commits.at(-1)).toHaveLength(READERS.length))
      clearInterval(timer)
      expect(changes).toBeGreaterThan(2)
      root.unmount()
      return commits
    }

    const differing = (commits: readonly (readonly string[])[]) =>
      commits.filter((texts) => new Set(texts).size > 1).length

    it.each<Way>(['startTransition', 'useDeferredValue'])('shows one state at once, by %s', async (way) => {
      expect(differing(await commitsOf(Reader, way))).toBe(0)
    })

    it('would show several, were the components not subscribed', async () => {
      expect(differing(await commitsOf(Unsubscribed, 'startTransition'))).toBeGreaterThan(0)
    })
  })
}
