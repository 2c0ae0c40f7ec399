#!/usr/bin/env node
/**
 * Where `tautline` begins: the version of Node is looked at before anything is loaded that an old one could not even
 * read. Everything else is in main.ts.
 */
const MIN_NODE = [22, 18] as const

// No `await` at the top level and no static import: this file must run on whatever Node there is.
start().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
})

async function start(): Promise<void> {
  const objection = objectionToNode(process.versions.node)
  if (objection !== undefined) throw new Error(objection)
  const { main } = await import('./main.ts')
  process.exitCode = await main(process.argv.slice(2), process.env)
}

function objectionToNode(version: string): string | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [minMajor, minMinor] = MIN_NODE
  if (major > minMajor || (major === minMajor && minor >= minMinor)) return undefined
  return `tautline needs Node ${minMajor}.${minMinor} or later; this is Node ${version}. A newer one: https://nodejs.org`
}
