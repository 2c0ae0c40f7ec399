/**
 * Elements by hand. What others said becomes text alone: a string is a text node, and attributes are ours.
 */

export interface Attributes {
  readonly [name: string]: string | number | undefined
}

export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag)
  setAttributes(made, attributes)
  made.append(...children)
  return made
}

export function shape<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly (Node | string)[]
): SVGElementTagNameMap[K] {
  const made = document.createElementNS('http://www.w3.org/2000/svg', tag)
  setAttributes(made, attributes)
  made.append(...children)
  return made
}

export function button(label: string, onClick: () => void, attributes: Attributes = {}): HTMLButtonElement {
  const made = element('button', { type: 'button', ...attributes }, label)
  made.addEventListener('click', onClick)
  return made
}

/** Where it says so already nothing is touched: what is selected stays selected, what was announced is not said again. */
export function say(node: Element, text: string): void {
  if (node.textContent !== text) node.textContent = text
}

export function setAttributes(node: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined) node.removeAttribute(name)
    else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, String(value))
  }
}

export interface Row<T> {
  readonly node: HTMLElement
  update(item: T): void
}

/** Shows the items as rows, one each, that stay the same elements while their keys do. */
export function createRows<T>(
  list: HTMLElement,
  keyOf: (item: T) => string | number,
  create: (item: T) => Row<T>,
): (items: readonly T[]) => void {
  const rows = new Map<string | number, Row<T>>()
  return (items) => {
    const wanted = new Set(items.map(keyOf))
    for (const [key, { node }] of rows) {
      if (wanted.has(key)) continue
      node.remove()
      rows.delete(key)
    }
    let next = list.firstElementChild
    for (const item of items) {
      const key = keyOf(item)
      const known = rows.get(key)
      const row = known ?? create(item)
      if (known) known.update(item)
      else rows.set(key, row)
      if (row.node === next) next = next.nextElementSibling
      else list.insertBefore(row.node, next)
    }
  }
}
