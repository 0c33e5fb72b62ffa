// Every snippet on the pages of docs/ that have no test of their own runs, and no link leads nowhere.
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { Browser } from './fixtures/app.js'
import { needs } from './fixtures/needs.js'
import { startPostgres } from './fixtures/postgres.js'
import { readDocument, trySnippets, type Preparation, type Trial } from './fixtures/snippets.js'
import { hasNodeSqlite, sqlitePath } from './fixtures/sqlite.js'

const post = (browser: Browser, url: string, body: object = {}) => browser.visit(url, { method: 'POST', body })

/** A browser whose session holds these values. */
async function browserWith (app: FastifyInstance, values: object, createdAt = Date.now()): Promise<Browser> {
  const browser = new Browser(app)
  Object.assign(browser.cookies, (await app.sessions.issue(values as never, { createdAt })).cookies)
  return browser
}

await trySnippets('docs/session.md', {
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

  async 'two-sessions' (t, app) {
    t.equal((await app.inject('/admin')).statusCode, 401)
  }
})

await trySnippets('docs/guards.md', {
  async guards (t, app) {
    const browser = new Browser(app)
    const { location } = (await browser.visit('/account/', { headers: { accept: 'text/html' } })).headers
    t.equal(location, '/login?returnTo=%2Faccount%2F')
    t.equal((await browser.visit(String(location), { method: 'POST' })).headers.location, '/account/')
    t.equal((await browser.visit('/account')).body, 'your account')
    t.equal((await browser.visit('/pay', { method: 'POST' })).body, 'paid')
    t.equal((await browser.visit('/admin')).statusCode, 403)
    t.equal((await new Browser(app).visit('/account/')).statusCode, 401)
  }
})

await trySnippets('docs/memory-store.md', {
  async memory (t, app) {
    await app.ready()
    t.equal(app.sessions.stats().size, 0)
  }
})

await trySnippets('docs/testing.md', {
  async age (t, app) {
    t.equal((await app.inject({ url: '/pay', cookies: (await app.sessions.issue({ userId: 42 })).cookies })).statusCode, 200)
  },

  async clock (t, app) {
    t.equal((await (await browserWith(app, { userId: 42 }, Date.now() + 31 * 60_000)).visit('/me')).statusCode, 200)
    t.equal(app.sessions.stats().denied, 1)
  },

  async visit (t, app) {
    t.equal(app.sessions.stats().loaded, 1)
  }
})

await trySnippets('docs/recipes.md', {
  async 'remember-me' (t, app) {
    const browser = new Browser(app)
    t.match((await post(browser, '/login', { userId: 42, remember: true })).headers['set-cookie'], /Max-Age=2592000/)
    t.notMatch((await post(browser, '/login', { userId: 42 })).headers['set-cookie'], /Max-Age/)
  },

  async 'step-up' (t, app) {
    const browser = await browserWith(app, { userId: 42 }, Date.now() - 600_000)
    const before = { ...browser.cookies }
    t.equal((await post(browser, '/email')).statusCode, 401)
    t.equal((await post(browser, '/confirm', { password: 'wrong' })).statusCode, 403)
    t.equal((await post(browser, '/email')).statusCode, 401)
    t.equal((await post(browser, '/confirm', { password: 'right' })).statusCode, 200)
    t.equal((await post(browser, '/email')).statusCode, 200)
    t.equal((await app.inject({ url: '/email', method: 'POST', cookies: before })).statusCode, 401)
  },

  async 'second-factor' (t, app) {
    const login = async () => {
      const browser = new Browser(app)
      await post(browser, '/login', { userId: 42 })
      return browser
    }
    const user = await login()
    t.equal((await post(user, '/login/code', { code: '1' })).statusCode, 401)
    t.equal((await post(user, '/login/code', { code: '123456' })).statusCode, 200)
    t.same((await app.sessions.load(`sid=${user.cookies['sid']}`)).data(), { userId: 42 })
    const guessing = await login()
    const codes = await Promise.all(Array.from({ length: 8 }, (_, index) => post(guessing, '/login/code', { code: String(index) })))
    t.ok(codes.every(({ statusCode }) => statusCode === 401))
    t.equal((await post(guessing, '/login/code', { code: '123456' })).statusCode, 401)
  },

  async cart (t, app) {
    const browser = await browserWith(app, { cart: ['pear', 'fig'], draft: 1 })
    t.same((await post(browser, '/login', { userId: 42 })).json(), { userId: 42, cart: ['apple', 'pear', 'fig'] })
  },

  async 'one-time' (t, app) {
    const browser = new Browser(app)
    await post(browser, '/code')
    const answers = await Promise.all(Array.from({ length: 5 }, () => post(browser, '/redeem', { code: 'a7k2' })))
    t.same(answers.map(({ statusCode }) => statusCode).sort(), [200, 400, 400, 400, 400])
    await post(browser, '/code')
    t.same([(await post(browser, '/redeem', { code: 'guess' })).statusCode, (await post(browser, '/redeem', { code: 'a7k2' })).statusCode], [400, 400])
  },

  async impersonation (t, app) {
    t.equal((await post(await browserWith(app, { userId: 1, role: 'user' }), '/act-as/7')).statusCode, 401)
    t.equal((await post(await browserWith(app, { userId: 1, role: 'admin' }, Date.now() - 660_000), '/act-as/7')).statusCode, 401)
    const admin = await browserWith(app, { userId: 1, role: 'admin' })
    t.equal((await post(admin, '/password')).statusCode, 200)
    await post(admin, '/act-as/7')
    t.same((await app.sessions.load(`sid=${admin.cookies['sid']}`)).data(), { userId: '7', actedBy: 1 })
    t.same([(await post(admin, '/password')).statusCode, (await post(admin, '/act-as/8')).statusCode], [403, 401])
  },

  async tenants (t, app) {
    const browser = new Browser(app)
    const at = (host: string) => ({ headers: { host } })
    await browser.visit('/login', { method: 'POST', ...at('one.example') })
    t.equal((await browser.visit('/me', at('one.example'))).statusCode, 200)
    t.equal((await browser.visit('/me', at('two.example'))).statusCode, 401)
  },

  async background (t, app) {
    const browser = await browserWith(app, { userId: 1 })
    await post(browser, '/export')
    t.equal((await browser.visit('/export')).body, 'running')
    while ((await browser.visit('/export')).body !== 'done') await delay(5)
  }
}, {
  'step-up': async (_t, code) => `const isPasswordOf = async (_user: unknown, password: string) => password === 'right'\n${code}`,
  cart: async (_t, code) => `const cartOf = async (_user: number) => ['apple', 'pear']\n${code}`
})

await trySnippets('docs/troubleshooting.md', {
  async proxy (t, app) {
    const login = await app.inject({ url: '/login', method: 'POST', headers: { 'x-forwarded-proto': 'https' } })
    t.same(login.json(), { protocol: 'https' })
    t.match(login.headers['set-cookie'], /; Secure/)
    t.notMatch((await app.inject({ url: '/login', method: 'POST' })).headers['set-cookie'], /; Secure/)
  },

  async scope (t, app) {
    t.same((await app.inject('/')).json(), { isNew: true })
  }
})

await trySnippets('docs/serverless.md', {
  async lambda (t, app) {
    const login = await app.inject({ url: '/login', method: 'POST', headers: { 'x-forwarded-proto': 'https' } })
    t.match(login.headers['set-cookie'], /^__Host-sid=.*; Secure/)
  }
})

/** Without SQLite of its own Node.js takes a driver's. */
const ownFile: Preparation = async (_t, code) => hasNodeSqlite ? code.replace('./sessions.db', sqlitePath()) : code.replace("{ path: './sessions.db' }", `{ database: openLibsql('${sqlitePath()}') }`).replace('import ', "import { openLibsql } from '../../test/fixtures/sqlite.js'\nimport ")

const survives: Trial = async (t, app) => {
  app.get('/', async ({ session }) => session.update('n', (n) => Number(n ?? 0) + 1))
  const browser = new Browser(app)
  await browser.visit('/')
  t.equal((await browser.visit('/')).body, '2')
}

await trySnippets('docs/sqlite.md', { path: survives, database: survives }, {
  path: ownFile,
  database: async (_t, code) => code.replace('./sessions.db', sqlitePath())
})

/** The snippets make the tables, or find them. */
const onServer: Preparation = async (t, code) => {
  if (needs(t, 'postgres') === null) return null
  process.env.DATABASE_URL = await startPostgres(t)
  return code
}

await trySnippets('docs/postgres.md', { pg: survives, postgres: survives, query: survives }, { pg: onServer, postgres: onServer, query: onServer })

await trySnippets('docs/deploy.md', {
  async shutdown (t, app) {
    const before = process.listenerCount('SIGTERM')
    t.ok(before > 0)
    process.removeAllListeners('SIGTERM').removeAllListeners('SIGINT')
    await app.ready()
  }
})

/** Gives the snippet a key. */
const withKey: Preparation = async (_t, code) => {
  process.env.SESSION_KEY = randomBytes(32).toString('base64')
  return code
}

await trySnippets('docs/encryption.md', {
  async setup (t, app) {
    app.get('/me', async ({ session }) => session.get('userId'))
    const browser = new Browser(app)
    await post(browser, '/login')
    t.equal((await browser.visit('/me')).body, '42')
  },

  async plain (t, app) {
    app.get('/me', async ({ session }) => session.get('userId'))
    t.equal((await (await browserWith(app, { userId: 42 })).visit('/me')).body, '42')
  }
}, { setup: withKey, plain: withKey })

await trySnippets('docs/spa.md', {
  async 'one-site' (t, app) {
    const origin = 'https://shop.example'
    const preflight = await app.inject({ url: '/me', method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'GET' } })
    t.match(preflight, { statusCode: 204, headers: { 'access-control-allow-origin': origin, 'access-control-allow-credentials': 'true' } })
    t.match(await app.inject({ url: '/me', headers: { origin } }), { statusCode: 401, headers: { 'access-control-allow-origin': origin } })
    const browser = new Browser(app)
    await browser.visit('/login', { method: 'POST', headers: { origin, 'sec-fetch-site': 'same-site' } })
    t.same((await browser.visit('/me', { headers: { origin } })).json(), { userId: 42 })
    const again = (from: string) => browser.visit('/login', { method: 'POST', headers: { origin: from, 'sec-fetch-site': 'same-site' } })
    t.same([(await again('https://blog.shop.example')).statusCode, (await again(origin)).statusCode], [403, 200])
  },

  async 'two-sites' (t, app) {
    app.post('/login', async ({ session }) => session.set('userId', 42))
    const login = await app.inject({ url: '/login', method: 'POST', headers: { origin: 'https://app.example', 'sec-fetch-site': 'cross-site' } })
    t.match(login.headers['set-cookie'], /; Secure; Partitioned; SameSite=None$/)
  }
})

t.test('no link in the documents leads nowhere', async (t) => {
  const pages = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'SECURITY.md', 'bench/README.md', ...(await readdir('docs')).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)]
  for (const page of pages) {
    const text = await readDocument(page)
    for (const [, path = '', anchor] of text.matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g)) {
      const target = path === '' ? page : join(dirname(page), path)
      t.ok(existsSync(target), `${page} leads to ${target}`)
      if (anchor !== undefined && target.endsWith('.md') && existsSync(target)) t.ok(anchorsOf(await readDocument(target)).has(anchor), `${page} leads to ${target}#${anchor}`)
    }
  }
})

t.test('every page is reached from the README', async (t) => {
  const readme = await readDocument('README.md')
  for (const name of await readdir('docs')) {
    if (name.endsWith('.md')) t.ok(readme.includes(`docs/${name}`), name)
  }
})

t.test('every warning has a row', async (t) => {
  const [warnings, page] = [await readDocument('lib/warnings.ts'), await readDocument('docs/errors.md')]
  for (const code of new Set(warnings.match(/FST_KEEP_\w+/g))) t.ok(page.includes(`| \`${code}\` |`), code)
})

/** As GitHub makes them of headings. */
function anchorsOf (text: string): Set<string> {
  return new Set([...text.matchAll(/^#{1,6} (.+)$/gm)].map(([, title = '']) => title.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, '').trim().replaceAll(' ', '-')))
}
