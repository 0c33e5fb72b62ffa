// What goes wrong with sessions elsewhere, to try out: beside each experiment the same on a naive session.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { EventEmitter } from 'node:events'
import { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import session, { MemoryStore } from 'fastify-keep'

const EVENTS = ['created', 'saved', 'regenerated', 'destroyed', 'expired', 'rejected', 'store-error']

export default async function experiments (app) {
  // A session of its own, so that nothing here logs you out
  const clock = { ahead: 0, now () { return Date.now() + this.ahead } }
  const store = switchable(new MemoryStore({ clock }))
  await app.register(session, { property: 'trial', cookie: { name: 'trial', path: '/workshop' }, idleTimeout: '30m', clock, store })
  const naive = naiveSessions()

  app.get('/', (request, reply) => reply.page('workshop'))

  app.post('/begin', async ({ trial }) => {
    clock.ahead = 0
    trial.regenerate()
    trial.set('count', 0)
    await trial.save()
    naive.set(trial.sessionId, { count: 0 })
    return { sessionId: trial.sessionId }
  })

  // Each of these needs a session that was begun
  const hasBegun = async ({ trial }, reply) => trial.has('count') || reply.code(401).send({ message: 'There is no session: begin one' })

  app.post('/count', { preHandler: hasBegun }, async ({ trial }) => ({ count: await trial.update('count', (count) => count + 1) }))

  app.post('/naive-count', { preHandler: hasBegun }, async ({ trial: { sessionId } }) => {
    const mine = naive.get(sessionId)
    await delay(5)
    mine.count++
    naive.set(sessionId, mine)
    return mine
  })

  // Stores something a second after it began
  app.post('/slow', { preHandler: hasBegun }, async ({ trial }) => {
    const mine = naive.get(trial.sessionId)
    await delay(1000)
    trial.set('slow', true)
    naive.set(trial.sessionId, { ...mine, slow: true })
    return { isKept: await trial.save() }
  })

  app.post('/end', { preHandler: hasBegun }, async ({ trial }) => {
    naive.delete(trial.sessionId)
    trial.destroy()
    return { sessionId: trial.sessionId }
  })

  app.get('/state', async ({ trial, query: { sessionId } }) => ({ keep: trial.data(), naive: naive.get(String(sessionId)) ?? null }))

  app.post('/clock', async ({ body }) => {
    clock.ahead = Math.min(Math.max(Number(body?.minutes) || 0, 0), 60) * 60_000
    return { minutes: clock.ahead / 60_000 }
  })

  app.post('/store', { config: { session: false } }, async ({ body }) => {
    store.isOff = body?.isOff === true
    return { isOff: store.isOff }
  })

  // What each response does to the cookie, by the id that the cookie of its request begins with
  const cookieLines = new EventEmitter().setMaxListeners(0)
  app.addHook('onSend', async ({ cookies }, reply) => {
    const line = [reply.getHeader('set-cookie') ?? []].flat().find((each) => each.startsWith('trial='))
    if (line !== undefined) cookieLines.emit(`of ${cookies.trial?.slice(0, 24)}`, line)
  })

  // Server-sent events: what the package tells of this visitor's session, with the record as it is then
  app.get('/events', ({ trial }, reply) => {
    const { sessionId } = trial
    const stream = new Readable({ read () {} })
    const send = (message) => stream.push(`data: ${JSON.stringify({ ...message, record: store.peek(sessionId) })}\n\n`)
    const showCookie = (line) => send({ cookie: withoutSecret(line) })
    const listeners = EVENTS.map((name) => [`fastify-keep:${name}`, (message) => {
      if (message.sessionId === sessionId) send({ name, reason: message.reason })
    }])
    for (const [channel, listener] of listeners) subscribe(channel, listener)
    cookieLines.on(`of ${sessionId}`, showCookie)
    streams.add(stream)
    stream.once('close', () => {
      for (const [channel, listener] of listeners) unsubscribe(channel, listener)
      cookieLines.off(`of ${sessionId}`, showCookie)
      streams.delete(stream)
    })
    reply.raw.once('close', () => stream.destroy())
    send({ cookie: trial.has('count') ? `trial=${sessionId}…` : 'none' })
    return reply.header('cache-control', 'no-store').type('text/event-stream').send(stream)
  })

  const streams = new Set()
  app.addHook('preClose', async () => { for (const stream of streams) stream.destroy() })
}

/** The line with the id, which is public, and none of the secret behind it. */
function withoutSecret (line) {
  return line.replace(/^(trial=[^;]{24})[^;]*/, '$1…')
}

/** Sessions as many write them: each request reads all of it, and writes all of it back. */
function naiveSessions () {
  const stored = new Map()
  return {
    get: (id) => stored.has(id) ? { ...stored.get(id) } : undefined,
    set: (id, values) => { stored.set(id, { ...values }) },
    delete: (id) => stored.delete(id)
  }
}

/** A store with a switch: off, it fails as one whose server is away. */
function switchable (store) {
  const guarded = (name) => (...args) => {
    if (switched.isOff) throw new Error('connect ECONNREFUSED')
    return store[name](...args)
  }
  const switched = {
    isOff: false,
    peek: (id) => store.read(id)?.values ?? null,
    close: () => store.close()
  }
  for (const name of ['read', 'create', 'update', 'touch', 'destroy']) switched[name] = guarded(name)
  return switched
}
