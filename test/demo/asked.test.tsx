// @vitest-environment jsdom
// What the panels of the demo ask of the server while they are open: a thread, what is quoted, and the people of a room.

import type { Client, ClientOptions, Room } from '@tautline/client'
import { history } from '@tautline/client/history'
import type { TimelineItem } from '@tautline/client/timeline'
import { TautlineProvider, useMessages } from '@tautline/react'
import { createServer, memory, type Server } from '@tautline/server'
import { act, cleanup, render, screen, waitFor } from '@testing-library/react'
import { type ReactNode, useEffect } from 'react'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { MessagePlace } from '../../packages/demo/src/find-message.ts'
import { useMembers } from '../../packages/demo/src/use-members.ts'
import { useQuoted } from '../../packages/demo/src/use-quoted.ts'
import { useThread } from '../../packages/demo/src/use-thread.ts'
import { type LocalServer, localClients } from '../support/local-server.ts'

/** More than one page of answers holds. */
const ANSWERS = 250
const root = { room: 'general', sender: 'bob', messageId: 'question' }

let server: Server
let local: LocalServer
/** The types of all that was sent to the server by the client that looks. */
let asked: string[]

beforeEach(async () => {
  server = await createServer({ auth: { verify: (userId) => ({ userId }) }, store: memory(), logger: false })
  local = localClients(server)
  asked = []
  await server.rooms.create({ id: 'general', visibility: 'public', owner: 'bob' })
  await server.rooms.addMember('general', 'alice')
})

afterEach(async () => {
  cleanup()
  await local.close()
  await server.close()
})

async function alice(): Promise<{ client: Client; room: Room }> {
  const client = local.client('alice', { transport: overheard })
  await client.connect()
  const room = client.room('general')
  await room.follow()
  return { client, room }
}

const overheard: ClientOptions['transport'] = (events) => {
  const { send, close } = local.transport(events)
  return {
    close,
    send(text) {
      asked.push(JSON.parse(text).type)
      send(text)
    },
  }
}

const count = (type: string) => asked.filter((one) => one === type).length

/** Bob asks, and answers himself so often. */
async function ask(answers: number): Promise<readonly string[]> {
  await server.send({ ...root, content: 'Does it hold?' })
  const said = Array.from({ length: answers }, (_, n) => `Answer ${n + 1}.`)
  await Promise.all(
    said.map((content) => server.send({ room: root.room, sender: 'bob', content, replyTo: root })),
  )
  return said
}

/** The room, read back to the question, and the thread of that. */
function Page({ room }: { readonly room: Room }): ReactNode {
  const { items, isLoading, loadOlder } = useMessages(room, { pageSize: 100 })
  const question = items.find(({ messageId }) => messageId === root.messageId)
  useEffect(() => {
    if (!question && !isLoading) void loadOlder()
  })
  return question && <Thread room={room} root={question} items={items} />
}

function Thread(props: {
  readonly room: Room
  readonly root: TimelineItem
  readonly items: readonly TimelineItem[]
}): ReactNode {
  const { answers, isFollowed, follow } = useThread(props.room, props.root, props.items)
  return (
    <>
      {isFollowed !== undefined && (
        <button type="button" onClick={() => follow(!isFollowed)}>
          {isFollowed ? 'followed' : 'not followed'}
        </button>
      )}
      {answers.map(({ key, content, status }) => (
        <li key={key}>{status === 'acknowledged' ? content : `${content} (${status})`}</li>
      ))}
    </>
  )
}

function Quote(props: { readonly room: Room; readonly place: MessagePlace | undefined }): ReactNode {
  const quoted = useQuoted(props.room, undefined, props.place)
  return <li>{quoted ? quoted.content || quoted.kind : 'not known'}</li>
}

function People({ room }: { readonly room: Room }): ReactNode {
  const { members } = useMembers(room)
  return members.map(({ userId }) => <li key={userId}>{userId}</li>)
}

const show = (client: Client, page: ReactNode) =>
  render(<TautlineProvider client={client}>{page}</TautlineProvider>)
const shown = () => screen.queryAllByRole('listitem').map(({ textContent }) => textContent)

describe('a thread', () => {
  it('shows all answers, of however many pages, each once, and what becomes of them', async () => {
    const answers = await ask(ANSWERS)
    const { client, room } = await alice()
    show(client, <Page room={room} />)
    await screen.findByText('not followed')
    expect(shown()).toEqual(answers)

    const { messages } = await history(room, { after: 0 })
    const first = messages.find(({ content }) => content === 'Answer 1.')
    const target = { ...root, messageId: first?.messageId ?? '' }
    await server.edit({ target, content: 'Answer one.' })
    await screen.findByText('Answer one.')
    expect(shown()).toEqual(['Answer one.', ...answers.slice(1)])
  })

  it('asks nothing anew for what others write and change', async () => {
    await ask(1)
    const { client, room } = await alice()
    show(client, <Page room={room} />)
    await screen.findByText('not followed')
    const before = count('get_thread')
    for (let n = 0; n < 10; n++) {
      await server.react(root, '👍', { as: 'bob' })
      await server.unreact(root, '👍', { as: 'bob' })
    }
    await server.send({ room: 'general', sender: 'bob', content: 'For years.', replyTo: root })
    await screen.findByText('For years.')
    expect(count('get_thread')).toBe(before)
  })

  it('says that it is followed once one has answered in it, until one wants that no longer', async () => {
    await ask(1)
    const { client, room } = await alice()
    show(client, <Page room={room} />)
    await screen.findByText('not followed')
    await act(async () => void (await room.send({ content: 'Good.', replyTo: root })))
    const button = await screen.findByText('followed')
    act(() => button.click())
    await screen.findByText('not followed')
  })
})

describe('a quote of a message that is older than the timeline', () => {
  it('is asked for once where many quote it, and says what the message says, whatever becomes of that', async () => {
    await ask(0)
    const { client, room } = await alice()
    const { messages } = await history(room, { limit: 1 })
    const before = count('get_history')
    show(
      client,
      [1, 2, 3].map((key) => <Quote key={key} room={room} place={messages[0]} />),
    )
    await screen.findAllByText('Does it hold?')
    expect(count('get_history') - before).toBe(1)

    await server.edit({ target: root, content: 'Will it hold?' })
    await screen.findAllByText('Will it hold?')
    expect(shown()).toEqual(Array(3).fill('Will it hold?'))
    await server.delete(root, { as: 'bob' })
    await screen.findAllByText('deleted')
    expect(shown()).toEqual(Array(3).fill('deleted'))
    expect(count('get_history') - before).toBe(3)
  })

  it('says nothing where another message stands at its place', async () => {
    await ask(0)
    const { client, room } = await alice()
    const { messages } = await history(room, { limit: 1 })
    const seq = messages[0]?.seq
    show(client, <Quote room={room} place={{ seq, sender: 'bob', messageId: 'of another history' }} />)
    await waitFor(() => expect(count('get_history')).toBe(2))
    await act(() => history(room))
    expect(shown()).toEqual(['not known'])
  })
})

describe('the people of a room', () => {
  it('are asked for once more, not once for each, where many come at a time', async () => {
    const { client, room } = await alice()
    show(client, <People room={room} />)
    await screen.findByText('bob')
    const before = count('list_members')
    const guests = Array.from({ length: 30 }, (_, n) => `guest-${n}`)
    local.hold()
    await Promise.all(guests.map((guest) => server.rooms.addMember('general', guest)))
    local.release()
    await screen.findByText('guest-29')
    expect(shown()).toHaveLength(32)
    expect(count('list_members') - before).toBeLessThanOrEqual(2)
  })
})
