// Every snippet of the README is run, and its tables are held to the code.
import { readFile, mkdir, writeFile } from 'node:fs/promises'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import * as errors from '../lib/errors.js'
import { Browser } from './fixtures/app.js'
import { needs } from './fixtures/needs.js'
import { startRedis } from './fixtures/redis.js'

const root = new URL('../', import.meta.url)
const readme = await readFile(new URL('README.md', root), 'utf8')

/** What shows that a snippet works. Every snippet has one. */
const trials: Record<string, (t: Test, app: FastifyInstance) => Promise<void>> = {
  async counter (t, app) {
    t.match(app.addresses(), [{ port: Number }], 'it listens on plain http')
    const browser = new Browser(app)
    for (const count of [1, 2, 3]) t.same((await browser.visit('/')).json(), { count })
  },
  async login (t, app) {
    const browser = new Browser(app)
    t.equal((await browser.visit('/me')).statusCode, 401)
    await browser.visit('/login', { method: 'POST' })
    t.same((await browser.visit('/me')).json(), { id: 42 })
    await browser.visit('/logout', { method: 'POST' })
    t.equal((await browser.visit('/me')).statusCode, 401)
  },
  async session (t, app) {
    const browser = new Browser(app)
    await browser.visit('/cart/apple', { method: 'POST' })
    t.same((await browser.visit('/cart/pear', { method: 'POST' })).json(), { cart: ['apple', 'pear'], flash: 'pear is in your cart' })
    t.same((await browser.visit('/flash')).json(), { message: 'pear is in your cart' })
    t.same((await browser.visit('/flash')).json(), {})
    const response = await browser.visit('/remember-me', { method: 'POST' })
    t.match(response.headers['set-cookie'], /Max-Age=2592000/)
  },
  async hijack (t, app) {
    const response = await app.inject('/raw')
    t.equal(response.body, 'raw')
    t.match(response.headers['set-cookie'], /^sid=/)
  },
  async guards (t, app) {
    const browser = new Browser(app)
    const { location } = (await browser.visit('/account/', { headers: { accept: 'text/html' } })).headers
    t.equal(location, '/login?returnTo=%2Faccount%2F')
    t.equal((await browser.visit(String(location), { method: 'POST' })).headers.location, '/account/')
    t.equal((await browser.visit('/account')).body, 'your account')
    t.equal((await browser.visit('/pay', { method: 'POST' })).body, 'paid')
    t.equal((await browser.visit('/admin')).statusCode, 403)
  },
  async memory (t, app) {
    await app.ready()
    t.equal(app.sessions.stats().size, 0)
  },
  async redis (t, app) {
    app.get('/', async ({ session }) => session.update('n', (n) => Number(n ?? 0) + 1))
    const browser = new Browser(app)
    await browser.visit('/')
    t.equal((await browser.visit('/')).body, '2')
  },
  async typescript (t, app) {
    t.equal((await app.inject('/typed')).body, '1')
  },
  async 'two-sessions' (t, app) {
    t.equal((await app.inject('/admin')).statusCode, 401)
  },
  async testing (t, app) {
    t.equal(app.sessions.stats().saved, 1)
  },
  async events (t, app) {
    await app.inject({ url: '/', cookies: { sid: 'nonsense' } })
    t.equal(app.sessions.stats().rejected, 1)
  }
}

const snippets = [...readme.matchAll(/<!-- snippet: (\S+) -->\n```ts\n([\s\S]*?)```/g)].map(([, name, code]) => ({ name: String(name), code: String(code) }))

/** The snippet as a module of its own, with what it takes for granted in front. */
function moduleOf (code: string): string {
  const head = [
    /import Fastify /.test(code) ? '' : "import Fastify from 'fastify'",
    /import session /.test(code) ? '' : "import session from 'fastify-keep'",
    "import { MemoryStore, requireSession, returnPath, type Session, type Sessions, type SessionMessage } from 'fastify-keep'",
    "import type { OutgoingHttpHeaders } from 'node:http'",
    /const app =/.test(code) ? '' : 'const app = Fastify()',
    /register\(session/.test(code) ? '' : 'await app.register(session)'
  ]
  // a snippet may name its own session like the plugin, so it gets a block; imports and declarations stay outside
  const outside = code.match(/^(import .*|declare module[\s\S]*?^})$/gm) ?? []
  const inside = outside.reduce((rest, part) => rest.replace(part, ''), code)
  const body = /const app =/.test(code) ? inside : `{\n${inside}\n}`
  return [...head, ...outside, body, 'export { app }', 'export const used = [MemoryStore, requireSession, returnPath]'].join('\n')
    .replaceAll("'fastify-keep'", "'../../index.js'")
    .replaceAll("'fastify-keep/redis'", "'../../lib/stores/redis-store.js'")
    .replace('port: 3000', "port: 0, host: '127.0.0.1'")
}

t.test('every snippet has a name and a trial', (t) => {
  t.equal(readme.match(/```ts\n/g)?.length, snippets.length)
  t.same(snippets.map(({ name }) => name).sort(), Object.keys(trials).sort())
  t.end()
})

t.test('every snippet does what it says', async (t) => {
  const folder = new URL('.tap/readme/', root)
  await mkdir(folder, { recursive: true })
  t.intercept(console, 'log', { value: () => {} })
  for (const { name, code } of snippets) {
    await t.test(name, async (t) => {
      if (name === 'redis') {
        if (needs(t, 'redis') === null) return
        process.env.REDIS_URL = (await startRedis(t)).url
      }
      const file = new URL(`${name}-${process.pid}.ts`, folder)
      await writeFile(file, moduleOf(code))
      const { app } = await import(file.href) as { app: FastifyInstance }
      t.teardown(() => app.close())
      await trials[name]?.(t, app)
    })
  }
})

t.test('the table of errors lists each code with its status, and no other', (t) => {
  const listed = [...readme.matchAll(/^\| `(FST_KEEP_\w+)` \| (\d+) \|/gm)].map(([, code, status]) => [code, Number(status)])
  const thrown = Object.values(errors).map((TypedError) => {
    const { code, statusCode } = new (TypedError as new () => { code: string, statusCode: number })()
    return [code, statusCode]
  })
  t.same(listed.sort(), thrown.sort())
  t.end()
})

t.test('every option has a row, with its default where it is a plain one', async (t) => {
  const types = await readFile(new URL('types/options.ts', root), 'utf8')
  const documented = [...types.matchAll(/^ {2}(\w+)\?:/gm)].map(([, name]) => name)
  const rows = new Set([...readme.matchAll(/^\| `(?:cookie\.)?(\w+)` \|/gm)].map(([, name]) => name))
  for (const name of documented) if (name !== 'cookie') t.ok(rows.has(name), String(name))
})

t.test('every member of the session is in its table', async (t) => {
  const { SessionMap } = await import('../lib/session.js')
  for (const name of Object.getOwnPropertyNames(SessionMap.prototype)) {
    if (name !== 'constructor') t.match(readme, new RegExp(`\`${name}[(\`]`), name)
  }
})

t.test('the channels of the README are the ones that exist', (t) => {
  const hear = () => {}
  for (const event of ['created', 'loaded', 'saved', 'regenerated', 'destroyed', 'expired', 'evicted', 'rejected', 'store-error']) {
    t.match(readme, new RegExp(`:${event}\``))
    subscribe(`fastify-keep:${event}`, hear)
    t.ok(unsubscribe(`fastify-keep:${event}`, hear))
  }
  t.end()
})
