/**
 * The page's only composition: a name makes a client, a client makes a chat. The client lives outside of React, so that
 * no render and no effect can make a second one.
 */
import { TautlineProvider } from '@tautline/react'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { Chat } from './chat.tsx'
import { createDemoClient } from './demo-client.ts'
import { forgetName, rememberedName, rememberName } from './remembered.ts'
import { SignIn } from './sign-in.tsx'
import './styles/styles.css'

const root = createRoot(document.getElementById('root') as HTMLElement)

function showSignIn(): void {
  document.title = 'Tautline'
  root.render(
    <StrictMode>
      <SignIn onName={enter} />
    </StrictMode>,
  )
}

function enter(name: string): void {
  rememberName(name)
  const client = createDemoClient(name)
  // Where it rejects the client has stopped, and the page says so, and why.
  client.connect().catch(() => {})
  const leave = () => {
    forgetName()
    showSignIn()
  }
  root.render(
    <StrictMode>
      <TautlineProvider client={client}>
        <Chat onSignedOut={leave} />
      </TautlineProvider>
    </StrictMode>,
  )
}

const name = rememberedName()
if (name === undefined) showSignIn()
else enter(name)
