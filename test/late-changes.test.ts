// Changes that come too late to be saved with the response: each is warned about, and the line says where it was made.
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import type { Session } from '../index.js'
import { buildApp, gate } from './fixtures/app.js'
import { everyStore, memoryStore, wrapped } from './fixtures/stores.js'
import type { SessionStore } from '../types/store.js'

async function start (t: Test, store: SessionStore = memoryStore()): Promise<{ app: FastifyInstance, lines: string[], warnings: string[] }> {
  const lines: string[] = []
  const warnings: string[] = []
  const listen = (warning: Error & { code?: string }) => { warnings.push(String(warning.code)) }
  process.on('warning', listen)
  t.teardown(() => process.off('warning', listen))
  const app = await buildApp(t, { store }, { logger: { level: 'warn', stream: { write: (line: string) => lines.push(line) } } })
  return { app, lines, warnings }
}

function changeLate (session: Session): void {
  session.set('late', 1)
}

const rounds = async (): Promise<void> => { for (let n = 0; n < 5; n++) await new Promise(setImmediate) }

for (const { kind, makeStore } of everyStore) {
  t.test(`a change after the save on ${kind} is warned about each time, with its place`, async (t) => {
    const { app, lines } = await start(t, makeStore())
    app.get('/first', async (request) => { request.session.set('a', 1); return 'x' })
    app.get('/looked', async (request) => request.session.data())
    app.get('/untouched', async () => 'x')
    app.addHook('onSend', async ({ session, url }) => { if (url !== '/saved' && url !== '/later') changeLate(session) })
    app.get('/saved', async (request) => { request.session.set('a', 1); return 'x' })
    const { cookies } = await app.sessions.issue({ user: 1 })
    for (const url of ['/first', '/looked', '/untouched', '/nowhere']) {
      for (const given of [{}, cookies]) {
        lines.length = 0
        await app.inject({ url, cookies: given })
        await rounds()
        t.equal(lines.length, 1, `${url} ${lines.join()}`)
        t.match(lines[0], /the session was changed at .*changeLate .*late-changes\.test.*too late to be saved/)
      }
    }
    lines.length = 0
    await app.inject({ url: '/saved', cookies })
    t.same(lines, [], 'and what is saved is not')
  })

  t.test(`a change after the response on ${kind} is warned about each time, with its place, unless it is saved by hand`, async (t) => {
    const { app, lines } = await start(t, makeStore())
    let session: Session | undefined
    app.get('/', async (request) => { session = request.session; session.get('a'); return 'x' })
    const { cookies } = await app.sessions.issue({ user: 1 })
    for (let n = 0; n < 2; n++) {
      lines.length = 0
      await app.inject({ url: '/', cookies })
      changeLate(session as Session)
      await rounds()
      t.equal(lines.length, 1)
      t.match(lines[0], /changeLate .*late-changes\.test/)
    }
    lines.length = 0
    await app.inject({ url: '/', cookies })
    changeLate(session as Session)
    await session?.save()
    await rounds()
    t.same(lines, [])
    t.equal((await app.sessions.load(`sid=${cookies['sid']}`)).get('late'), 1)
  })
}

t.test('a change while the last save is under way is warned about', async (t) => {
  const saving = gate()
  const { app, lines } = await start(t, wrapped(memoryStore(), (name) => { if (name === 'update') { saving.open(); return rounds() } }))
  app.get('/', async ({ session }) => {
    session.set('a', 1)
    saving.passed.then(() => changeLate(session)).catch(t.threw)
    return 'x'
  })
  const { cookies } = await app.sessions.issue({ user: 1 })
  t.equal((await app.inject({ url: '/', cookies })).statusCode, 200)
  t.equal(lines.length, 1)
  t.match(lines[0], /changeLate/)
})

t.test('of several late changes the first that is not saved is named', async (t) => {
  const { app, lines } = await start(t)
  app.get('/', async ({ session }) => { session.set('a', 1); return 'x' })
  app.addHook('onSend', async ({ session }) => {
    session.set('saved', 1)
    await session.save()
    changeLate(session)
    session.set('another', 1)
  })
  await app.inject('/')
  t.equal(lines.length, 1)
  t.match(lines[0], /changeLate/)
})

t.test('a hijacked reply: a change without a save is warned about, one after the save with its place', async (t) => {
  const { app, lines } = await start(t)
  app.get('/before', async ({ session }, reply) => { session.set('a', 1); reply.hijack(); reply.raw.end('x') })
  app.get('/after', async ({ session }, reply) => { reply.hijack(); changeLate(session); reply.raw.end('x') })
  app.get('/saved', async ({ session }, reply) => { reply.hijack(); session.set('a', 1); await session.save(); reply.raw.end('x') })
  app.get('/then', async ({ session }, reply) => { reply.hijack(); session.set('a', 1); await session.save(); changeLate(session); reply.raw.end('x') })
  app.get('/raw', async ({ session }, reply) => { reply.raw.write('x'); reply.raw.end(); changeLate(session); return reply })
  for (const [url, expected] of [['/before', /sent without saving/], ['/after', /changeLate .*too late/], ['/saved', null], ['/then', /changeLate .*too late/], ['/raw', /changeLate .*too late/]] as const) {
    lines.length = 0
    await app.inject(url)
    await rounds()
    t.equal(lines.length, expected === null ? 0 : 1, `${url} ${lines.join()}`)
    if (expected !== null) t.match(lines[0], expected)
  }
})

t.test('a change after the response has left over a real connection is warned about each time, with its place', async (t) => {
  const { app, lines } = await start(t)
  let sessions: Session[] = []
  let finished = gate()
  app.get('/', async (request, reply) => {
    sessions = [request.session]
    request.session.get('a')
    reply.raw.once('finish', finished.open)
    return 'x'
  })
  const address = await app.listen({ host: '127.0.0.1', port: 0 })
  for (const saved of [false, false, true]) {
    const { headers } = await app.sessions.issue({ user: 1 })
    finished = gate()
    await fetch(address, { headers })
    await finished.passed
    lines.length = 0
    for (const session of sessions) changeLate(session)
    if (saved) await sessions[0]?.save()
    await rounds()
    t.equal(lines.length, saved ? 0 : 1)
    if (!saved) t.match(lines[0], /changeLate .*late-changes\.test.*too late/)
  }
})

t.test('a save by hand that needs a cookie fails once the headers have been sent', async (t) => {
  const { app } = await start(t)
  let code: unknown
  app.get('/', async ({ session }, reply) => {
    reply.hijack()
    reply.raw.writeHead(200)
    session.set('a', 1)
    await session.save().catch((error: { code: string }) => { code = error.code })
    reply.raw.end('x')
  })
  await app.inject('/')
  t.equal(code, 'FST_KEEP_COOKIE_NOT_DELIVERABLE')
  t.equal(app.sessions.stats().created, 0)
})

t.test('a save that fails is an error and no late change', async (t) => {
  const { app, lines, warnings } = await start(t, wrapped(memoryStore(), (name) => { if (name === 'create') throw new Error('down') }))
  app.get('/', async ({ session }) => session.set('a', 1))
  app.get('/by-hand', async ({ session }) => { session.set('a', 1); await session.save().catch(() => {}); return 'x' })
  t.equal((await app.inject('/')).statusCode, 503)
  await rounds()
  t.equal(lines.filter((line) => /could not be saved/.test(line)).length, 1)
  t.notMatch(lines.join(''), /too late|without saving/)
  t.notOk(warnings.includes('FST_KEEP_UNSAVED_SESSION'))
  lines.length = 0
  t.equal((await app.inject('/by-hand')).statusCode, 503, 'it is tried once more with the response')
  t.notMatch(lines.join(''), /too late|without saving/)
})

t.test('where the stack says nothing, the warning says so', async (t) => {
  const { app, lines } = await start(t)
  const { stackTraceLimit } = Error
  t.teardown(() => { Error.stackTraceLimit = stackTraceLimit })
  app.get('/', async () => 'x')
  app.addHook('onSend', async ({ session }) => {
    Error.stackTraceLimit = 0
    changeLate(session)
    Error.stackTraceLimit = stackTraceLimit
  })
  await app.inject('/')
  await rounds()
  t.match(lines, [/the session was changed at an unknown place/])
})
