// The rooms of this package: a file imports from its own room and from rooms below it.
import { readdir, readFile } from 'node:fs/promises'
import { dirname, join, normalize } from 'node:path'
import t from 'tap'

const root = new URL('../', import.meta.url).pathname

/** From the top down; CONTRIBUTING.md says what each room knows. */
const rooms: readonly RegExp[] = [
  /^(index|lib\/store-suite)\.ts$/,
  /^lib\/opentelemetry\//,
  /^lib\/http\//,
  /^lib\/store\//,
  /^lib\/session\//,
  /^lib\/options\.ts$/,
  /^lib\/store-suite\//,
  /^lib\/stores\//,
  /^lib\/record\//,
  /^lib\/[^/]+\.ts$/,
  /^types\//
]

async function sources (): Promise<string[]> {
  const inside = await Promise.all(['lib', 'types'].map(async (folder) => (await readdir(join(root, folder), { recursive: true })).map((file) => join(folder, file))))
  return ['index.ts', ...inside.flat().filter((file) => file.endsWith('.ts') && !file.endsWith('.tst.ts'))]
}

async function importsOf (file: string): Promise<string[]> {
  const source = await readFile(join(root, file), 'utf8')
  return [...source.matchAll(/(?:from|import) '(\.[^']+)'/g)].map(([, path]) => normalize(join(dirname(file), String(path).replace(/\.js$/, '.ts'))))
}

function roomOf (file: string): number {
  return rooms.findIndex((room) => room.test(file))
}

t.test('every file has a room', async (t) => {
  t.same((await sources()).filter((file) => roomOf(file) === -1), [])
})

t.test('every import stays in its room or goes down', async (t) => {
  for (const file of await sources()) {
    for (const imported of await importsOf(file)) t.ok(roomOf(imported) >= roomOf(file), `${file} imports ${imported}`)
  }
})

t.test('no file imports itself by a detour', async (t) => {
  const graph = new Map(await Promise.all((await sources()).map(async (file): Promise<[string, string[]]> => [file, await importsOf(file)])))
  const walk = (file: string, path: readonly string[]): string[] => {
    if (path.includes(file)) return [...path, file]
    return (graph.get(file) ?? []).map((next) => walk(next, [...path, file])).find((found) => found.length > 0) ?? []
  }
  t.same([...graph.keys()].map((file) => walk(file, [])).find((found) => found.length > 0) ?? [], [])
})

t.test('a store knows no other store', async (t) => {
  const kind = (file: string) => /^lib\/stores\/([^/]+)\//.exec(file)?.[1]
  for (const file of await sources()) {
    for (const imported of await importsOf(file)) t.ok(kind(file) === undefined || [undefined, kind(file)].includes(kind(imported)), `${file} imports ${imported}`)
  }
})

t.test('no file has more than 200 lines', async (t) => {
  for (const file of await sources()) t.ok((await readFile(join(root, file), 'utf8')).trimEnd().split('\n').length <= 200, file)
})

t.test('only the rooms that should know stores, cookies and hooks do', async (t) => {
  const users = async (pattern: RegExp) => {
    const found = []
    for (const file of await sources()) if (pattern.test(await readFile(join(root, file), 'utf8'))) found.push(file)
    return found
  }
  t.same(await users(/addHook\(/), ['index.ts', 'lib/opentelemetry/session-telemetry.ts'])
  t.same((await users(/context\.store\./)).filter((file) => !file.startsWith('lib/store/')), [])
})
