/** What stands beside the messages, or over them where the screen is narrow. It gets the keyboard, and Escape closes it. */
import { type ReactNode, useEffect, useRef } from 'react'

export interface SidePanelProps {
  readonly title: string
  readonly children: ReactNode
  /** Beside the title. */
  readonly action?: ReactNode
  readonly onClose: () => void
}

export function SidePanel({ title, children, action, onClose }: SidePanelProps): ReactNode {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => heading.current?.focus(), [])
  return (
    <section
      className="side-panel"
      aria-label={title}
      onKeyDown={({ key }) => {
        if (key === 'Escape') onClose()
      }}
    >
      <header className="panel-head">
        <h2 ref={heading} tabIndex={-1}>
          {title}
        </h2>
        {action}
        <button type="button" className="quiet" onClick={onClose}>
          Close<span className="hidden"> {title}</span>
        </button>
      </header>
      {children}
    </section>
  )
}
