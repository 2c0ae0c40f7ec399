/**
 * The devtools of the page's client, behind a button. The client is watched from its first moment, so that what went wrong
 * can be seen afterwards; the panel is loaded when it is opened.
 */
import { type Client, type ClientOptions, createClient } from '@tautline/client'
import { type Devtools, devtools } from '@tautline/client/devtools'
import { useClient } from '@tautline/react'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import './devtools.css'

const toolsOf = new WeakMap<Client, Devtools>()

/** As `createClient`, with devtools. */
export function createWatchedClient(options: ClientOptions): Client {
  const tools = devtools()
  const client = tools.watch(createClient(tools.instrument(options)))
  toolsOf.set(client, tools)
  return client
}

export function DevtoolsButton(): ReactNode {
  const tools = toolsOf.get(useClient())
  const [isOpen, setIsOpen] = useState(false)
  const button = useRef<HTMLButtonElement>(null)
  useEffect(() => {
    if (!tools || !isOpen) return undefined
    const dock = document.createElement('div')
    dock.className = 'devtools-dock'
    document.body.append(dock)
    const close = () => {
      setIsOpen(false)
      button.current?.focus()
    }
    const unmount = tools.mount(dock, { onClose: close })
    return () => {
      unmount()
      dock.remove()
    }
  }, [tools, isOpen])

  return (
    <button
      ref={button}
      type="button"
      className="header-button"
      aria-pressed={isOpen}
      onClick={() => setIsOpen(!isOpen)}
    >
      Devtools
    </button>
  )
}
