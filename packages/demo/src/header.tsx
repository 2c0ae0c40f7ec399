/**
 * The head of the page: whose it is, how the connection is, and what concerns all rooms. **A feature of its own adds its
 * button to the `header-actions`, and whatever it opens as a popover beside it.**
 */
import type { ReactNode } from 'react'
import { Connection } from './connection.tsx'
import { DevtoolsButton } from './devtools-button.tsx'
import { Logo } from './logo.tsx'
import { NotificationsMenu, type NotificationsProps } from './notifications-menu.tsx'

export function Header({ onShow }: NotificationsProps): ReactNode {
  return (
    <header className="header">
      <h1>
        <Logo />
      </h1>
      <div className="header-actions">
        <Connection />
        <DevtoolsButton />
        <NotificationsMenu onShow={onShow} />
      </div>
    </header>
  )
}
