// This package as it comes. The number given on the command line is how many
// other sessions live in its store once it is told to fill it.
import session, { MemoryStore } from 'fastify-keep'
import cookie from '@fastify/cookie'
import { small } from '../cases.js'
import { serve } from '../serve.js'

const live = Number(process.argv[2] ?? 0)

await serve(async (app) => {
  await app.register(cookie)
  await app.register(session, { store: new MemoryStore({ maxSessions: 10_000_000 }) })
}, {
  get: (request, key) => request.session.get(key),
  index: (request, key) => request.session[key],
  set: (request, key, value) => request.session.set(key, value)
}, async (app) => {
  for (let count = 0; count < live; count++) await app.sessions.issue(small)
})
