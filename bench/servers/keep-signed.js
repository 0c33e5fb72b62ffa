// This package with a signed cookie, which the others that sign always pay for.
import cookie from '@fastify/cookie'
import session from 'fastify-keep'
import { serve } from '../serve.js'

await serve(async (app) => {
  await app.register(cookie)
  await app.register(session, { secret: 'a secret of at least thirty-two characters' })
}, {
  get: (request, key) => request.session.get(key),
  index: (request, key) => request.session[key],
  set: (request, key, value) => request.session.set(key, value)
})
