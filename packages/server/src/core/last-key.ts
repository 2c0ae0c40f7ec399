/**
 * The text by which a row of several ids is found in a map. Commands come in runs of one user, lane and room, and each asks for
 * the same rows several times: the key that was made last is kept, which the map has made flat and hashed by then. How it is
 * made is said by who needs it (`laneKey` in batch.ts).
 */
export class LastKey {
  readonly #make: (first: string, second: string, third: string) => string
  #first = ''
  #second = ''
  #third = ''
  #key: string

  constructor(make: (first: string, second: string, third: string) => string) {
    this.#make = make
    this.#key = make('', '', '')
  }

  of(first: string, second: string, third = ''): string {
    if (first === this.#first && second === this.#second && third === this.#third) return this.#key
    this.#first = first
    this.#second = second
    this.#third = third
    this.#key = this.#make(first, second, third)
    return this.#key
  }
}
