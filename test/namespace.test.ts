// Two registrations never open each other's sessions.
import fc from 'fast-check'
import Fastify, { type FastifyInstance } from 'fastify'
import t from 'tap'
import session, { type SessionOptions } from '../index.js'
import { namespaceOf, type Registration } from '../lib/http/namespace.js'
import { everyStore, memoryStore } from './fixtures/stores.js'

const registration = fc.record({
  property: fc.oneof(fc.constantFrom('session', 'admin', 'session:sid'), fc.string({ unit: 'binary' })),
  cookieName: fc.oneof(fc.constantFrom('sid', 'id', 'admin'), fc.string()),
  cookie: fc.record({
    path: fc.oneof(fc.constantFrom('/', '/a', '/a/'), fc.string()),
    domain: fc.constantFrom(undefined, 'example.com', 'a.example.com', 'null')
  })
}) satisfies fc.Arbitrary<Registration>

t.test('no two different registrations have one namespace', (t) => {
  fc.assert(fc.property(registration, registration, (a, b) => {
    const same = JSON.stringify([a.property, a.cookieName, a.cookie]) === JSON.stringify([b.property, b.cookieName, b.cookie])
    return (namespaceOf(a) === namespaceOf(b)) === same
  }), { numRuns: 1000 })
  t.equal(namespaceOf({ property: 'session', cookieName: 'sid', cookie: { path: '/', domain: undefined } }), '')
  const onDomain = (domain: string) => namespaceOf({ property: 'session', cookieName: 'sid', cookie: { path: '/', domain } })
  t.equal(onDomain('.Example.com'), onDomain('example.com'), 'browsers see one domain')
  t.end()
})

async function siblings (first: SessionOptions, second: SessionOptions): Promise<FastifyInstance> {
  const app = Fastify()
  for (const [prefix, options] of [['/a', first], ['/b', second]] as const) {
    app.register(async (scope) => {
      await scope.register(session, options)
      scope.get('/set', async ({ session }) => session.set('user', prefix))
      scope.get('/data', async ({ session }) => session.data())
    }, { prefix })
  }
  await app.ready()
  return app
}

for (const { kind, makeStore } of everyStore) {
  t.test(`sibling scopes on ${kind} do not open each other's sessions`, async (t) => {
    const others: SessionOptions[] = [{ property: 'session', cookie: { name: 'id' } }, { cookie: { path: '/b' } }, { cookie: { domain: 'example.com' } }]
    for (const other of others) {
      const store = makeStore()
      const app = await siblings({ store }, { ...other, store })
      t.teardown(() => app.close())
      const [cookie] = (await app.inject('/a/set')).cookies
      const value = String(cookie?.value)
      t.same((await app.inject({ url: '/a/data', cookies: { sid: value } })).json(), { user: '/a' })
      t.same((await app.inject({ url: '/b/data', cookies: { sid: value, id: value } })).json(), {}, JSON.stringify(other))
    }
  })
}

t.test('two registrations that would share sessions stop the start, and the error says what to write', async (t) => {
  const store = memoryStore()
  await t.rejects(siblings({ store }, { store }), { code: 'FST_KEEP_DUPLICATE_SESSION', message: /register the session once, in the scope around both; or .* cookie: \{ name: 'admin' \}, or a store of its own/ })
  await t.rejects(siblings({ store, cookie: { domain: 'a.example' } }, { store, cookie: { domain: '.A.example' } }), { code: 'FST_KEEP_DUPLICATE_SESSION' })
})

t.test('a store each, or an app each, and all is well', async (t) => {
  const store = memoryStore()
  for (const app of [await siblings({}, {}), await siblings({ store }, {}), await siblings({}, { store })]) await app.close()
  t.pass('all started')
})

t.test('scopes inside each other need two properties and two cookies, in either order', async (t) => {
  const nested = async (order: 'outer first' | 'inner first', options: SessionOptions) => {
    const app = Fastify()
    t.teardown(() => app.close())
    const outer = () => app.register(session)
    const inner = () => app.register(async (scope) => { await scope.register(session, options) })
    for (const register of order === 'outer first' ? [outer, inner] : [inner, outer]) register()
    await app.ready()
  }
  for (const order of ['outer first', 'inner first'] as const) {
    await t.rejects(nested(order, { cookie: { name: 'x' } }), { code: 'FST_KEEP_DUPLICATE_SESSION', message: /request\.session/ }, order)
    await t.rejects(nested(order, { property: 'admin' }), { code: 'FST_KEEP_DUPLICATE_SESSION', message: /the cookie 'sid'/ }, order)
    await t.resolves(nested(order, { property: 'admin', cookie: { name: 'x' } }), order)
  }
})

t.test('@fastify/cookie after the session is explained, in the same scope and inside', async (t) => {
  const { default: cookie } = await import('@fastify/cookie')
  const app = Fastify()
  await app.register(session)
  await t.rejects(async () => { await app.register(cookie) }, { code: 'FST_KEEP_COOKIE_ORDER', message: /before the session, or leave it out/ })
  const other = Fastify()
  await other.register(session)
  other.register(async (scope) => { await scope.register(cookie, { secret: 'x' }) })
  await t.rejects(async () => { await other.ready() }, { code: 'FST_KEEP_COOKIE_ORDER' })
  const fine = Fastify()
  await fine.register(session)
  t.equal(fine.decorate('mine', 1), fine)
  await fine.close()
})
