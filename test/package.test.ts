// What npm gets: the tarball holds all that is needed and nothing else.
import { readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import t from 'tap'
import ts from 'typescript'
import { runProgram } from './fixtures/run-program.js'
import { packPackage } from './fixtures/tarball.js'

const root = fileURLToPath(new URL('../', import.meta.url))

interface Manifest {
  exports: Record<string, { types: string, default: string } | string>
  typesVersions: { '*': Record<string, [string]> }
  dependencies: Record<string, string>
  peerDependencies: Record<string, string>
}

const tarball = await packPackage(t)
// inside the project, so that what is imported is found
const unpacked = join(t.testdir(), 'package')
await runProgram('tar', ['-xf', tarball.path], join(unpacked, '..'))
const manifest = JSON.parse(await readFile(join(unpacked, 'package.json'), 'utf8')) as Manifest
const entryPoints = Object.entries(manifest.exports).flatMap(([name, target]) => typeof target === 'string' ? [] : [{ name, ...target }])

/** Every file that is built: index.ts, lib/ and types/. */
const sources = ['index.ts', ...await typeScriptIn('lib'), ...await typeScriptIn('types')]

async function typeScriptIn (folder: string): Promise<string[]> {
  const files = await readdir(join(root, folder), { recursive: true })
  return files.filter((file) => file.endsWith('.ts') && !file.endsWith('.tst.ts')).map((file) => join(folder, file))
}

async function documentsIn (folder: string, { recursive = false } = {}): Promise<string[]> {
  const files = await readdir(join(root, folder), { recursive })
  return files.filter((file) => /\.(md|json)$/.test(file)).map((file) => join(folder, file))
}

function inDist (file: string): Promise<string> {
  return readFile(join(unpacked, 'dist', file), 'utf8')
}

t.test('the tarball holds what is built, what is read, and nothing else', async (t) => {
  const built = sources.flatMap((source) => ['.js', '.d.ts', '.js.map'].map((extension) => `dist/${source.replace(/\.ts$/, extension)}`))
  // docs/.vitepress builds the site, and is not part of it
  const documents = [...await documentsIn('docs'), ...await documentsIn('docs/api', { recursive: true })]
  const expected = ['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md', 'SECURITY.md', ...built, ...documents]
  t.same([...tarball.files].sort(), expected.sort())
})

t.test('publint finds nothing to say', async (t) => {
  const { messages, pkg } = await publint({ pkgDir: unpacked, pack: false, strict: true })
  t.same(messages.map((message) => formatMessage(message, pkg, { color: false })), [])
})

t.test('every way to resolve modules finds the right types at every entry point', async (t) => {
  const analysis = await checkPackage(createPackageFromTarballData(new Uint8Array(await readFile(tarball.path))))
  if (analysis.types === false) return t.fail('there are no types')
  t.strictSame(Object.keys(analysis.entrypoints).sort(), Object.keys(manifest.exports).sort())
  // CommonJS gets the ES module: every Node.js that `engines` lets in can require one
  t.strictSame(analysis.problems.filter(({ kind }) => kind !== 'CJSResolvesToESM'), [])
})

t.test('typesVersions says the same as exports', (t) => {
  const subpaths = entryPoints.filter(({ name }) => name !== '.')
  t.strictSame(manifest.typesVersions, { '*': Object.fromEntries(subpaths.map(({ name, types }) => [name.slice('./'.length), [types]])) })
  t.end()
})

t.test('what is imported is declared, and what is declared is imported', async (t) => {
  const imported = new Set<string>()
  for (const source of sources) {
    for (const extension of ['.js', '.d.ts']) {
      const { importedFiles } = ts.preProcessFile(await inDist(source.replace(/\.ts$/, extension)))
      for (const { fileName } of importedFiles) {
        if (/^(\.|node:)/.test(fileName)) continue
        imported.add(fileName.split('/', fileName.startsWith('@') ? 2 : 1).join('/'))
      }
    }
  }
  const declared = { ...manifest.dependencies, ...manifest.peerDependencies }
  t.strictSame([...imported].sort(), Object.keys(declared).sort())
})

t.test('the source maps carry their sources', async (t) => {
  const carried: Record<string, string[] | undefined> = {}
  const expected: typeof carried = {}
  for (const source of sources) {
    const map = JSON.parse(await inDist(source.replace(/\.ts$/, '.js.map'))) as { sourcesContent?: string[] }
    carried[source] = map.sourcesContent
    expected[source] = [await readFile(join(root, source), 'utf8')]
  }
  t.strictSame(carried, expected)
})

t.test('with --enable-source-maps an error names the line in the source', async (t) => {
  const plugin = pathToFileURL(join(unpacked, 'dist/index.js'))
  const script = `
    import Fastify from 'fastify'
    import session from '${plugin.href}'
    try { await Fastify().register(session, { saveOn: 'never' }) } catch (error) { console.log(error.stack) }
  `
  const { stdout } = await runProgram(process.execPath, ['--enable-source-maps', '--input-type=module', '--eval', script], root)
  const [, file = '', line = ''] = /\((\S+\.ts):(\d+):\d+\)/.exec(stdout) ?? []
  t.equal(relative(unpacked, file), 'lib/options.ts')
  const source = (await readFile(join(root, 'lib/options.ts'), 'utf8')).split('\n')
  t.match(source[Number(line) - 1], 'new InvalidOptionError')
})

t.test('the declarations keep the doc comment of every export', (t) => {
  const files = entryPoints.map(({ types }) => join(unpacked, types))
  const program = ts.createProgram(files, { module: ts.ModuleKind.NodeNext, types: [] })
  const checker = program.getTypeChecker()
  const undocumented = files.flatMap((file) => {
    const module = checker.getSymbolAtLocation(program.getSourceFile(file) as ts.SourceFile) as ts.Symbol
    return checker.getExportsOfModule(module).filter((symbol) => {
      const original = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
      return original.getDocumentationComment(checker).length === 0
    })
  })
  // the one that only `require` sees
  t.strictSame(undocumented.map(({ name }) => name), ['module.exports'])
  t.end()
})
