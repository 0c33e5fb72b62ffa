// What a logout leaves behind in a browser: the headers. test/browser/after-logout.test.ts has a real one.
import type { OutgoingHttpHeaders } from 'node:http'
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { requireSession, type Session, type SessionOptions } from '../index.js'
import { Browser, buildApp, setCookies } from './fixtures/app.js'
import { everyStore, memoryStore, wrapped } from './fixtures/stores.js'

const BOTH = '"cache", "storage"'

/** An app where the body of a request says what its handler does. */
async function startApp (t: Test, options: SessionOptions = {}): Promise<FastifyInstance> {
  const app = await buildApp(t, { clearSiteData: ['cache', 'storage'], ...options })
  const acts: Record<string, (session: Session) => unknown> = {
    read: (session) => session.get('user'),
    set: (session) => session.set('user', 2),
    destroy: (session) => session.destroy(),
    'destroy and set': (session) => { session.destroy(); session.set('flash', 'bye') },
    'destroy, save and log in': async (session) => { session.destroy(); await session.save(); session.regenerate(); session.set('user', 3) },
    clear: (session) => session.clear(),
    'clear and set': (session) => { session.clear(); session.set('user', 2) },
    remove: (session) => session.remove('user'),
    regenerate: (session) => { session.regenerate(); session.set('user', 2) },
    rotate: (session) => session.rotate()
  }
  app.post('/', async ({ session, body }) => { await acts[String((body as { act: string }).act)]?.(session) })
  return app
}

for (const { kind, makeStore } of everyStore) {
  t.test(`on ${kind}, the answer that ends the session tells the browser to forget the site`, async (t) => {
    const app = await startApp(t, { store: makeStore() })
    const sent = async (act: string) => {
      const { headers } = await app.sessions.issue({ user: 1 })
      const response = await app.inject({ url: '/', method: 'POST', headers, payload: { act } })
      t.equal(response.statusCode, 200, act)
      return response.headers['clear-site-data']
    }
    for (const act of ['destroy', 'destroy and set', 'destroy, save and log in', 'clear']) t.equal(await sent(act), BOTH, act)
    for (const act of ['read', 'set', 'clear and set', 'remove', 'regenerate', 'rotate']) t.equal(await sent(act), undefined, act)
  })
}

t.test('where no session has ended nothing is cleared, so that no other site can make the browser forget this one', async (t) => {
  const app = await startApp(t)
  app.post('/late', async ({ session }) => {
    await app.sessions.revoke(session.sessionId)
    session.destroy()
    session.set('flash', 'bye')
  })
  const { headers } = await app.sessions.issue({ user: 1 })
  for (const act of ['destroy', 'destroy and set', 'clear']) {
    t.equal((await app.inject({ url: '/', method: 'POST', payload: { act } })).headers['clear-site-data'], undefined, act)
  }
  const logOut = () => app.inject({ url: '/', method: 'POST', headers, payload: { act: 'destroy' } })
  t.equal((await logOut()).headers['clear-site-data'], BOTH)
  t.equal((await logOut()).headers['clear-site-data'], undefined, 'a second logout')
  const late = await app.inject({ url: '/late', method: 'POST', headers: (await app.sessions.issue({ user: 1 })).headers })
  t.same([late.headers['clear-site-data'], setCookies(late).length], [undefined, 1], 'a logout that comes late')
})

t.test('a logout that the store is not told of clears the site with the cookie', async (t) => {
  let down = false
  const app = await startApp(t, { store: wrapped(memoryStore(), () => { if (down) throw new Error('down') }) })
  const { headers } = await app.sessions.issue({ user: 1 })
  app.post('/out', async ({ session }) => { session.has('user'); down = true; session.destroy() })
  const response = await app.inject({ url: '/out', method: 'POST', headers })
  t.equal(response.statusCode, 503)
  t.match(setCookies(response), [/Max-Age=0/])
  t.equal(response.headers['clear-site-data'], BOTH)
})

t.test('what the app says itself stays, also on a reply that is written raw', async (t) => {
  const app = await startApp(t)
  app.post('/own', async ({ session }, reply) => { session.destroy(); reply.header('clear-site-data', '"cache"') })
  app.post('/raw', async ({ session }, reply) => {
    session.destroy()
    reply.hijack()
    await session.save()
    reply.raw.writeHead(200, reply.getHeaders() as OutgoingHttpHeaders).end('raw')
  })
  app.post('/rawer', async ({ session }, reply) => {
    session.destroy()
    reply.hijack()
    await session.save()
    reply.raw.end('raw')
  })
  const post = async (url: string) => (await app.inject({ url, method: 'POST', headers: (await app.sessions.issue({ user: 1 })).headers })).headers['clear-site-data']
  t.equal(await post('/own'), '"cache"')
  t.same([await post('/raw'), await post('/rawer')], [BOTH, BOTH])
})

t.test('cookies are cleared when they are named, and what browsers do not know is refused', async (t) => {
  const header = async (kinds: unknown) => {
    const app = await startApp(t, { clearSiteData: kinds as never })
    const { headers } = await app.sessions.issue({ user: 1 })
    return (await app.inject({ url: '/', method: 'POST', headers, payload: { act: 'destroy' } })).headers['clear-site-data']
  }
  t.equal(await header(['cookies', 'cache', 'cache']), '"cookies", "cache"')
  t.equal(await header(undefined), undefined, 'nothing by default')
  const refused: ReadonlyArray<readonly [kinds: unknown, fix: RegExp]> = [
    [[], /leave it out/], ['cache', /give a list/], [true, /give a list/], [['*'], /cookies of the whole domain/], [['Cache'], /browsers know 'cache', 'storage'/], [[1], /browsers know/], [['"cache"'], /browsers know/]
  ]
  for (const [kinds, fix] of refused) await t.rejects(buildApp(t, { clearSiteData: kinds as never }), { code: 'FST_KEEP_INVALID_OPTION', message: fix }, String(kinds))
})

t.test('a guard with noStore keeps its answers out of every cache, and leaves alone what it leaves alone', async (t) => {
  const app = await buildApp(t)
  app.addHook('onRequest', requireSession('user', { noStore: true, redirectTo: '/login', except: ['/health'] }))
  app.get('/', async () => 'home')
  app.get('/own', async (_request, reply) => { reply.header('cache-control', 'private, max-age=60'); return 'own' })
  app.get('/fails', async () => { throw new Error('boom') })
  app.get('/login', async () => 'the form')
  app.get('/health', async () => 'fine')
  app.get('/icon', { config: { session: false } }, async () => 'icon')
  const browser = new Browser(app)
  Object.assign(browser.cookies, (await app.sessions.issue({ user: 1 })).cookies)
  const control = async (url: string) => (await browser.visit(url)).headers['cache-control']
  t.same([await control('/'), await control('/fails'), await control('/own')], ['no-store', 'no-store', 'private, max-age=60'])
  t.same([await control('/login'), await control('/health'), await control('/icon')], [undefined, undefined, undefined])
  t.match((await app.inject({ url: '/', headers: { accept: 'text/html' } })).headers, { location: '/login?returnTo=%2F', 'cache-control': 'no-store' }, 'the way to the login, too')
})

t.test('noStore is true or false, also where a function decides later', async (t) => {
  const app = await buildApp(t)
  app.get('/', { preHandler: requireSession(async () => true, { noStore: true }) }, async () => 'in')
  app.get('/plain', { preHandler: requireSession(async () => true, { noStore: false }) }, async () => 'in')
  t.equal((await app.inject('/')).headers['cache-control'], 'no-store')
  t.equal((await app.inject('/plain')).headers['cache-control'], undefined)
  t.throws(() => requireSession('user', { noStore: 'yes' as never }), { code: 'FST_KEEP_INVALID_OPTION', message: /noStore.*give true or false/ })
})
