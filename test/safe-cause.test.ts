// What a failing store may say: where, what and which code, and nothing of the session.
import { channel } from 'node:diagnostics_channel'
import { inspect } from 'node:util'
import t, { type Test } from 'tap'
import { safeCause, shownAnswer } from '../lib/store/safe-cause.js'
import type { SessionStore } from '../types/store.js'
import { buildApp } from './fixtures/app.js'
import { memoryStore, wrapped } from './fixtures/stores.js'

const SECRET = 'ya29.SUPERSECRET'

/** An error as ioredis makes it: the whole command is on it. */
function replyError (message: string, args: readonly unknown[]): Error {
  return Object.assign(new Error(message), { name: 'ReplyError', code: 'OOM', command: { name: 'evalsha', args } })
}

const leaks: Record<string, () => unknown> = {
  'with the command on it': () => replyError('OOM command not allowed', ['k', SECRET]),
  'in its cause': () => new Error('failed', { cause: replyError('OOM', [SECRET]) }),
  'in the cause of its cause': () => new Error('failed', { cause: new Error('OOM', { cause: replyError('OOM', [SECRET]) }) }),
  'in one of several errors': () => new AggregateError([replyError('OOM', [SECRET])], 'all failed'),
  'in its message, as Redis echoes it': () => new Error(`ERR unknown command 'FOO', with args beginning with: 'a' '${SECRET}' '{"x`),
  'in its message, quoted': () => new Error(`cannot write '${SECRET}'`),
  'in its message, in the middle': () => new Error(`cannot write ${SECRET} now`),
  'in its message, as JSON.parse quotes it': () => { try { return JSON.parse(`{"a":${SECRET}`) } catch (error) { return error } },
  'in its message, as JSON': () => new Error(`cannot write ${JSON.stringify({ a: { b: SECRET } })}`),
  'in its message, as PostgreSQL quotes it': () => new Error(`invalid input syntax for type json: ${SECRET}`),
  'as a string': () => `failed for "${SECRET}"`,
  'in a class of its own': () => new (class extends Error { values = SECRET; override name = `Error of ${SECRET}!`; toJSON () { return SECRET } })('failed'),
  'in its stack': () => Object.assign(new Error('failed'), { stack: `Error: ${SECRET}\n    at here (file.js:1:1)` }),
  'in its code': () => Object.assign(new Error('failed'), { code: `E ${SECRET}` }),
  'in an object that is no error': () => ({ args: [SECRET], message: 5 }),
  'in a loop of causes': () => { const error = replyError('OOM', [SECRET]); error.cause = error; return error },
  'behind getters that throw': () => Object.defineProperties(new Error('x'), { message: { get () { throw new Error(SECRET) } }, code: { get () { throw new Error(SECRET) } } })
}

async function start (t: Test, make: () => unknown, how: 'throws' | 'rejects') {
  const lines: string[] = []
  const store: SessionStore = {
    ...wrapped(memoryStore(), () => {}),
    create: how === 'throws' ? () => { throw make() } : () => Promise.reject(make())
  }
  const app = await buildApp(t, { store }, { logger: { level: 'trace', stream: { write: (line: string) => lines.push(line) } } })
  const heard: unknown[] = []
  const hear = (message: unknown) => { heard.push(message) }
  channel('fastify-keep:store-error').subscribe(hear)
  t.teardown(() => channel('fastify-keep:store-error').unsubscribe(hear))
  app.get('/', async ({ session }) => session.set('access', SECRET))
  app.addHook('onError', async (request, _reply, error) => { request.log.error({ err: error, error, cause: error.cause }, 'as an app logs it') })
  return { app, lines, heard }
}

for (const [where, make] of Object.entries(leaks)) {
  for (const how of ['throws', 'rejects'] as const) {
    t.test(`a store that ${how} an error with session data ${where} puts none of it into logs, events and answers`, async (t) => {
      const { app, lines, heard } = await start(t, make, how)
      const response = await app.inject('/')
      t.match(response.json(), { statusCode: 503, code: 'FST_KEEP_STORE' })
      t.match(lines.join(''), /store\.create\(\) failed: /, 'the log names the function')
      t.match(heard, [{ sessionId: null, error: { code: 'FST_KEEP_STORE', cause: { message: /^store\.create\(\) failed: / } } }])
      const shown = lines.join('') + response.body + inspect(heard, { depth: 20, showHidden: true }) + JSON.stringify(heard)
      t.notMatch(shown, /SUPERSECRET/)
    })
  }
}

t.test('what helps to find the cause stays', (t) => {
  const refused = Object.assign(new AggregateError([Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:6379'), { code: 'ECONNREFUSED' })], ''), { code: 'ECONNREFUSED' })
  const cause = safeCause('store.read()', refused) as AggregateError & { code: string }
  t.equal(cause.message, 'store.read() failed: ECONNREFUSED')
  t.equal(cause.code, 'ECONNREFUSED')
  t.match(cause.errors, [{ message: 'connect ECONNREFUSED 127.0.0.1:6379', code: 'ECONNREFUSED' }])
  t.match(cause.stack, /safe-cause\.test/)
  const redis = safeCause('store.read()', replyError("WRONGTYPE Operation against a key, command 'HGETALL'", []))
  t.match(redis, { name: 'ReplyError', code: 'OOM', message: "store.read() failed: WRONGTYPE Operation against a key, command 'HGETALL'" })
  t.match(safeCause('store.read()', Object.assign(new Error(''), { code: 5 })).message, 'store.read() failed: 5')
  t.equal(safeCause('store.read()', new Error('')).message, 'store.read() failed: Error')
  t.equal(safeCause('store.read()', undefined).message, 'store.read() failed: it threw undefined, which is no error')
  t.ok(safeCause('store.read()', new Error('x '.repeat(9999))).message.length < 400, 'within bounds')
  t.equal(safeCause('store.update()', new Error('one alpha, one alphabet'), () => ['"alpha"', '"alphabet"', 'true', '1']).message, 'store.update() failed: one …, one …')
  t.equal(safeCause('store.update()', new Error("can't reach 'alpha', don't know"), () => ['"alpha"']).message, "store.update() failed: can't reach '…', don't know")
  t.end()
})

t.test('a store that answers with nonsense is told what its function must answer', async (t) => {
  for (const [answer, shown] of [[42, '42'], [undefined, 'undefined'], [null, 'null'], ['OK', "'OK'"], [SECRET, 'a string of 16 characters'], [[SECRET], 'an array'], [{ SECRET }, 'an object']] as const) {
    const store = { ...wrapped(memoryStore(), () => {}), create: () => answer as never }
    const app = await buildApp(t, { store })
    app.setErrorHandler((error: Error, _request, reply) => reply.code(503).send((error.cause as Error).message))
    app.get('/', async ({ session }) => session.set('a', 1))
    t.equal((await app.inject('/')).body, `store.create() must answer with a boolean; it answered ${shown}`)
  }
  t.same([() => 1, 5n, Symbol('a'), true].map(shownAnswer), ['a function', 'a bigint', 'a symbol', 'true'])
})

t.test('a store that is too slow is named', async (t) => {
  const app = await buildApp(t, { store: { ...wrapped(memoryStore(), () => {}), create: () => new Promise<never>(() => {}) }, storeTimeout: 5 })
  app.setErrorHandler((error: Error, _request, reply) => reply.code(503).send((error.cause as Error).message))
  app.get('/', async ({ session }) => session.set('a', 1))
  t.equal((await app.inject('/')).body, 'store.create() did not answer within 5 ms')
})

t.test('answers that are no promises, and misbehave as one', async (t) => {
  const answers: Record<string, () => unknown> = {
    'a getter that throws': () => Object.defineProperty({}, 'then', { get () { throw new Error('then') } }),
    'a then that throws': () => ({ then () { throw new Error('then') } }),
    'a then that rejects with nothing': () => ({ then (_resolve: unknown, reject: () => void) { reject() } }),
    'a then that answers with a promise that rejects': () => ({ then (resolve: (answer: unknown) => void) { resolve(Promise.reject(new Error('later'))) } })
  }
  for (const [title, create] of Object.entries(answers)) {
    const app = await buildApp(t, { store: { ...wrapped(memoryStore(), () => {}), create: create as never } })
    app.get('/', async ({ session }) => session.set('a', 1))
    t.match((await app.inject('/')).json(), { statusCode: 503, code: 'FST_KEEP_STORE' }, title)
    t.equal(app.sessions.stats().storeErrors, 1)
  }
})
