// Every snippet of the README is run, and its tables are held to the code.
import { spawn } from 'node:child_process'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { mkdir, writeFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import * as errors from '../lib/errors.js'
import { Browser } from './fixtures/app.js'
import { freePort } from './fixtures/free-port.js'
import { needs } from './fixtures/needs.js'
import { startRedis } from './fixtures/redis.js'
import { readDocument, trySnippets, type Trial } from './fixtures/snippets.js'

const readme = await readDocument('README.md')
const [options, session, errorsPage, monitoring] = await Promise.all(['options', 'session', 'errors', 'monitoring'].map((page) => readDocument(`docs/${page}.md`))) as [string, string, string, string]

/** What shows that a snippet works. Every snippet has one. */
const trials: Record<string, Trial> = {
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
  async redis (t, app) {
    app.get('/', async ({ session }) => session.update('n', (n) => Number(n ?? 0) + 1))
    const browser = new Browser(app)
    await browser.visit('/')
    t.equal((await browser.visit('/')).body, '2')
  },
  async typescript (t, app) {
    t.equal((await app.inject('/typed')).body, '1')
  },
  async production (t, app) {
    app.get('/set', async ({ session }) => session.set('user', 1))
    app.get('/data', async ({ session }) => session.data())
    const response = await app.inject({ url: '/set', headers: { 'x-forwarded-proto': 'https' } })
    t.match(response.headers['set-cookie'], /^__Host-sid=[^;]+; Path=\/; HttpOnly; Secure; SameSite=Lax$/)
    const cookie = async () => (await app.sessions.issue({ user: 1 })).headers.cookie
    t.same((await app.inject({ url: '/data', headers: { cookie: await cookie() } })).json(), { user: 1 })
    t.same((await app.inject({ url: '/data', headers: { cookie: `${await cookie()}; ${await cookie()}` } })).json(), {})
  },
  async testing (t, app) {
    t.equal(app.sessions.stats().saved, 1)
  }
}

await trySnippets('README.md', trials, {
  async redis (t, code) {
    if (needs(t, 'redis') === null) return null
    process.env.REDIS_URL = (await startRedis(t)).url
    return code
  }
})

t.test('the first snippet is a whole program for plain Node.js, in both kinds of module, and answers as shown', async (t) => {
  const [, snippet = ''] = /<!-- snippet: counter -->\n```ts\n([\s\S]*?)```/.exec(readme) ?? []
  const [, require = ''] = /In CommonJS: `(.+?)`/.exec(readme) ?? []
  const shown = /```console\n\$ curl -i http:\/\/localhost:3000\n([\s\S]*?)```/.exec(readme)?.[1]?.trim().split('\n') ?? []
  const programs = {
    'server.mjs': snippet,
    'server.cjs': `const Fastify = require('fastify')\n${require}\n;(async () => {${snippet.replaceAll(/^import .*$/gm, '')}})()`
  }
  await mkdir('.tap/readme', { recursive: true })
  for (const [name, code] of Object.entries(programs)) {
    const port = await freePort()
    await writeFile(`.tap/readme/${name}`, code.replace('3000', String(port)))
    const server = spawn(process.execPath, [`.tap/readme/${name}`], { stdio: 'inherit', env: { ...process.env, NODE_OPTIONS: '' } })
    t.teardown(() => server.kill())
    const response = await untilAnswered(`http://localhost:${port}`)
    const lines = [`HTTP/1.1 ${response.status} ${response.statusText}`, ...[...response.headers].map(([key, value]) => `${key}: ${value.replace(/sid=[\w-]{64};/, 'sid=…;')}`), '', await response.text()]
    for (const line of shown) t.ok(lines.includes(line), `${name} shows ${line}`)
  }
})

async function untilAnswered (url: string, tries = 500): Promise<Response> {
  try {
    return await fetch(url)
  } catch (error) {
    if (tries === 0) throw error
    await delay(20)
    return untilAnswered(url, tries - 1)
  }
}

t.test('the table of errors lists each code with its status, and no other', (t) => {
  const listed = [...errorsPage.matchAll(/^\| `(FST_KEEP_\w+)` \| (\d+) \|/gm)].map(([, code, status]) => [code, Number(status)])
  const thrown = Object.values(errors).map((TypedError) => {
    const { code, statusCode } = new (TypedError as new () => { code: string, statusCode: number })()
    return [code, statusCode]
  })
  t.same(listed.sort(), thrown.sort())
  t.end()
})

t.test('every option has a row, with its default where it is a plain one', async (t) => {
  const types = await readDocument('types/options.ts')
  const documented = [...types.matchAll(/^ {2}(\w+)\?:/gm)].map(([, name]) => name)
  const rows = new Set([...options.matchAll(/^\| `(?:cookie\.)?(\w+)` \|/gm)].map(([, name]) => name))
  for (const name of documented) if (name !== 'cookie') t.ok(rows.has(name), String(name))
})

t.test('every member of the session is in its table', async (t) => {
  const { SessionMap } = await import('../lib/session/session.js')
  for (const name of Object.getOwnPropertyNames(SessionMap.prototype)) {
    if (name !== 'constructor') t.match(session, new RegExp(`\`${name}[(\`]`), name)
  }
})

t.test('the channels of the guide to monitoring are the ones that exist', (t) => {
  const hear = () => {}
  for (const event of ['created', 'loaded', 'saved', 'regenerated', 'rotated', 'reauthenticated', 'destroyed', 'expired', 'evicted', 'rejected', 'denied', 'conflict', 'store-error']) {
    t.match(monitoring, new RegExp(`:${event}\``))
    subscribe(`fastify-keep:${event}`, hear)
    t.ok(unsubscribe(`fastify-keep:${event}`, hear))
  }
  t.end()
})

t.test('the table of benchmarks holds the figures of the last run', async (t) => {
  const { requests, memory, dataBytes } = JSON.parse(await readDocument('bench/figures.json'))
  const rows = { 'not touched, visitor without a session': 'untouched', read: 'read', write: 'write', 'first write (login)': 'first-write', '20 KB session, one key read': 'large' }
  for (const [title, name] of Object.entries(rows)) {
    const cells = ['limit', 'keep', 'fastify-session-tuned', 'secure-session', 'express-session'].map((variant) => requests[name][variant]?.cpu.toFixed(1) ?? 'does not fit')
    t.ok(readme.includes(`| ${title} | ${cells.join(' | ')} |`), title)
  }
  t.match(readme, `takes ${Math.round(memory.keep['1000000']) - dataBytes} bytes besides its data`)
})
