// @fastify/secure-session: the values travel in the cookie, encrypted.
import { randomBytes } from 'node:crypto'
import session from '@fastify/secure-session'
import { serve } from '../serve.js'

await serve((app) => app.register(session, {
  key: randomBytes(32),
  cookie: { httpOnly: true, sameSite: 'lax', path: '/' }
}), {
  get: (request, key) => request.session.get(key),
  index: (request, key) => request.session[key],
  set: (request, key, value) => request.session.set(key, value)
})
