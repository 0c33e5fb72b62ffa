// The packed package, installed into a fresh folder, in each of the ways that
// apps import it: it compiles without `skipLibCheck`, finds mistakes, and runs.
import { copyFile, mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import t, { type Test } from 'tap'
import { runProgram } from './fixtures/run-program.js'
import { packPackage, temporaryFolder } from './fixtures/tarball.js'

const root = fileURLToPath(new URL('../', import.meta.url))
const fixtures = fileURLToPath(new URL('fixtures/consumers/', import.meta.url))
const tsc = join(root, 'node_modules/typescript/bin/tsc')

/** The app prints this, however it is written: what a visitor and a user get, and what the store holds. */
const expected = { visitor: 401, user: { id: 42, first: 'apple', cart: ['apple', 'pear'] }, size: 1 }

const NODENEXT = { module: 'nodenext' }

interface Consumer {
  app: string
  type: 'module' | 'commonjs'
  /** What stands before `name = require()`, where it does not `import`. */
  requires?: 'const' | 'import'
  /** How it is compiled, where it is: as tsconfig.json has it. */
  compilerOptions?: Record<string, string | boolean>
}

const consumers: Record<string, Consumer> = {
  'an ES module in JavaScript': { app: 'app.mjs', type: 'module' },
  'CommonJS in JavaScript': { app: 'app.cjs', type: 'commonjs', requires: 'const' },
  // these three are compiled in one go: TypeScript looks at each one's package.json
  'an ES module in TypeScript, nodenext': { app: 'app.ts', type: 'module', compilerOptions: NODENEXT },
  'CommonJS in TypeScript, nodenext': { app: 'app.ts', type: 'commonjs', compilerOptions: NODENEXT },
  'CommonJS in TypeScript, nodenext, by import = require()': { app: 'app-require.ts', type: 'commonjs', requires: 'import', compilerOptions: NODENEXT },
  'TypeScript for a bundler': { app: 'app.ts', type: 'module', compilerOptions: { module: 'preserve', moduleResolution: 'bundler', verbatimModuleSyntax: true } },
  'TypeScript, node10': { app: 'app.ts', type: 'commonjs', compilerOptions: { module: 'commonjs', moduleResolution: 'node10', ignoreDeprecations: '6.0' } }
}

const tarball = await packPackage(t)
const installed = await install((await manifestOf('fastify')).version)
const packageFolder = join(installed, 'node_modules/fastify-keep')
const { exports, peerDependencies } = await manifestOf('fastify-keep', installed)

interface Manifest {
  version: string
  exports: Record<string, { default: string }>
  peerDependencies: { fastify: string }
}

async function manifestOf (name: string, folder = root): Promise<Manifest> {
  return JSON.parse(await readFile(join(folder, 'node_modules', name, 'package.json'), 'utf8')) as Manifest
}

/** Installs the package beside this version of Fastify. Answers with the folder. */
async function install (fastify: string): Promise<string> {
  const folder = await temporaryFolder(t)
  const { version } = await manifestOf('@types/node')
  const dependencies = { 'fastify-keep': `file:${tarball.path}`, fastify, '@types/node': version }
  await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies }))
  const { code, output } = await runProgram('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts'], folder)
  if (code !== 0) throw new Error(output)
  return folder
}

const entryPoints = Object.keys(exports).filter((path) => path !== './package.json')

/** Each with the names it exports. Those of the default export depend on who imports it how. */
const expectedNames: Record<string, string[]> = {}
for (const path of entryPoints) {
  const module = await import(pathToFileURL(join(packageFolder, exports[path]!.default)).href) as object
  expectedNames[path] = Object.keys(module).filter((name) => !['default', 'module.exports'].includes(name))
}

/** A module that imports every entry point, and exports the names it finds there. */
function entryPointsModule (requires: Consumer['requires']): string {
  const lines = entryPoints.map((path, index) => {
    const name = `'fastify-keep${path.slice(1)}'`
    return requires === undefined ? `import * as entry${index} from ${name}` : `${requires} entry${index} = require(${name})`
  })
  const names = `{ ${entryPoints.map((path, index) => `'${path}': Object.keys(entry${index})`).join(', ')} }`
  const end = { const: `module.exports = { names: ${names} }`, import: `export = { names: ${names} }` }
  return [...lines, requires === undefined ? `export const names = ${names}` : end[requires]].join('\n')
}

interface Built {
  /** The files to run. */
  readonly mains: readonly string[]
  /** What the compiler said. */
  readonly errors: string
}

/** Makes each consumer in a folder of its own beside what is installed, and compiles them in one go. */
async function build (consumers: readonly Consumer[], compilerOptions: Consumer['compilerOptions'], installed: string): Promise<Built> {
  const folder = await mkdtemp(join(installed, 'consumers-'))
  const apps = await Promise.all(consumers.map((consumer, index) => write(consumer, folder, String(index))))
  if (compilerOptions === undefined) return { mains: apps.map((app) => join(folder, app)), errors: '' }

  const strict = { strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, skipLibCheck: false }
  // for a run on another Node.js, where types are no different
  const noCheck = process.env.KEEP_NO_TYPE_CHECK === 'true'
  const common = { target: 'es2023', lib: ['es2023'], types: ['node'], rootDir: '.', outDir: 'out', noCheck }
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: { ...common, ...strict, ...compilerOptions } }))
  const { output } = await runProgram(process.execPath, [tsc, '--pretty', 'false'], folder)
  // what is compiled is what its package.json says it is
  await Promise.all(consumers.map(({ type }, index) => writeFile(join(folder, 'out', String(index), 'package.json'), JSON.stringify({ type }))))
  return { mains: apps.map((app) => join(folder, 'out', app.replace(/\.ts$/, '.js'))), errors: output }
}

/** Answers with the app's place in the folder. */
async function write ({ app, type, requires }: Consumer, folder: string, name: string): Promise<string> {
  const own = join(folder, name)
  await mkdir(own)
  await writeFile(join(own, 'package.json'), JSON.stringify({ type }))
  await writeFile(join(own, `entry-points${extname(app)}`), entryPointsModule(requires))
  const declarations = extname(app) === '.ts' ? ['session-data.ts', 'cart-data.d.ts'] : []
  for (const file of [app, ...declarations]) await copyFile(join(fixtures, file), join(own, file))
  return join(name, app)
}

/** One test for those that are compiled together. */
async function compileAndRun (t: Test, all: Record<string, Consumer>, compilerOptions: Consumer['compilerOptions'], installed: string): Promise<void> {
  const { mains, errors } = await build(Object.values(all), compilerOptions, installed)
  t.equal(errors, '', 'it compiles, and each mistake is found')
  for (const [index, title] of Object.keys(all).entries()) await t.test(`it works in ${title}`, (t) => runs(t, mains[index] as string, installed))
}

async function runs (t: Test, main: string, installed: string): Promise<void> {
  const { stdout, output } = await runProgram(process.execPath, [main], installed)
  if (stdout === '') {
    t.fail(output)
    return
  }
  const { names, ...outcome } = JSON.parse(stdout) as { names: Record<string, string[]> }
  t.strictSame(outcome, expected)
  const found = Object.entries(expectedNames).map(([path, expected]) => [path, expected.filter((name) => names[path]?.includes(name))])
  t.strictSame(Object.fromEntries(found), expectedNames, 'every entry point exports everything')
}

for (const compilerOptions of new Set(Object.values(consumers).map((consumer) => consumer.compilerOptions))) {
  const together = Object.fromEntries(Object.entries(consumers).filter(([, consumer]) => consumer.compilerOptions === compilerOptions))
  t.test(Object.keys(together).join('; '), (t) => compileAndRun(t, together, compilerOptions, installed))
}

t.test('the oldest Fastify that peerDependencies lets in', async (t) => {
  const oldest = await install(peerDependencies.fastify.replace('^', ''))
  await compileAndRun(t, { 'an ES module in TypeScript, nodenext': { app: 'app.ts', type: 'module' } }, NODENEXT, oldest)
})
