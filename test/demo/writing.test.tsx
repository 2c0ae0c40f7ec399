// @vitest-environment jsdom
// Where we write: what an Enter is, and what becomes of an edit that was begun.

import type { TimelineItem } from '@tautline/client/timeline'
import { TautlineProvider, useMessages } from '@tautline/react'
import { cleanup, fireEvent, render, screen } from '@testing-library/react'
import { createRef, type ReactNode, useState } from 'react'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Composer, type Purpose } from '../../packages/demo/src/composer.tsx'
import { type LocalServer, startLocalServer } from '../support/local-server.ts'

let local: LocalServer

beforeEach(async () => {
  local = await startLocalServer()
})

afterEach(async () => {
  cleanup()
  sessionStorage.clear()
  await local.close()
})

const field = createRef<HTMLTextAreaElement>() as { current: HTMLTextAreaElement | null }

/** The messages, each with what it can be written for, and the composer. */
function Page({ room }: { readonly room: Parameters<typeof Composer>[0]['room'] }): ReactNode {
  const { items } = useMessages(room)
  const [purpose, setPurpose] = useState<Purpose>()
  const act = (kind: Purpose['kind'], item: TimelineItem) => (
    <button type="button" onClick={() => setPurpose({ kind, item })}>
      {kind} {item.content}
    </button>
  )
  return (
    <>
      {items.map((item) => (
        <li key={item.key}>
          <p>{item.content}</p>
          {act('edit', item)}
          {act('reply', item)}
        </li>
      ))}
      <Composer
        ref={field}
        room={room}
        place="general"
        title="Message to general"
        isMember
        purpose={purpose}
        onDone={() => setPurpose(undefined)}
      />
    </>
  )
}

async function open(...said: readonly string[]): Promise<HTMLTextAreaElement> {
  const client = local.client('alice')
  await client.connect()
  const room = client.room('general')
  await room.join()
  for (const content of said) await room.send({ content })
  render(
    <TautlineProvider client={client}>
      <Page room={room} />
    </TautlineProvider>,
  )
  return screen.findByRole<HTMLTextAreaElement>('textbox')
}

const type = (textarea: HTMLTextAreaElement, value: string) =>
  fireEvent.change(textarea, { target: { value } })

it('an Enter that ends a composition sends nothing, in Safari neither, which tells it by its code alone', async () => {
  const textarea = await open()
  type(textarea, 'にほんご')
  fireEvent.keyDown(textarea, { key: 'Enter', keyCode: 229, isComposing: true })
  fireEvent.keyDown(textarea, { key: 'Enter', keyCode: 229 })
  expect(textarea.value).toBe('にほんご')
  fireEvent.keyDown(textarea, { key: 'Enter', keyCode: 13 })
  expect(textarea.value).toBe('')
  await screen.findByText('にほんご')
})

it('an edit that was begun is gone on with after an answer in between, and is over once it was given up', async () => {
  const textarea = await open('Tee is ready', 'Is it?')
  fireEvent.click(await screen.findByText('edit Tee is ready'))
  type(textarea, 'Tea is re')
  fireEvent.click(screen.getByText('reply Is it?'))
  expect(textarea.value).toBe('')
  type(textarea, 'Yes.')
  fireEvent.keyDown(textarea, { key: 'Enter' })
  await screen.findByText('Yes.')

  fireEvent.click(screen.getByText('edit Tee is ready'))
  expect(textarea.value).toBe('Tea is re')
  fireEvent.keyDown(textarea, { key: 'Escape' })
  fireEvent.click(screen.getByText('edit Tee is ready'))
  expect(textarea.value).toBe('Tee is ready')
  type(textarea, 'Tea is ready')
  fireEvent.keyDown(textarea, { key: 'Enter' })
  await screen.findByText('Tea is ready')
})
