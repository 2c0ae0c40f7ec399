/** Narrower than that, the keyboard of a phone would cover what somebody came to read. The styles know it, too. */
export const WIDE = '(min-width: 46.01rem)'
