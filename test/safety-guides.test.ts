// The snippets of docs/cross-site.md, docs/after-logout.md and docs/validate.md run.
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import Fastify, { type FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import { WebSocket } from 'ws'
import { Browser, setCookies } from './fixtures/app.js'
import { startBrowser } from './fixtures/browser.js'
import { needs } from './fixtures/needs.js'
import { trySnippets } from './fixtures/snippets.js'

const foreign = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }

/** The app's address, with a parser of forms. */
async function listen (app: FastifyInstance): Promise<string> {
  await app.listen({ port: 0, host: '127.0.0.1' })
  return `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
}

/** Where the page of the provider sends its form, and with which state where that is not the one it was given. */
const provider: { callback: string, state: string | null } = { callback: '', state: null }

/** An identity provider on another site, whose user has agreed before. */
async function startFormProvider (t: Test): Promise<string> {
  const app = Fastify({ forceCloseConnections: true })
  t.teardown(() => app.close())
  app.get('/authorize', async (request, reply) => {
    const { state } = request.query as { state: string }
    return reply.type('text/html').send(`<form method="post" action="${provider.callback}"><input name="state" value="${provider.state ?? state}"><input name="code" value="ann"></form><script>document.forms[0].submit()</script>`)
  })
  await app.listen({ port: 0, host: 'localhost' })
  return `http://localhost:${(app.server.address() as AddressInfo).port}`
}

await trySnippets('docs/cross-site.md', {
  async trusted (t, app) {
    const { headers } = await app.sessions.issue({ items: 1 })
    const post = (url: string, more: object) => app.inject({ url, method: 'POST', headers: { ...headers, ...more } })
    t.equal((await post('/cart', foreign)).statusCode, 403)
    t.equal((await post('/cart', { ...foreign, origin: 'https://app.example.com' })).body, '2')
    t.equal((await post('/payment/done', foreign)).headers.location, '/cart')
  },

  async 'form-post' (t, app) {
    const executable = needs(t, 'chromium')
    if (executable === null) return
    app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) => { done(null, Object.fromEntries(new URLSearchParams(body as string))) })
    app.get('/account', async ({ session }) => session.get('userId') ?? 'nobody')
    const origin = await listen(app)
    const profile = await (await startBrowser(t, executable)).newContext()
    t.teardown(() => profile.close())
    const page = await profile.newPage()
    provider.callback = `${origin}/callback`
    for (const forged of [true, false]) {
      provider.state = forged ? 'forged' : null
      const answered = page.waitForResponse((response) => response.url() === `${origin}/callback`)
      await page.goto(`${origin}/login`)
      const response = await answered
      t.match(await response.request().allHeaders(), { 'sec-fetch-site': 'cross-site' })
      t.equal(response.status(), forged ? 403 : 303)
    }
    await page.waitForURL(`${origin}/account`)
    t.match(await page.content(), 'user ann')
    t.equal((await app.inject({ url: '/callback', method: 'POST', payload: {} })).statusCode, 403)
  },

  async 'own-server' (t, app) {
    const origin = await listen(app)
    const { headers: { cookie } } = await app.sessions.issue({ userId: 1 })
    const open = async (headers: object) => {
      const socket = new WebSocket(origin.replace('http', 'ws'), { headers: { ...headers } })
      t.teardown(() => socket.terminate())
      const [message] = await once(socket, 'message')
      return String(message)
    }
    t.equal(await open({ cookie }), 'welcome')
    t.equal(await open({ cookie, origin: 'https://app.example.com' }), 'welcome')
    await t.rejects(open({ cookie, origin: 'https://evil.example' }), { message: /403/ })
    await t.rejects(open({ origin: 'https://app.example.com' }), { message: /401/ })
  }
}, {
  'form-post': async (t, code) => code
    .replace('https://provider.example', await startFormProvider(t))
    .replace('__Host-handshake', 'handshake') // browsers want https for the prefix, on localhost too
    .replace(/declare function userOf.*\n/, "const userOf = async (code?: string) => 'user ' + code\n")
})

await trySnippets('docs/after-logout.md', {
  async production (t, app) {
    const https = { 'x-forwarded-proto': 'https' }
    const [line] = setCookies(await app.inject({ url: '/login', method: 'POST', headers: https }))
    t.match(line, /^__Host-sid=[^;]+; Path=\/; HttpOnly; Secure; SameSite=Lax$/)
    const headers = { ...https, cookie: String(line).split(';')[0] }
    t.match((await app.inject({ url: '/account', headers })).headers, { 'cache-control': 'no-store' })
    t.match((await app.inject({ url: '/logout', method: 'POST', headers })).headers, { 'clear-site-data': '"cache", "storage"' })
    t.equal((await app.inject({ url: '/account', headers })).statusCode, 401)
  }
})

await trySnippets('docs/validate.md', {
  async network (t, app) {
    const phone = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0'
    const desk = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/140.0'
    const browser = new Browser(app)
    const visit = async (address: string, agent: string, url = '/account', method: 'GET' | 'POST' = 'GET') => browser.visit(url, { method, remoteAddress: address, headers: { 'user-agent': agent } })
    await visit('10.1.0.1', phone, '/login', 'POST')
    const login = browser.cookies['sid']
    t.equal((await visit('10.1.200.9', phone.replaceAll('18', '19'))).body, 'your account')
    t.equal(browser.cookies['sid'], login, 'another address of the network and another version are no difference')
    for (const address of ['172.16.0.1', '::ffff:172.17.0.1', '2001:db8:1::1']) {
      const before = browser.cookies['sid']
      t.equal((await visit(address, phone)).body, 'your account', 'a phone that moves stays logged in')
      t.not(browser.cookies['sid'], before, 'with a new cookie')
      const settled = browser.cookies['sid']
      await visit(address, phone)
      t.equal(browser.cookies['sid'], settled, 'once')
    }
    t.equal((await visit('2001:db8:1:2::9', phone, '/pay', 'POST')).body, 'paid')
    const before = browser.cookies['sid']
    t.equal((await visit('192.0.2.1', desk)).body, 'your account')
    t.equal((await visit('192.0.2.1', desk, '/pay', 'POST')).statusCode, 401)
    t.equal(browser.cookies['sid'], before, 'a stranger gets no new cookie')
    t.equal((await visit('2001:db8:1::1', phone, '/pay', 'POST')).statusCode, 401, 'and the user is asked for the password')
    await visit('2001:db8:1::1', phone, '/confirm', 'POST')
    t.equal((await visit('2001:db8:1::1', phone, '/pay', 'POST')).body, 'paid')
    const stolen = await app.inject({ url: '/account', cookies: { sid: String(before) }, remoteAddress: '192.0.2.1' })
    t.equal(stolen.statusCode, 401, 'the old cookie is dead')
  }
})
