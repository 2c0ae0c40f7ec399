/**
 * The one binding between Vue and anything that the client lets us watch: one ref a field, so that a template follows
 * just what it shows. Nothing is subscribed while a server renders, for nobody ends a scope there.
 */
import type { Readable } from '@tautline/client'
import {
  type ComputedRef,
  computed,
  getCurrentInstance,
  onBeforeMount,
  onScopeDispose,
  type ShallowRef,
  shallowRef,
  watch,
} from 'vue'

export type Fields<T> = { readonly [K in keyof T]: ComputedRef<T[K]> }

/** `source` is read as a computed would: when what it depends on changes, the new readable is watched instead. */
export function readableRefs<T extends object>(source: () => Readable<T>): Fields<T> {
  const snapshot: ShallowRef<T> = shallowRef(source().getSnapshot())
  let stop = () => {}

  function follow(readable: Readable<T>): void {
    stop()
    const read = () => {
      snapshot.value = readable.getSnapshot()
    }
    stop = readable.subscribe(read)
    read()
  }
  const start = () => watch(source, follow, { immediate: true, flush: 'sync' })

  onScopeDispose(() => stop())
  if (getCurrentInstance()) onBeforeMount(start)
  else start()
  const keys = Object.keys(snapshot.value) as (keyof T)[]
  return Object.fromEntries(keys.map((key) => [key, computed(() => snapshot.value[key])])) as Fields<T>
}
