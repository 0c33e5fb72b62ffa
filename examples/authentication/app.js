// A public page, a login, and a part of the site that opens only after it.
import { readFileSync } from 'node:fs'
import Fastify from 'fastify'
import session, { returnPath } from 'fastify-keep'
import devices, { describeDevice } from './devices.js'
import { layout } from './layout.js'
import * as pages from './pages.js'
import settings from './settings.js'
import userArea from './user-area.js'
import { demo, demoUsers } from './users.js'
import experiments from './workshop.js'

const file = (name) => readFileSync(new URL(name, import.meta.url))
const files = {
  '/style.css': ['text/css', file('style.css')],
  '/live.js': ['text/javascript', file('live.js')],
  '/workshop.js': ['text/javascript', file('workshop-client.js')]
}

/** The app, not yet listening. Takes Fastify's options, those of the session as `session`, and the users. */
export function buildApp ({ session: sessionOptions, users = demoUsers(), ...options } = {}) {
  const app = Fastify(options)
  // After a logout browsers forget the pages that they kept, those for the back button too
  app.register(session, { ownerKey: 'email', describe: describeDevice, clearSiteData: ['cache'], ...sessionOptions })
  app.decorateReply('page', sendPage)

  // Other sites cannot post these forms in a user's name: their requests with a session are refused
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (request, body, done) => {
    done(null, Object.fromEntries(new URLSearchParams(body)))
  })

  app.get('/', async (request, reply) => {
    const visits = await request.session.update('visits', (count = 0) => count + 1)
    return reply.page('Home', pages.home({ visits }))
  })

  app.get('/login', (request, reply) => {
    const again = request.session.has('email') && 'To go on, please log in again'
    const returnTo = returnPath(request.query.returnTo, '/user')
    return reply.page('Log in', pages.login({ demo, returnTo, message: again }))
  })

  app.post('/login', async (request, reply) => {
    const { email = '', password, remember, returnTo } = request.body ?? {}
    const next = returnPath(returnTo, '/user')
    if (!await users.isPassword(email, password)) {
      return reply.code(400).page('Log in', pages.login({ demo, returnTo: next, email, message: 'Invalid login data' }))
    }
    const { session } = request
    session.regenerate(['visits'])
    if (remember) session.lifetime({ idle: '30d', absolute: '30d', persistent: true })
    session.set('email', email)
    session.set('flash', 'Welcome, you are logged in')
    return reply.redirect(next, 303)
  })

  app.post('/logout', (request, reply) => {
    request.session.destroy()
    return reply.redirect('/goodbye', 303)
  })

  // Says so without a flash message, which would begin a new session
  app.get('/goodbye', (request, reply) => {
    if (request.session.has('email')) return reply.redirect('/user')
    return reply.page('You are logged out', pages.goodbye())
  })

  // A shield: its guard stands before every route of this plugin
  app.register(userArea, { prefix: '/user' })

  app.register(devices, { prefix: '/devices' })
  app.register(settings, { prefix: '/settings', users })

  app.register(experiments, { prefix: '/workshop' })

  for (const [path, [type, content]] of Object.entries(files)) {
    app.get(path, { config: { session: false } }, (request, reply) => reply.type(type).send(content))
  }

  app.setNotFoundHandler((request, reply) => reply.code(404).page('Not found', pages.notFound()))

  return app
}

function sendPage (title, content) {
  const { session, url } = this.request
  const email = session.get('email')
  // What is somebody's own stays out of every cache
  if (email) this.header('cache-control', 'no-store')
  this.header('content-security-policy', "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
  this.type('text/html; charset=utf-8')
  return this.send(String(layout({ title, content, email, flash: session.pop('flash'), path: url.split('?')[0] })))
}
