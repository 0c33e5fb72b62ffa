// @fastify/session with the options that save it the most work: nothing is stored
// before something is set, and only what changed is stored again.
import cookie from '@fastify/cookie'
import session from '@fastify/session'
import { serve } from '../serve.js'

await serve(async (app) => {
  await app.register(cookie)
  await app.register(session, {
    secret: 'a secret of at least thirty-two characters',
    saveUninitialized: false,
    rolling: false,
    cookie: { secure: false, httpOnly: true, sameSite: 'lax', path: '/' }
  })
}, {
  get: (request, key) => request.session.get(key),
  index: (request, key) => request.session[key],
  set: (request, key, value) => request.session.set(key, value)
})
