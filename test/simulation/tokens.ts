// The tokens of the simulation: what a real one says, in the open.

export interface Token {
  readonly user: string
  readonly expiresAt: number
  readonly id: string
  /** `bad`: not of this server; `undecided`: who looks at tokens cannot tell now. */
  readonly kind: 'good' | 'bad' | 'undecided'
}

export function writeToken({ user, expiresAt, id, kind }: Token): string {
  return `${user} ${expiresAt} ${id} ${kind}`
}

export function readToken(text: string): Token {
  const [user = '', expiresAt = '', id = '', kind] = text.split(' ')
  return {
    user,
    expiresAt: Number(expiresAt),
    id,
    kind: kind === 'good' || kind === 'undecided' ? kind : 'bad',
  }
}
