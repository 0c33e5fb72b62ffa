// @fastify/session with connect-redis on the Redis that the command line names,
// with the options that save it the most work.
import cookie from '@fastify/cookie'
import session from '@fastify/session'
import { RedisStore } from 'connect-redis'
import { createClient } from 'redis'
import { serve } from '../serve.js'

const client = await createClient({ url: process.argv[2] }).connect()

await serve(async (app) => {
  await app.register(cookie)
  await app.register(session, {
    secret: 'a secret of at least thirty-two characters',
    saveUninitialized: false,
    rolling: false,
    store: new RedisStore({ client }),
    cookie: { secure: false, httpOnly: true, sameSite: 'lax', path: '/' }
  })
}, {
  get: (request, key) => request.session.get(key),
  index: (request, key) => request.session[key],
  set: (request, key, value) => request.session.set(key, value)
})
