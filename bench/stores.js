// Every store beside the others: what README.md says under "Which store?".
// `npm run bench -- --stores` prints the table.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cases } from './cases.js'
import { startPostgres } from './postgres-server.js'
import { startRedis } from './redis-server.js'
import { measureCase, verifyAll } from './requests.js'

const caseNamed = (name) => cases.find((each) => each.name === name)

const STORE_CASES = [
  { ...caseNamed('read'), title: 'reads' },
  { ...caseNamed('write'), title: 'writes' },
  { ...caseNamed('first-write'), name: 'login', title: 'logins', path: '/login' }
]

/** Figures by case and store, without the stores whose server is not here. */
export async function measureStores (load, settings) {
  const folder = await mkdtemp(join(tmpdir(), 'keep-bench-'))
  const [postgres, redis] = [await startPostgres(), await startRedis()]
  const file = new URL('servers/keep-on.js', import.meta.url)
  const addresses = { memory: '', sqlite: join(folder, 'sessions.db'), postgres: postgres?.url, redis: redis?.url }
  const variants = Object.entries(addresses).filter(([, address]) => address !== undefined)
    .map(([name, address]) => ({ name, file, args: [name, address], without: [] }))
  try {
    await verifyAll(variants)
    const found = {}
    for (const each of STORE_CASES) found[each.name] = await measureCase(load, each, variants, settings)
    return found
  } finally {
    await postgres?.stop()
    await redis?.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

const TITLES = { memory: '`MemoryStore`', sqlite: '`SqliteStore`', postgres: '`PostgresStore`', redis: '`RedisStore`' }

/** The table for README.md. */
export function storeTable (found) {
  const names = Object.keys(found.read)
  const rows = names.map((name) => [
    TITLES[name],
    ...STORE_CASES.map((each) => Math.round(found[each.name][name].perSecond).toLocaleString('en')),
    STORE_CASES.map((each) => found[each.name][name].cpu.toFixed(0)).join(' / ')
  ])
  return [
    ['', ...STORE_CASES.map(({ title }) => `${title} per second`), 'CPU per read / write / login, in µs'],
    ['---', ...STORE_CASES.map(() => '---:'), '---:'],
    ...rows
  ].map((row) => `| ${row.join(' | ')} |`).join('\n')
}
