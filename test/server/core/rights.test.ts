// Who may do what, asked in every role of every right, of the transaction itself: the table that the protocol has, written
// once more by hand.

import { RIGHT_NAMES, type Right, type Role, rightsOf } from '@tautline/protocol'
import { describe, expect, it } from 'vitest'
import type { Outcome, StoreOp } from '../../../packages/server/src/core/store.ts'
import { memory } from '../../../packages/server/src/stores/memory.ts'
import {
  accept,
  admit,
  ban,
  commit,
  create,
  destroy,
  invite,
  mute,
  remove,
  send,
  setRole,
  update,
} from '../../contracts/store/harness.ts'

const ASKERS = ['owner', 'moderator', 'member', 'invited', 'stranger', 'banned', 'system'] as const
type Asker = (typeof ASKERS)[number]
const OTHERS = ['other-owner', 'other-moderator', 'other-member', 'other-invited', 'nobody'] as const

/** A room with one of each kind, and another one of each to do something to. */
async function roomOf(visibility: 'public' | 'private') {
  const store = await memory().open()
  await commit(
    store,
    create('owner', 'room', { visibility }),
    ...(['owner', 'moderator', 'member'] as const).flatMap((role): StoreOp[] => [
      admit(`other-${role}`, 'room', { role }),
      ...(role === 'owner' ? [] : [admit(role, 'room', { role })]),
    ]),
    invite('invited', 'owner'),
    invite('other-invited', 'owner'),
    ban('banned', 'owner'),
  )
  return store
}

async function allowed(visibility: 'public' | 'private', op: StoreOp): Promise<boolean> {
  const store = await roomOf(visibility)
  const [outcome] = await commit(store, op)
  await store.close()
  const code = (outcome as Outcome & { readonly code?: string }).code
  if (code !== undefined) expect(code).toBe('FORBIDDEN')
  return code === undefined
}

const staff: readonly Asker[] = ['owner', 'moderator', 'system']
const owners: readonly Asker[] = ['owner', 'system']

describe.each(['public', 'private'] as const)('in a %s room', (visibility) => {
  const rows: readonly (readonly [string, (asker: Asker) => StoreOp, readonly Asker[]])[] = [
    ['write', (asker) => send(1, { user: asker }), ['owner', 'moderator', 'member', 'system']],
    ['update', (asker) => update(asker, 'room', { about: '{"topic":"new"}' }), owners],
    ['delete', (asker) => destroy(asker), owners],
    [
      'invite a member',
      (asker) => invite('new', asker),
      visibility === 'public' ? ['owner', 'moderator', 'member', 'system'] : staff,
    ],
    ['invite a moderator', (asker) => invite('new', asker, 'room', { role: 'moderator' }), owners],
    ['invite an owner', (asker) => invite('new', asker, 'room', { role: 'owner' }), []],
    ...OTHERS.flatMap((other) => {
      const may = other === 'other-owner' || other === 'other-moderator' ? owners : staff
      const isMember = other !== 'other-invited' && other !== 'nobody'
      return [
        [`remove ${other}`, (asker: Asker) => remove(other, asker), may],
        [`ban ${other}`, (asker: Asker) => ban(other, asker), may],
        [`unban ${other}`, (asker: Asker) => ban(other, asker, 'room', { lift: true }), may],
        [`mute ${other}`, (asker: Asker) => mute(other, asker), isMember ? may : []],
        [
          `unmute ${other}`,
          (asker: Asker) => mute(other, asker, 'room', { durationMs: 0 }),
          isMember ? may : [],
        ],
        ...(['owner', 'moderator', 'member'] as const).map(
          (role) =>
            [
              `make ${other} ${role}`,
              (asker: Asker) => setRole(other, role, asker),
              isMember ? owners : [],
            ] as const,
        ),
      ] as const
    }),
  ]
  it.each(rows)('%s', async (_what, op, may) => {
    const answers = await Promise.all(ASKERS.map((asker) => allowed(visibility, op(asker))))
    expect(ASKERS.filter((_asker, i) => answers[i])).toEqual(ASKERS.filter((asker) => may.includes(asker)))
  })

  it('nobody does so to themselves, but a role, where an owner is left', async () => {
    for (const op of [remove, ban, mute]) expect(await allowed(visibility, op('owner', 'owner'))).toBe(false)
    expect(await allowed(visibility, setRole('owner', 'member', 'owner'))).toBe(true)
  })

  it('an invited user comes, a banned one and a stranger do not', async () => {
    const coming = await Promise.all(ASKERS.map((asker) => allowed(visibility, accept(asker))))
    const members: readonly Asker[] = ['owner', 'moderator', 'member']
    expect(ASKERS.filter((_asker, i) => coming[i])).toEqual([...members, 'invited'])
  })
})

describe('in a direct room', () => {
  const room = '~alice~bob'
  const forbidden: readonly StoreOp[] = [
    update('alice', room),
    destroy('alice', room),
    invite('carol', 'alice', room),
    remove('bob', 'alice', room),
    ban('bob', 'alice', room),
    mute('bob', 'alice', room),
    setRole('bob', 'owner', 'alice', room),
    update('system', room),
    destroy('system', room),
    remove('bob', 'system', room),
    ban('bob', 'system', room),
    mute('bob', 'system', room),
    setRole('bob', 'owner', 'system', room),
  ]
  it.each(forbidden)('its two users may speak, and nobody $op', async (op) => {
    const store = await memory().open()
    expect(await commit(store, send(1, { room }), op)).toMatchObject([
      { outcome: 'acknowledged' },
      { outcome: 'failed', code: 'FORBIDDEN' },
    ])
  })
})

describe('the rights that a client is told', () => {
  const told: Readonly<Record<string, readonly Right[]>> = {
    'owner public': RIGHT_NAMES,
    'owner private': RIGHT_NAMES,
    'moderator public': ['write', 'delete_others', 'invite', 'remove', 'ban', 'mute'],
    'moderator private': ['write', 'delete_others', 'invite', 'remove', 'ban', 'mute'],
    'member public': ['write', 'invite'],
    'member private': ['write'],
    'member direct': ['write'],
  }
  it.each(Object.entries(told))('are what its role comes to: %s', (who, rights) => {
    const [role, visibility] = who.split(' ')
    expect(rightsOf(role as Role, visibility as 'public')).toEqual(rights)
  })
})
