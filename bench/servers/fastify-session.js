// @fastify/session with the defaults of its documentation: every response stores
// the session and sends the cookie. `secure: false` alone, or it does nothing over http.
import cookie from '@fastify/cookie'
import session from '@fastify/session'
import { serve } from '../serve.js'

await serve(async (app) => {
  await app.register(cookie)
  await app.register(session, {
    secret: 'a secret of at least thirty-two characters',
    cookie: { secure: false, httpOnly: true, sameSite: 'lax', path: '/' }
  })
}, {
  get: (request, key) => request.session.get(key),
  index: (request, key) => request.session[key],
  set: (request, key, value) => request.session.set(key, value)
})
