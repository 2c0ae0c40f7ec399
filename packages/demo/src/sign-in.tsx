/** The door: any name will do, this window keeps it. */
import { type ReactNode, type SyntheticEvent, useEffect, useRef, useState } from 'react'
import { Logo } from './logo.tsx'
import { NameField } from './name-field.tsx'
import { WIDE } from './wide.ts'

const SUGGESTIONS = ['alice', 'bob', 'carol']

export function SignIn({ onName }: { readonly onName: (name: string) => void }): ReactNode {
  const [name, setName] = useState('')
  const field = useRef<HTMLInputElement>(null)
  useEffect(() => {
    if (matchMedia(WIDE).matches) field.current?.focus()
  }, [])

  function submit(event: SyntheticEvent): void {
    event.preventDefault()
    onName(name)
  }

  return (
    <main className="door">
      <form className="door-card" onSubmit={submit}>
        <p>
          <Logo />
        </p>
        <h1>Who are you in this window?</h1>
        <p>
          A second window with another name is a second user. This is a demo: nobody checks, and only this
          machine is let in.
        </p>
        <label htmlFor="name">Name</label>
        <div className="field-row">
          <NameField id="name" ref={field} value={name} onValue={setName} />
          <button type="submit" className="primary">
            Enter
          </button>
        </div>
        <p className="suggestions">
          or be{' '}
          {SUGGESTIONS.map((suggestion) => (
            <button key={suggestion} type="button" className="quiet" onClick={() => onName(suggestion)}>
              {suggestion}
            </button>
          ))}
        </p>
      </form>
    </main>
  )
}
