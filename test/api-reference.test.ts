// docs/api is made of the doc comments: every public name has one, and what is
// committed says what they say now.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const root = new URL('../', import.meta.url)

t.test('every public name has a doc comment, and docs/api is made of them', async (t) => {
  const fresh = t.testdir()
  const typedoc = fileURLToPath(new URL('node_modules/typedoc/bin/typedoc', root))
  const child = spawn(process.execPath, [typedoc, '--out', fresh], { cwd: root })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => { output += String(chunk) })
  const [code] = await once(child, 'close')
  if (!t.equal(code, 0, output)) return
  const pages = await pagesIn(fileURLToPath(new URL('docs/api', root)))
  t.same(pages, await pagesIn(fresh), 'docs/api is fresh; if not: npm run docs')
  t.same(Object.keys(pages).filter((name) => pages[name]?.includes('__namedParameters')), [], 'every parameter has a name')
})

async function pagesIn (folder: string): Promise<Record<string, string>> {
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.md')).sort()
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await readFile(`${folder}/${name}`, 'utf8')])))
}
