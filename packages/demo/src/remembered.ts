/**
 * What the page remembers: the name of each window (so that two windows can be two users), the rooms of each name, to be
 * shown before the server can be asked, and what was begun to be written. Where the browser forbids storage nothing is
 * remembered, and nothing else fails.
 */
const NAME_KEY = 'tautline-demo:name'
/** A part of what the server takes, without the characters that nobody has in a name. */
export const NAME_PATTERN = '[A-Za-z0-9][A-Za-z0-9._\\-]{0,31}'
/** The same, said to whoever gives another one. */
export const NAME_RULE = 'Up to 32 letters of A to Z, digits, dots, dashes and underscores'
export const ROOM_PATTERN = '[A-Za-z0-9][A-Za-z0-9._\\-]{0,47}'

/** `?user=alice` first, then what this window was told before. */
export function rememberedName(): string | undefined {
  const asked = new URLSearchParams(location.search).get('user') ?? undefined
  return [asked, read(() => sessionStorage, NAME_KEY)].find((name) => name !== undefined && isName(name))
}

export function rememberName(name: string): void {
  write(() => sessionStorage, NAME_KEY, name)
}

export function forgetName(): void {
  write(() => sessionStorage, NAME_KEY, undefined)
  history.replaceState(null, '', location.pathname)
}

export function rememberedRooms(name: string): readonly string[] {
  return (
    read(() => localStorage, roomsKey(name))
      ?.split(' ')
      .filter(Boolean) ?? []
  )
}

export function rememberRooms(name: string, rooms: readonly string[]): void {
  write(() => localStorage, roomsKey(name), rooms.join(' '))
}

/** What was begun in this window, in a room or a thread. */
export function rememberedDraft(name: string, place: string): string {
  return read(() => sessionStorage, draftKey(name, place)) ?? ''
}

export function rememberDraft(name: string, place: string, text: string): void {
  write(() => sessionStorage, draftKey(name, place), text || undefined)
}

const isName = (text: string): boolean => new RegExp(`^${NAME_PATTERN}$`).test(text)

const roomsKey = (name: string): string => `tautline-demo:rooms:${name}`
const draftKey = (name: string, place: string): string => `tautline-demo:draft:${name}:${place}`

function read(storage: () => Storage, key: string): string | undefined {
  try {
    return storage().getItem(key) ?? undefined
  } catch {
    return undefined // forbidden: as if nothing had been kept
  }
}

function write(storage: () => Storage, key: string, value: string | undefined): void {
  try {
    if (value === undefined) storage().removeItem(key)
    else storage().setItem(key, value)
  } catch {
    // Forbidden or full: it is asked for again next time.
  }
}
