// The layers of this package: a file imports only from lower ones, types included.
import { readdir, readFile } from 'node:fs/promises'
import { dirname, join, normalize } from 'node:path'
import t from 'tap'

const root = new URL('../', import.meta.url).pathname

/** From the top down; the picture in CONTRIBUTING.md says what each layer knows. */
const layers: string[][] = [
  ['index.ts', 'lib/store-suite.ts'],
  [
    'lib/guard.ts', 'lib/move-sessions.ts', 'lib/request-session.ts', 'lib/sessions.ts',
    'lib/store-suite/broken-records.ts', 'lib/store-suite/changes.ts', 'lib/store-suite/deadlines.ts',
    'lib/store-suite/parallel.ts', 'lib/store-suite/records.ts', 'lib/store-suite/replacement.ts'
  ],
  ['lib/load-session.ts', 'lib/save-session.ts', 'lib/store-suite/context.ts'],
  ['lib/choose-session.ts', 'lib/session.ts', 'lib/session-cookie.ts'],
  ['lib/claim-names.ts', 'lib/open-store.ts', 'lib/save-plan.ts', 'lib/session-context.ts', 'lib/session-record.ts'],
  ['lib/cookie-advice.ts', 'lib/deadlines.ts', 'lib/namespace.ts'],
  ['lib/options.ts', 'lib/session-state.ts'],
  ['lib/bounded-store.ts', 'lib/cookie-attributes.ts', 'lib/cookie-signer.ts', 'lib/session-values.ts', 'lib/stores/express-store.ts', 'lib/stores/memory-store.ts', 'lib/stores/redis-store.ts'],
  ['lib/stores/express-record.ts', 'lib/stores/redis-record.ts', 'lib/stores/redis-requirements.ts'],
  [
    'lib/apply-changes.ts', 'lib/awaitable.ts', 'lib/cache-headers.ts', 'lib/codec.ts', 'lib/duration.ts', 'lib/events.ts',
    'lib/index-access.ts', 'lib/opted-out.ts', 'lib/register-cookie.ts', 'lib/return-path.ts', 'lib/session-id.ts', 'lib/stores/broken-record.ts', 'lib/stores/express-rows.ts',
    'lib/stores/expiry-queue.ts', 'lib/stores/redis-client.ts', 'lib/stores/redis-scripts.ts', 'lib/turns.ts', 'lib/warnings.ts', 'types/options.ts'
  ['lib/bounded-store.ts', 'lib/cookie-attributes.ts', 'lib/finish-hook.ts', 'lib/session-values.ts', 'lib/stores/express-store.ts', 'lib/stores/memory-store.ts', 'lib/stores/redis-store.ts'],
  ['lib/stores/express-record.ts', 'lib/stores/redis-record.ts', 'lib/stores/redis-requirements.ts'],
  [
    'lib/apply-changes.ts', 'lib/awaitable.ts', 'lib/cache-headers.ts', 'lib/codec.ts', 'lib/duration.ts', 'lib/events.ts',
    'lib/index-access.ts', 'lib/log-line.ts', 'lib/opted-out.ts', 'lib/return-path.ts', 'lib/safe-cause.ts', 'lib/session-id.ts', 'lib/stores/broken-record.ts', 'lib/stores/express-rows.ts',
    'lib/stores/expiry-queue.ts', 'lib/stores/redis-client.ts', 'lib/stores/redis-scripts.ts', 'lib/turns.ts', 'lib/web-response.ts', 'types/options.ts'
  ],
  ['lib/errors.ts', 'lib/thrown-error.ts', 'lib/warnings.ts', 'types/session-data.ts', 'types/store.ts']
]

const depth = new Map(layers.flatMap((files, index) => files.map((file) => [file, index])))

async function sources (): Promise<string[]> {
  const inside = await Promise.all(['lib', 'types'].map(async (folder) => (await readdir(join(root, folder), { recursive: true })).map((file) => join(folder, file))))
  return ['index.ts', ...inside.flat().filter((file) => file.endsWith('.ts') && !file.endsWith('.tst.ts'))]
}

async function importsOf (file: string): Promise<string[]> {
  const source = await readFile(join(root, file), 'utf8')
  return [...source.matchAll(/(?:from|import) '(\.[^']+)'/g)].map(([, path]) => normalize(join(dirname(file), String(path).replace(/\.js$/, '.ts'))))
}

t.test('every file has a layer, and every layer its files', async (t) => {
  t.same((await sources()).sort(), [...depth.keys()].sort())
})

t.test('every import goes down', async (t) => {
  for (const file of await sources()) {
    for (const imported of await importsOf(file)) {
      t.ok(Number(depth.get(imported)) > Number(depth.get(file)), `${file} imports ${imported}`)
    }
  }
})

t.test('only the files that should know stores, cookies and hooks do', async (t) => {
  const users = async (pattern: RegExp) => {
    const found = []
    for (const file of await sources()) if (pattern.test(await readFile(join(root, file), 'utf8'))) found.push(file)
    return found
  }
  t.same(await users(/addHook\(/), ['index.ts'])
  t.same(await users(/serializeCookie\(|set-cookie'/), ['lib/request-session.ts', 'lib/session-cookie.ts'].sort())
  t.same(await users(/context\.store\./), ['lib/load-session.ts', 'lib/save-session.ts'])
})
