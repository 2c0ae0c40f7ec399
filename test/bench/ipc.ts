/**
 * Calls between the processes of the benchmark: a name and arguments over Node's own channel, and an answer. The table of
 * what a process answers is also the type of what may be called.
 */
import type { ChildProcess } from 'node:child_process'

type Table<T> = { readonly [K in keyof T]: (...args: never[]) => unknown }

interface Call {
  readonly id: number
  readonly name: string
  readonly args: readonly unknown[]
}

interface Answer {
  readonly id: number
  readonly result?: unknown
  readonly error?: string
}

export type Caller<T extends Table<T>> = <K extends keyof T & string>(
  name: K,
  ...args: Parameters<T[K]>
) => Promise<Awaited<ReturnType<T[K]>>>

/** Answers what the parent process calls. */
export function answerCalls<T extends Table<T>>(table: T): void {
  const functions = table as unknown as Readonly<Record<string, (...args: readonly unknown[]) => unknown>>
  process.on('message', ({ id, name, args }: Call) => {
    const answer = (more: Omit<Answer, 'id'>) => process.send?.({ id, ...more })
    Promise.resolve()
      .then(() => functions[name]?.(...args))
      .then(
        (result) => answer({ result }),
        (error: unknown) =>
          answer({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
      )
  })
  process.on('disconnect', () => process.exit())
}

/** What calls the child. Rejects what is open where the child ends. */
export function callerOf<T extends Table<T>>(child: ChildProcess): Caller<T> {
  const open = new Map<number, { resolve: (result: never) => void; reject: (error: Error) => void }>()
  let lastId = 0
  child.on('message', ({ id, result, error }: Answer) => {
    const call = open.get(id)
    open.delete(id)
    if (error === undefined) call?.resolve(result as never)
    else call?.reject(new Error(error))
  })
  child.on('exit', (code, signal) => {
    for (const { reject } of open.values()) reject(new Error(`the process ended with ${signal ?? code}`))
    open.clear()
  })
  return (name, ...args) =>
    new Promise((resolve, reject) => {
      open.set(++lastId, { resolve, reject })
      child.send({ id: lastId, name, args } satisfies Call)
    })
}
