// This package on the Redis that the command line names.
import cookie from '@fastify/cookie'
import session from 'fastify-keep'
import { RedisStore } from 'fastify-keep/redis'
import { createClient } from 'redis'
import { serve } from '../serve.js'

const client = await createClient({ url: process.argv[2] }).connect()

await serve(async (app) => {
  await app.register(cookie)
  await app.register(session, { store: new RedisStore({ client }) })
}, {
  get: (request, key) => request.session.get(key),
  index: (request, key) => request.session[key],
  set: (request, key, value) => request.session.set(key, value)
})
