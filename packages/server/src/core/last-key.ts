/**
 * The text by which a row of several ids is found in a map. Commands come in runs of one user, lane and room, and each asks for
 * the same rows several times: the key that was made last is kept, which the map has made flat and hashed by then.
 */
export class LastKey {
  #first = ''
  #second = ''
  #third = ''
  #key = ''

  /** No id holds a line break. */
  of(first: string, second: string, third = ''): string {
    if (first === this.#first && second === this.#second && third === this.#third) return this.#key
    this.#first = first
    this.#second = second
    this.#third = third
    this.#key = third === '' ? `${first}\n${second}` : `${first}\n${second}\n${third}`
    return this.#key
  }
}
