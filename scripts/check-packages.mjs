// Checks the packages as they would be published, not as they lie here. It packs each with `pnpm pack`; then
// - publint and attw (Are the Types Wrong?) look at each tarball,
// - the tarballs are unpacked beside the application of test/published, which imports them as a stranger's would: as ES
//   modules and as CommonJS, on plain Node, with its types checked, and once under the `source` condition, which must
//   mean nothing outside this workspace,
// - what the entry points export is held to the lists of test/exports.
// It needs dist/ as `npm run build` leaves it, and no network: what the packages depend on is linked from the workspace.

import { execFile } from 'node:child_process'
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const execute = promisify(execFile)
const root = fileURLToPath(new URL('..', import.meta.url))
const work = realpathSync(mkdtempSync(join(tmpdir(), 'tautline-packages-')))

try {
  process.exitCode = await main()
} finally {
  rmSync(work, { recursive: true, force: true })
}

async function main() {
  const packages = await Promise.all(publishedPackages().map(pack))
  const application = await installApplication(packages)
  const inApplication = (...command) => ({ cwd: application, command })
  const failures = await failuresOf([
    ...packages.map(({ tarball }) => attw(tarball)),
    ...packages.map(({ tarball }) => ({ cwd: root, command: ['publint', 'run', '--strict', tarball] })),
    inApplication('tsc', '--project', '.'),
    inApplication('node', 'consumer.mjs'),
    inApplication('node', 'consumer.cjs'),
    inApplication('node', '--conditions=source', 'consumer.mjs'),
    inApplication('node', 'exports.mjs', join(root, 'test/exports')),
    inApplication('node', 'node_modules/@tautline/cli/dist/cli.js', '--help'),
  ])
  for (const failure of failures) console.error(failure)
  if (failures.length > 0) return 1
  console.log(
    `${packages.length} packages packed, looked through and imported, as ES modules and as CommonJS.`,
  )
  return 0
}

function publishedPackages() {
  return globSync('packages/*/package.json', { cwd: root })
    .map((path) => ({ folder: join(root, dirname(path)), ...readManifest(join(root, path)) }))
    .filter((manifest) => !manifest.private)
}

function readManifest(path) {
  return JSON.parse(readFileSync(path, 'utf8'))
}

async function pack({ folder, name }) {
  const destination = join(work, name)
  await execute('pnpm', ['pack', '--pack-destination', destination], { cwd: folder })
  const [file] = globSync('*.tgz', { cwd: destination })
  return { folder, name, tarball: join(destination, file) }
}

/** node10: it knows no `exports`, so it finds no entry point but the main one. */
function attw(tarball) {
  return { cwd: root, command: ['attw', '--no-definitely-typed', '--profile', 'node16', tarball] }
}

/** What `npm install` of the tarballs would leave, except that what they depend on are links into the workspace. */
async function installApplication(packages) {
  const application = join(work, 'application')
  const modules = join(application, 'node_modules')
  cpSync(join(root, 'test/published'), application, { recursive: true })
  mkdirSync(join(modules, '@types'), { recursive: true })
  for (const types of ['@types/node', '@types/react']) {
    symlinkSync(realpathSync(join(root, 'node_modules', types)), join(modules, types), 'junction')
  }
  for (const { folder, name, tarball } of packages) {
    const target = join(modules, name)
    mkdirSync(target, { recursive: true })
    await execute('tar', ['-xzf', tarball, '-C', target, '--strip-components=1'])
    const { dependencies, peerDependencies } = readManifest(join(target, 'package.json'))
    const foreign = Object.keys({ ...dependencies, ...peerDependencies }).filter(
      (it) => !it.startsWith('@tautline/'),
    )
    for (const dependency of foreign) {
      const link = join(modules, dependency)
      // What two packages need is there already.
      if (existsSync(link)) continue
      mkdirSync(dirname(link), { recursive: true })
      symlinkSync(realpathSync(join(folder, 'node_modules', dependency)), link, 'junction')
    }
  }
  return application
}

/** Runs them all, as many at a time as there are cores, and gives what those that failed had to say. */
async function failuresOf(checks) {
  const failures = []
  const waiting = [...checks]
  const worker = async () => {
    for (let check = waiting.shift(); check !== undefined; check = waiting.shift()) {
      const { cwd, command } = check
      const [file, ...args] = command
      try {
        await execute(file, args, { cwd, timeout: 60_000 })
      } catch (error) {
        failures.push(`> ${command.join(' ')}\n${error.stdout ?? ''}${error.stderr ?? error.message}`)
      }
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, worker))
  return failures
}
