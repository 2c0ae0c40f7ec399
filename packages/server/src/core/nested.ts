/** The map under this key, which is made where there is none. */
export function nested<K, V>(map: Map<string, Map<K, V>>, key: string): Map<K, V> {
  const known = map.get(key)
  if (known) return known
  const made = new Map<K, V>()
  map.set(key, made)
  return made
}
