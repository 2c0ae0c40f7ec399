#!/usr/bin/env node
// The launcher: every npm script is `node scripts/run.mjs <task> [args]`.
//
// It is all that runs on the Node of the machine (18 or later) and has no dependency. It installs the workspace when what
// the lock file says has changed, and then runs the task's tools on the Node that the install brought along.
// What a tool does belongs into the tool's own configuration; here stands only which ones run, and in which order.

import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/** Each task: a sentence for `--help`, and what it does with the arguments that follow its name. Resolves to an exit code. */
const tasks = {
  demo: {
    about: 'build the chat page when it changed, start the server and say where to look',
    run: runDemo,
  },
  test: {
    about: 'run the tests (npm test -- test/protocol runs those of one folder)',
    run: (args) => runInOrder([['vitest', 'run', ...args]]),
  },
  'test:browser': {
    about: 'try it in a real Chromium: tabs, crashes, reloads, sleep, full disks, the demo (--repeats 20)',
    run: runBrowserTests,
  },
  faults: {
    about:
      'kill a real server and real clients under load, and judge what everybody saw (--kills 20, --help)',
    run: (args) => runInOrder([['node', '--conditions=source', 'test/faults/run.ts', ...args]]),
  },
  sim: {
    about: 'run the cores in a simulated world where everything goes wrong (--runs 20000, --mutants, --help)',
    run: (args) => runInOrder([['node', '--conditions=source', 'test/simulation/run.ts', ...args]]),
  },
  bench: {
    about: 'measure it against the others (--quick, --only, --rounds, --json, --write, --help)',
    run: (args) => runInOrder([['node', '--conditions=source', 'test/bench/run.ts', ...args]]),
  },
  check: {
    about: 'types, format, lint, what is unused, the packages as published, their sizes; changes no file',
    run: () =>
      runAll([
        ['tsc', '--project', 'tsconfig.json'],
        ['tsc', '--project', 'tsconfig.browser.json'],
        ['tsc', '--project', 'tsconfig.pure.json'],
        ['biome', 'check', '--error-on-warnings', '.'],
        ['oxlint', '--type-aware', '--deny-warnings'],
        ['knip', '--no-progress', '--treat-config-hints-as-errors'],
        ...buildWhenStale,
        ['node', 'scripts/check-packages.mjs'],
        ['size-limit'],
      ]),
  },
  size: {
    about: 'what the packages weigh in a page, beside their budgets',
    run: (args) => runInOrder([...buildWhenStale, ['size-limit', ...args]]),
  },
  fix: {
    about: 'format, sort imports and repair what the linter can repair safely',
    run: (args) => runInOrder([['biome', 'check', '--write', ...(args.length > 0 ? args : ['.'])]]),
  },
  build: {
    about: 'build every package (ESM, CJS, types) and the demo page',
    run: runBuild,
  },
  install: {
    about:
      'install the dependencies; after changing a manifest: node scripts/run.mjs install --no-frozen-lockfile',
    run: (args) => installWorkspace(args),
  },
}

/** Writes the JSON that the protocol's package publishes beside its modules. */
const protocolFiles = 'scripts/protocol-files.mjs'

/** A step before those that look at dist/: it does nothing where dist/ is what the sources would build. */
const buildWhenStale = [['node', 'scripts/run.mjs', 'build', '--when-stale']]

/** We were told to end: nothing more is begun. */
let isStopped = false

process.exitCode = await main(process.argv.slice(2))

async function main([name, ...args]) {
  if (name === undefined || name === '--help' || name === 'help') {
    console.log(helpText())
    return name === undefined ? 1 : 0
  }
  const task = Object.hasOwn(tasks, name) ? tasks[name] : undefined
  if (task === undefined) return fail(`There is no task "${name}".\n\n${helpText()}`)
  const objection = objectionToNode()
  if (objection !== undefined) return fail(objection)

  process.chdir(root)
  process.env.PATH = join(root, 'node_modules', '.bin') + delimiter + process.env.PATH
  if (name !== 'install' && !isInstalled()) {
    const code = await installWorkspace(['--frozen-lockfile'])
    if (code !== 0) return code
  }
  return task.run(args)
}

function helpText() {
  const lines = Object.entries(tasks).map(([name, task]) => `  ${name.padEnd(12)} ${task.about}`)
  return ['Usage: node scripts/run.mjs <task> [arguments for its tool]', '', ...lines].join('\n')
}

function fail(sentence) {
  console.error(`\n${sentence}\n`)
  return 1
}

// --- the Node of the machine ---------------------------------------------------------------------------------------

/** Why this Node cannot do it, or undefined. */
function objectionToNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const found = `this is Node ${process.versions.node} (${process.platform} ${process.arch})`
  if (major < 18)
    return `Tautline needs Node 18 or later, and ${found}. Please install a newer one: https://nodejs.org`
  if (bringsItsOwnNode() || major > 22 || (major === 22 && minor >= 18)) return undefined
  return `Tautline needs Node 22.18 or later here, and ${found}. Only on Linux with glibc, x64 or arm64, does it bring its own. Please install a newer one: https://nodejs.org`
}

/** Whether the optional dependencies of package.json hold a Node 24 that runs here. */
function bringsItsOwnNode() {
  if (process.platform !== 'linux' || !['x64', 'arm64'].includes(process.arch)) return false
  return process.report.getReport().header.glibcVersionRuntime !== undefined
}

// --- installing ----------------------------------------------------------------------------------------------------

function stampPath() {
  return join(root, 'node_modules', '.tautline-installed')
}

function isInstalled() {
  return existsSync(stampPath()) && readFileSync(stampPath(), 'utf8') === installHash()
}

/** A digest of all that decides what an install puts into node_modules. */
function installHash() {
  const manifests = readdirSync(join(root, 'packages')).map((name) => join('packages', name, 'package.json'))
  const files = ['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml', ...manifests.sort()]
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}`)
  for (const file of files.filter((path) => existsSync(join(root, path)))) {
    hash.update(`\0${file}\0`).update(readFileSync(join(root, file)))
  }
  return hash.digest('hex')
}

async function installWorkspace(args) {
  const pnpm = manifest.packageManager
  console.log(`Installing the dependencies with ${pnpm} (half a minute to a minute the first time) ...`)
  const started = Date.now()
  const { code, output } = await runInstaller('npx', [
    '--yes',
    '--prefer-offline',
    pnpm,
    'install',
    '--reporter=append-only',
    ...args,
  ])
  if (code !== 0) return fail(installFailure(code, output))

  // Where the Node that came along cannot run (musl), the machine's own must be the first in PATH.
  if (!bringsItsOwnNode()) rmSync(join(root, 'node_modules', '.bin', 'node'), { force: true })
  mkdirSync(join(root, 'node_modules'), { recursive: true })
  writeFileSync(stampPath(), installHash())
  console.log(`Installed in ${Math.round((Date.now() - started) / 1000)} s.\n`)
  return 0
}

function installFailure(code, output) {
  const deadNetwork =
    /ENOTFOUND|EAI_AGAIN|E(CONN|NET|HOST)(REFUSED|RESET|UNREACH)|ETIMEDOUT|ERR_SOCKET|error sending request|dns error|network/i
  // pnpm draws a box around what went wrong and breaks its lines.
  if (deadNetwork.test(output.replace(/[\s│]+/g, ' '))) {
    return 'The dependencies could not be installed: the npm registry did not answer. Check the network (or the proxy and registry settings that "npm config list" shows) and run the same command again.'
  }
  if (/OUTDATED_LOCKFILE|frozen-lockfile/i.test(output)) {
    return 'The dependencies could not be installed: a package.json was changed and pnpm-lock.yaml does not say so. Run "node scripts/run.mjs install --no-frozen-lockfile" and commit the lock file.'
  }
  if (code === 127)
    return 'The dependencies could not be installed: npx, which comes with npm, was not found in PATH.'
  return `The dependencies could not be installed: the installer ended with code ${code}; what it said stands above.`
}

/** Runs the installer, passes on what it prints and keeps it, for the reason of a failure stands nowhere else. */
async function runInstaller(command, args) {
  const env = {
    ...process.env,
    // Never ask; and give up on a dead network within seconds, where npm and pnpm would wait for minutes.
    CI: 'true',
    npm_config_update_notifier: 'false',
    npm_config_fetch_retry_mintimeout: '1000',
    npm_config_fetch_retry_maxtimeout: '5000',
    pnpm_config_fetch_retry_mintimeout: '1000',
    pnpm_config_fetch_retry_maxtimeout: '5000',
  }
  let output = ''
  const code = await runCommand(command, args, {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    onStart: (child) => {
      for (const [from, to] of [
        [child.stdout, process.stdout],
        [child.stderr, process.stderr],
      ]) {
        from.on('data', (chunk) => {
          output += chunk
          to.write(chunk)
        })
      }
    },
  })
  return { code, output }
}

// --- the packages --------------------------------------------------------------------------------------------------

async function runBuild(args) {
  if (args.includes('--when-stale')) return buildPackagesWhenStale()
  const code = await buildPackages(args)
  return code === 0 ? runInOrder(demoPageSteps()) : code
}

async function buildPackagesWhenStale() {
  const isFresh =
    existsSync('packages/client/dist') &&
    existsSync(buildStampPath()) &&
    readFileSync(buildStampPath(), 'utf8') === hashOfBuild()
  if (isFresh) {
    console.log('dist/ is what the sources build.')
    return 0
  }
  console.log('dist/ is older than the sources: building the packages (a quarter of a minute) ...')
  return buildPackages(['--silent'])
}

async function buildPackages(args) {
  rmSync(buildStampPath(), { force: true })
  const sources = hashOfBuild()
  const code = await runInOrder([
    ['tsup', ...args],
    ['node', '--conditions=source', protocolFiles],
  ])
  const isWhole = !process.env.NO_DTS && args.every((argument) => argument === '--silent')
  // Sources that changed meanwhile make the next build: the digest is that of the beginning.
  if (code === 0 && isWhole) writeFileSync(buildStampPath(), sources)
  return code
}

function buildStampPath() {
  return join(root, 'node_modules', '.tautline-packages-built')
}

/** A digest of all that decides what is in the packages' dist/. */
function hashOfBuild() {
  const hash = createHash('sha256').update(installHash())
  for (const file of ['tsup.config.ts', protocolFiles]) hash.update(readFileSync(file))
  for (const folder of readdirSync('packages')
    .sort()
    .map((name) => join('packages', name))) {
    const { private: isPrivate } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    if (!isPrivate) hash.update(hashOfSources(folder))
  }
  return hash.digest('hex')
}

// --- the demo ------------------------------------------------------------------------------------------------------

function demoPageSteps() {
  return existsSync('packages/demo/index.html') ? [['vite', 'build', 'packages/demo']] : []
}

/** Builds the page where its sources are not those that it was built from. */
async function buildDemoPage() {
  const stamp = join('node_modules', '.tautline-demo-built')
  const sources = hashOfSources('packages')
  if (
    !existsSync('packages/demo/dist/index.html') ||
    !existsSync(stamp) ||
    readFileSync(stamp, 'utf8') !== sources
  ) {
    console.log('Building the chat page ...')
    const code = await runInOrder(demoPageSteps())
    if (code !== 0) return code
    writeFileSync(stamp, sources)
  }
  return 0
}

async function runDemo(args) {
  const code = await buildDemoPage()
  if (code !== 0) return code
  // The server runs from its sources: Node 24 strips the types, and the packages' exports have a `source` condition.
  return runCommand('node', ['--conditions=source', 'packages/demo/server.ts', ...args])
}

function hashOfSources(folder) {
  const hash = createHash('sha256')
  const visit = (path) => {
    for (const entry of readdirSync(path, { withFileTypes: true }).sort((a, b) =>
      a.name < b.name ? -1 : 1,
    )) {
      if (entry.name === 'node_modules' || entry.name === 'dist') continue
      const child = join(path, entry.name)
      if (entry.isDirectory()) visit(child)
      else if (/\.(tsx?|html|css|json|svg)$/.test(entry.name))
        hash.update(`\0${child}\0`).update(readFileSync(child))
    }
  }
  visit(folder)
  return hash.digest('hex')
}

// --- the tests in a browser ------------------------------------------------------------------------------------------

async function runBrowserTests(args) {
  const chromium = process.env.CHROMIUM_PATH ?? inPath(['chromium', 'chromium-browser', 'google-chrome'])
  if (chromium === undefined || !existsSync(chromium)) {
    return fail(
      'There is no Chromium here to run these tests in. Install one (Debian: apt-get install -y --no-install-recommends chromium) or say where it is: CHROMIUM_PATH=/path/to/chromium',
    )
  }
  process.env.CHROMIUM_PATH = chromium
  const { repeats, rest } = takeRepeats(args)
  if (!Number.isInteger(repeats) || repeats < 1) return fail('--repeats wants a number, such as 20.')
  const code = await buildDemoPage()
  if (code !== 0) return code
  const command = ['vitest', 'run', '--config', 'test/browser.config.ts', ...rest]
  if (repeats === 1) return runInOrder([command])
  return runRepeatedly(command, repeats)
}

function takeRepeats(args) {
  const at = args.indexOf('--repeats')
  return at < 0
    ? { repeats: 1, rest: args }
    : { repeats: Number(args[at + 1]), rest: [...args.slice(0, at), ...args.slice(at + 2)] }
}

/** A test that fails now and then shows only so: all runs are made, whatever fails, and counted. */
async function runRepeatedly(command, repeats) {
  const failed = []
  const seconds = []
  for (let run = 1; run <= repeats; run++) {
    const started = Date.now()
    if ((await runInOrder([command])) !== 0) failed.push(run)
    if (isStopped) return fail(`Stopped in run ${run} of ${repeats}.`)
    seconds.push(Math.round((Date.now() - started) / 1000))
    console.log(
      `Run ${run} of ${repeats}: ${failed.at(-1) === run ? 'failed' : 'passed'} in ${seconds.at(-1)} s.\n`,
    )
  }
  console.log(
    `${repeats - failed.length} of ${repeats} runs passed, in ${Math.min(...seconds)} to ${Math.max(...seconds)} s each.`,
  )
  return failed.length === 0 ? 0 : fail(`Failed: run ${failed.join(', ')}.`)
}

function inPath(names) {
  const folders = process.env.PATH.split(delimiter)
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) => existsSync(path))
}

// --- running tools -------------------------------------------------------------------------------------------------

/** Runs commands one after another and stops at the first that fails. */
async function runInOrder(commands) {
  for (const [command, ...args] of commands) {
    const code = await runCommand(command, args)
    if (code !== 0) return code
  }
  return 0
}

/** Runs all commands, whatever fails, and says at the end which did. */
async function runAll(commands) {
  const failed = []
  for (const [command, ...args] of commands) {
    const line = [command, ...args].join(' ')
    console.log(`> ${line}`)
    if ((await runCommand(command, args)) !== 0) failed.push(line)
    if (isStopped) return fail(`Stopped in: ${line}.`)
  }
  if (failed.length > 0) return fail(`Failed: ${failed.join(', ')}.`)
  console.log(`All ${commands.length} checks passed.`)
  return 0
}

/** Runs one command, passes signals on to it, and resolves to its exit code. */
function runCommand(command, args, { onStart, ...options } = {}) {
  return new Promise((resolve) => {
    // On Windows the tools in node_modules/.bin are .cmd files, which only a shell starts.
    const child = spawn(command, args, { stdio: 'inherit', shell: process.platform === 'win32', ...options })
    const forward = (signal) => {
      isStopped = true
      // A terminal sends Ctrl-C to the whole group: the child has it already, and a second one would mean "at once".
      if (signal === 'SIGINT' && process.stdin.isTTY) return
      child.kill(signal)
    }
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
    const orphanWatch = whenOrphaned(() => forward('SIGTERM'))
    const settle = (code) => {
      for (const signal of signals) process.off(signal, forward)
      clearInterval(orphanWatch)
      resolve(code)
    }
    for (const signal of signals) process.on(signal, forward)
    child.on('error', (error) => {
      console.error(`${command} could not be started: ${error.message}`)
      settle(error.code === 'ENOENT' ? 127 : 1)
    })
    child.on('close', (code, signal) => settle(code ?? 128 + (constants.signals[signal] ?? 0)))
    onStart?.(child)
  })
}

/** npm passes SIGTERM to the shell between it and us, which dies of it without a word: that its place is empty is all we hear. */
function whenOrphaned(act) {
  if (process.env.npm_lifecycle_event === undefined) return undefined
  const parent = process.ppid
  const watch = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(watch)
    act()
  }, 500)
  return watch
}
