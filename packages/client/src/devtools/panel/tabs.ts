/** Tabs in the way of the ARIA pattern: one stop of the Tab key, arrows between them; each shows one list. */
import { element, say, setAttributes } from './dom.ts'

export interface Page {
  readonly node: HTMLElement
  readonly list: HTMLElement
  /** What is said below the list. */
  note(text: string): void
  /** Whoever looks at the end of the list looks at its end afterwards, too. */
  stick(change: () => void): void
}

export interface Tabs {
  readonly bar: HTMLElement
  readonly pages: readonly [Page, Page, Page]
  chosen(): number
  count(counts: readonly number[]): void
}

const NEAR_END_PX = 24

export function createTabs(names: readonly [string, string, string], changed: () => void): Tabs {
  let chosen = 0
  const tabs = names.map((name, i) => {
    const tab = element('button', {
      type: 'button',
      role: 'tab',
      id: `tab-${i}`,
      'aria-controls': `page-${i}`,
    })
    tab.addEventListener('click', () => choose(i))
    say(tab, name)
    return tab
  })
  const bar = element('div', { role: 'tablist', 'aria-label': 'What is shown' }, ...tabs)
  const pages = [createPage(0), createPage(1), createPage(2)] as const

  function choose(i: number): void {
    chosen = i
    show()
    changed()
  }

  function show(): void {
    for (const [i, tab] of tabs.entries())
      setAttributes(tab, { 'aria-selected': String(i === chosen), tabindex: i === chosen ? 0 : -1 })
    for (const [i, { node }] of pages.entries()) node.hidden = i !== chosen
  }

  bar.addEventListener('keydown', ({ key }) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[key]
    if (step === undefined) return
    choose((chosen + step + tabs.length) % tabs.length)
    tabs[chosen]?.focus()
  })
  show()
  return {
    bar,
    pages,
    chosen: () => chosen,
    count(counts) {
      for (const [i, tab] of tabs.entries()) say(tab, `${names[i]} ${counts[i]}`)
    },
  }
}

function createPage(i: number): Page {
  const list = element('ol')
  const words = element('p', { class: 'empty' })
  const attributes = {
    class: 'page',
    role: 'tabpanel',
    id: `page-${i}`,
    'aria-labelledby': `tab-${i}`,
    tabindex: 0,
  }
  const node = element('div', attributes, list, words)
  return {
    node,
    list,
    note(text) {
      say(words, text)
      words.hidden = text === ''
    },
    stick(change) {
      const wasAtEnd = node.scrollHeight - node.scrollTop - node.clientHeight < NEAR_END_PX
      change()
      if (wasAtEnd) node.scrollTop = node.scrollHeight
    },
  }
}
