// Holds the manifests, the lock file and the launcher to what the repository promises to one who has just cloned it.

import { spawnSync } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const manifests = globSync('packages/*/package.json', { cwd: root }).map((path) => ({
  folder: dirname(path),
  manifest: JSON.parse(readFileSync(join(root, path), 'utf8')),
}))
const published = manifests.filter(({ manifest }) => !manifest.private)

describe('the lock file', () => {
  it('holds no address', () => {
    expect(readFileSync(join(root, 'pnpm-lock.yaml'), 'utf8')).not.toMatch(/https?:|:\/\//)
  })
})

describe('the published packages', () => {
  it('are six and carry one version', () => {
    expect(published.map(({ manifest }) => String(manifest.name)).toSorted()).toEqual([
      '@tautline/cli',
      '@tautline/client',
      '@tautline/protocol',
      '@tautline/react',
      '@tautline/server',
      '@tautline/vue',
    ])
    expect(new Set(published.map(({ manifest }) => manifest.version)).size).toBe(1)
  })

  it.each(published)('$folder names a source and a build for each entry point', ({ folder, manifest }) => {
    for (const [name, entry] of Object.entries<Record<'source' | 'import' | 'require', unknown>>(
      manifest.exports,
    )) {
      if (name.endsWith('.json')) continue
      expect(Object.keys(entry), name).toEqual(['source', 'import', 'require'])
      expect(existsSync(join(root, folder, String(entry.source))), `the source of ${name} exists`).toBe(true)
      const built = String(Object(entry.import).default).replace(/\.js$/, '')
      expect(entry.import).toEqual({ types: `${built}.d.ts`, default: `${built}.js` })
      expect(entry.require).toEqual({ types: `${built}.d.cts`, default: `${built}.cjs` })
    }
  })

  it.each(published)('$folder publishes the same entry points without their source', ({ manifest }) => {
    // pnpm puts publishConfig.exports in the place of exports when it packs. `src` is not in the package.
    const shipped = Object.entries<string | Record<string, unknown>>(manifest.exports).map(
      ([name, entry]) => {
        if (typeof entry === 'string') return [name, entry]
        const { source: _, ...rest } = entry
        return [name, rest]
      },
    )
    expect(manifest.publishConfig.exports).toEqual(Object.fromEntries(shipped))
    expect(manifest.files).toEqual(['dist'])
  })
})

describe('the launcher', () => {
  it('lists its tasks', () => {
    const { status, stdout } = launch('--help')
    expect(status).toBe(0)
    for (const task of ['demo', 'test', 'check', 'build'])
      expect(stdout).toMatch(new RegExp(`^  ${task} `, 'm'))
  })

  it('refuses a task that it does not have', () => {
    const { status, stderr } = launch('constructor')
    expect(status).toBe(1)
    expect(stderr).toContain('There is no task "constructor"')
  })

  it('knows every task that package.json calls', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    const { stdout } = launch('--help')
    for (const [name, command] of Object.entries(scripts)) {
      expect(command).toBe(`node scripts/run.mjs ${name}`)
      expect(stdout).toMatch(new RegExp(`^  ${name} `, 'm'))
    }
  })
})

function launch(...args: string[]) {
  return spawnSync(process.execPath, [join(root, 'scripts/run.mjs'), ...args], { encoding: 'utf8' })
}
