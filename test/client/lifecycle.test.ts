// @vitest-environment jsdom
import { browserLifecycle, type LifecycleEvent } from '@tautline/client'
import { describe, expect, it, vi } from 'vitest'

describe('the browser', () => {
  it('is listened to for what it notices about itself, until that is ended', () => {
    const seen: LifecycleEvent[] = []
    const stop = browserLifecycle((event) => seen.push(event))
    const events: [EventTarget, string][] = [
      [document, 'visibilitychange'],
      [document, 'resume'],
      [globalThis, 'pageshow'],
      [globalThis, 'online'],
      [globalThis, 'offline'],
    ]
    const fire = (): void => {
      for (const [target, type] of events) target.dispatchEvent(new Event(type))
    }
    fire()
    expect(seen).toEqual(['wake', 'wake', 'wake', 'online', 'offline'])
    stop()
    fire()
    expect(seen).toHaveLength(5)
  })

  it('that hides the page says nothing by it', () => {
    const seen: LifecycleEvent[] = []
    const stop = browserLifecycle((event) => seen.push(event))
    vi.spyOn(document, 'visibilityState', 'get').mockReturnValue('hidden')
    document.dispatchEvent(new Event('visibilitychange'))
    expect(seen).toEqual([])
    vi.restoreAllMocks()
    document.dispatchEvent(new Event('visibilitychange'))
    expect(seen).toEqual(['wake'])
    stop()
  })
})
