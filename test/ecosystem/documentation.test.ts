// Every snippet of docs/ecosystem.md is run.
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import Fastify, { type FastifyInstance, type LightMyRequestResponse } from 'fastify'
import t, { type Test } from 'tap'
import ts from 'typescript'
import { WebSocket } from 'ws'
import { Browser } from '../fixtures/app.js'
import { freePort } from '../fixtures/free-port.js'
import { startProvider } from '../fixtures/oauth-provider.js'
import { readDocument, trySnippets, type Preparation, type Trial } from '../fixtures/snippets.js'
import { WebBrowser } from '../fixtures/web-browser.js'

const post = (payload: object = {}) => ({ method: 'POST', payload }) as const

async function visitorOf (app: FastifyInstance, values: Record<string, unknown> = { userId: 42 }): Promise<Browser> {
  const browser = new Browser(app)
  Object.assign(browser.cookies, (await app.sessions.issue(values)).cookies)
  return browser
}

async function listen (app: FastifyInstance): Promise<string> {
  return app.server.listening ? addressOf(app) : app.listen({ port: 0, host: '127.0.0.1' })
}

function addressOf (app: FastifyInstance): string {
  return `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
}

async function openSocket (t: Test, app: FastifyInstance, path: string, headers: object = {}): Promise<WebSocket> {
  const socket = new WebSocket(`${(await listen(app)).replace('http', 'ws')}${path}`, { headers: { ...headers } })
  t.teardown(() => socket.terminate())
  return socket
}

async function refuses (t: Test, app: FastifyInstance, path: string): Promise<void> {
  await t.rejects(once(await openSocket(t, app, path), 'open'), { message: /401/ })
}

const trials: Record<string, Trial> = {
  async order (t, app) {
    await app.ready()
    t.ok(app.hasReplyDecorator('flash') && app.hasReplyDecorator('generateCsrf'))
  },

  async dependencies (t, app) {
    t.equal((await app.inject('/theirs')).body, 'nobody')
    t.equal((await (await visitorOf(app)).visit('/theirs')).body, '42')
  },

  async passport (t, app) {
    const browser = new Browser(app)
    t.equal((await browser.visit('/login', post({ username: 'ann', password: 'wrong' }))).headers.location, '/login')
    t.equal((await browser.visit('/me')).statusCode, 401)
    t.equal((await browser.visit('/login', post({ username: 'ann', password: 'correct horse' }))).headers.location, '/me')
    t.same((await browser.visit('/me')).json(), { name: 'ann' })
    await browser.visit('/logout', post())
    t.same(browser.cookies, {})
  },

  async csrf (t, app) {
    const browser = new Browser(app)
    const pay = async (token: string) => (await browser.visit('/pay', { method: 'POST', headers: { 'csrf-token': token } })).statusCode
    const tokenOf = (response: LightMyRequestResponse): string => response.json().token
    const before = tokenOf(await browser.visit('/token'))
    t.equal(await pay(before), 200)
    const after = tokenOf(await browser.visit('/login', post()))
    t.same([await pay(before), await pay(after)], [403, 200])
  },

  async flash (t, app) {
    const browser = new Browser(app)
    t.same((await browser.visit('/')).json(), [])
    t.same(browser.cookies, {})
    await browser.visit('/save', post())
    t.same((await browser.visit('/')).json(), ['Saved'])
    t.same((await browser.visit('/')).json(), [])
  },

  async grant (t, app) {
    app.get('/', async ({ session }) => session.data())
    await app.listen({ port: Number(process.env.GRANT_PORT), host: '127.0.0.1' })
    const browser = new WebBrowser()
    const home = await browser.click((await browser.enter(`${addressOf(app)}/connect/accounts`)).body)
    t.same(JSON.parse(home.body), { token: 'token of ann for shop' })
    t.match(await browser.enter(`${addressOf(app)}/arrived`), { status: 403 }, 'regenerate dropped the state')
  },

  async oauth2 (t, app) {
    app.get('/', async ({ session }) => session.data())
    const address = await listen(app)
    const browser = new WebBrowser()
    const home = await browser.click((await browser.enter(`${address}/login`)).body)
    t.same(JSON.parse(home.body), { token: 'token of ann for shop' })
  },

  async websocket (t, app) {
    app.get('/logout', async ({ session }) => session.destroy())
    await refuses(t, app, '/chat')
    const { headers } = await app.sessions.issue({ userId: 42 })
    const socket = await openSocket(t, app, '/chat', headers)
    await once(socket, 'open')
    socket.send('hello')
    t.equal(String((await once(socket, 'message'))[0]), 'saved')
    t.match((await app.sessions.load(headers.cookie)).data(), { draft: 'hello' })
    await app.inject({ url: '/logout', headers })
    socket.send('hello?')
    t.equal((await once(socket, 'close'))[0], 4401)
  },

  async upgrade (t, app) {
    await refuses(t, app, '/')
    const socket = await openSocket(t, app, '/', (await app.sessions.issue({ userId: 42 })).headers)
    t.equal(String((await once(socket, 'message'))[0]), 'hello 42')
    t.intercept(app.sessions, 'load', { value: async () => { throw new Error('the store failed') } })
    await t.rejects(once(await openSocket(t, app, '/'), 'open'), { message: /503/ })
  },

  async 'hang-up' (t, app) {
    app.get('/logout', async ({ session }) => session.destroy())
    await refuses(t, app, '/news')
    const { headers } = await app.sessions.issue({ userId: 42 })
    const socket = await openSocket(t, app, '/news', headers)
    t.equal(String((await once(socket, 'message'))[0]), 'welcome')
    const closed = once(socket, 'close')
    await app.inject({ url: '/logout', headers })
    t.equal((await closed)[0], 4401)
  },

  async files (t, app) {
    t.equal((await app.inject('/private/report.txt')).statusCode, 401)
    const { body, headers } = await (await visitorOf(app)).visit('/private/report.txt')
    t.same([body, headers['cache-control']], ['all is well', 'private, no-cache'])
  },

  async proxy (t, app) {
    t.equal((await app.inject('/api/whoami')).statusCode, 401)
    const browser = await visitorOf(app)
    t.same((await browser.visit('/api/whoami', { headers: { 'x-user-id': '1' } })).json(), { user: '42', cookie: null })
  },

  async uploads (t, app) {
    const form = new FormData()
    form.append('a', new File(['12345'], 'a.txt'))
    form.append('b', new File(['678'], 'b.txt'))
    const upload = new Request('http://localhost', { method: 'POST', body: form })
    const options = { method: 'POST' as const, payload: Buffer.from(await upload.arrayBuffer()), headers: { 'content-type': String(upload.headers.get('content-type')) } }
    t.equal((await app.inject({ url: '/upload', ...options })).statusCode, 401)
    t.same((await (await visitorOf(app)).visit('/upload', options)).json(), { bytes: 8 })
  },

  async trpc (t, app) {
    const browser = new Browser(app)
    t.equal((await browser.visit('/trpc/me')).statusCode, 401)
    await browser.visit('/trpc/login', { method: 'POST', headers: { 'content-type': 'application/json' } })
    t.same((await browser.visit('/trpc/me')).json(), { result: { data: { userId: 42 } } })
  },

  async nest (t, app) {
    const browser = new Browser(app)
    t.equal((await browser.visit('/account')).statusCode, 403)
    await browser.visit('/account/login', post())
    t.same((await browser.visit('/account')).json(), { userId: 42 })
    await browser.visit('/account/logout', post())
    t.same(browser.cookies, {})
  }
}

const preparations: Record<string, Preparation> = {
  async grant (t, code) {
    const port = process.env.GRANT_PORT = String(await freePort())
    return code.replaceAll('https://accounts.example', await startProvider(t)).replace('https://shop.example', `http://127.0.0.1:${port}`)
  },

  oauth2: async (t, code) => code.replaceAll('https://accounts.example', await startProvider(t)),

  files: async (t, code) => code.replace('import.meta.dirname', JSON.stringify(t.testdir({ private: { 'report.txt': 'all is well' } }))),

  async proxy (t, code) {
    const upstream = Fastify({ forceCloseConnections: true })
    t.teardown(() => upstream.close())
    upstream.get('/whoami', async ({ headers }) => ({ user: headers['x-user-id'], cookie: headers.cookie ?? null }))
    return code.replace('http://127.0.0.1:4000', await upstream.listen({ port: 0, host: '127.0.0.1' }))
  },

  // Nest's decorators are those that TypeScript had first, and its Session is not ours
  async nest (_t, code) {
    await import('../fixtures/nest.js')
    const compilerOptions = { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext, experimentalDecorators: true, emitDecoratorMetadata: true }
    return ts.transpileModule(code.replace('type Session, ', ''), { compilerOptions }).outputText
  }
}

await trySnippets('docs/ecosystem.md', trials, preparations)

t.test('the settings for TypeScript are the ones that the type tests run with', async (t) => {
  const text = await readDocument('docs/ecosystem.md')
  const read = (name: string) => readDocument(`test/types/beside-flash/${name}`)
  const { compilerOptions: { paths } } = JSON.parse(/```json\n([\s\S]*?)```/.exec(text)?.[1] ?? '')
  t.same(paths, JSON.parse(await read('tsconfig.json')).compilerOptions.paths)
  t.ok(text.includes(`\`${(await read('secure-session.d.ts')).trim()}\``))
})
