import type { Entry } from '@tautline/protocol'
import { describe, expect, it } from 'vitest'
import { createUnreadCounter } from '../../packages/client/src/unread.ts'

const message = (seq: number): Entry => ({
  type: 'new_message',
  seq,
  sender: 'somebody',
  messageId: `message-${seq}`,
  timestamp: 0,
  payload: {},
})

function counter() {
  const unread = createUnreadCounter()
  return {
    ...unread,
    others: (...seqs: number[]) => {
      for (const seq of seqs) unread.heard(message(seq), false)
    },
    own: (seq: number) => unread.heard(message(seq), true),
  }
}

describe('what is unread', () => {
  it('is not known before the server has told it', () => {
    const { count, others } = counter()
    expect(count()).toBeUndefined()
    others(1, 2)
    expect(count()).toBeUndefined()
  })

  it('is what the server told, and each later message of others', () => {
    const { count, others, told } = counter()
    others(9, 10, 11)
    told({ read: 3, head: 10, unread: 5 })
    expect(count()).toBe(6)
    others(12, 14)
    expect(count()).toBe(8)
  })

  it('counts a message once that came before the count which holds it, or again', () => {
    const { count, others, told } = counter()
    told({ read: 0, head: 2, unread: 1 })
    others(3, 4)
    told({ read: 3, head: 4, unread: 1 })
    others(4)
    expect(count()).toBe(1)
  })

  it('is none once one has spoken, on whichever device', () => {
    const { count, others, own, told } = counter()
    told({ read: 0, head: 2, unread: 2 })
    others(3)
    own(4)
    expect(count()).toBe(0)
    others(5)
    expect(count()).toBe(1)
  })

  it('is not what it was: an older count changes nothing', () => {
    const { count, others, own, told } = counter()
    told({ read: 5, head: 9, unread: 2 })
    told({ read: 4, head: 9, unread: 3 })
    told({ read: 5, head: 8, unread: 1 })
    expect(count()).toBe(2)
    own(10)
    told({ read: 5, head: 9, unread: 2 })
    others(11)
    expect(count()).toBe(1)
  })

  it('begins anew in another log', () => {
    const { count, forget, others, told } = counter()
    told({ read: 5, head: 9, unread: 2 })
    others(10)
    forget()
    expect(count()).toBeUndefined()
    told({ read: 0, head: 1, unread: 1 })
    expect(count()).toBe(1)
  })
})
