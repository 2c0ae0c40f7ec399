/** What can be broken, as buttons that stay pressed. */
import type { SwitchName } from '../wire-breaker.ts'
import { button, element, setAttributes } from './dom.ts'

const SWITCHES: { readonly [S in SwitchName]: { readonly label: string; readonly title: string } } = {
  stall: { label: 'Stall', title: 'Frames are held in both directions, and arrive when it is released' },
  halfOpen: { label: 'Half-open', title: 'Frames vanish in both directions, and nothing closes' },
  refuseToken: { label: 'Refuse token', title: 'The server gets a token that is none: the client stops' },
  offline: { label: 'Offline', title: 'Connections end, and none can be made' },
}

export interface SwitchBoard {
  readonly node: HTMLElement
  show(on: ReadonlySet<SwitchName>): void
}

export function createSwitchBoard(tools: {
  set(name: SwitchName, isOn: boolean): void
  cut(): void
  restore(): void
}): SwitchBoard {
  let shown: ReadonlySet<SwitchName> = new Set()
  const names = Object.keys(SWITCHES) as SwitchName[]
  const switches = names.map((name) => ({
    name,
    node: button(SWITCHES[name].label, () => tools.set(name, !shown.has(name)), {
      class: 'switch',
      'aria-pressed': 'false',
      title: SWITCHES[name].title,
    }),
  }))
  const mend = button('Mend all', () => tools.restore(), { title: 'Releases every switch' })
  const cut = button('Cut', () => tools.cut(), { title: 'Ends the connection as a lost network does' })
  return {
    node: element(
      'div',
      { class: 'switches', role: 'group', 'aria-label': 'Break on purpose' },
      cut,
      ...switches.map(({ node }) => node),
      mend,
    ),
    show(on) {
      shown = on
      for (const { name, node } of switches) setAttributes(node, { 'aria-pressed': String(on.has(name)) })
      // Not `disabled`, which would take the focus away from who has just pressed it.
      setAttributes(mend, { 'aria-disabled': on.size === 0 ? 'true' : undefined })
    },
  }
}
