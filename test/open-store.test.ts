import Fastify from 'fastify'
import t from 'tap'
import session from '../index.js'
import { MemoryStore } from '../lib/stores/memory/memory-store.js'

/** A memory store that opens like this, and what the app logged. */
async function startWith (open: () => void | Promise<void>) {
  const lines: Array<{ level: number, msg: string }> = []
  const app = Fastify({ logger: { stream: { write: (line: string) => { lines.push(JSON.parse(line)) } } } })
  const store = Object.assign(new MemoryStore(), { open })
  await app.register(session, { store, storeTimeout: 50 })
  return { app, lines }
}

t.test('registration waits for the store to open', async (t) => {
  let isOpen = false
  await startWith(async () => {
    await new Promise(setImmediate)
    isOpen = true
  })
  t.ok(isOpen)
})

t.test('a store that can never work stops the start', async (t) => {
  await t.rejects(startWith(() => { throw new Error('wrong server') }), { message: 'wrong server' })
  await t.rejects(startWith(async () => { throw new Error('wrong server') }), { message: 'wrong server' })
})

t.test('a store that takes too long is not waited for, and its late failure is logged', async (t) => {
  let fail = (_error: Error) => {}
  const { app, lines } = await startWith(() => new Promise((_resolve, reject) => { fail = reject }))
  t.match(lines.pop(), { level: 40, msg: /has not opened in time/ })
  fail(new Error('wrong server'))
  await new Promise(setImmediate)
  t.match(lines.pop(), { level: 50, msg: /cannot be used/, err: { message: 'wrong server' } })
  app.get('/', (request) => { request.session.set('a', 1); return 'on' })
  t.equal((await app.inject('/')).statusCode, 200)
})
