// A public page, a login, and a part of the site that opens only after it.
import Fastify from 'fastify'
import session, { returnPath } from 'fastify-keep'
import devices, { describeDevice } from './devices.js'
import { form } from './forms.js'
import pages from './pages.js'
import settings from './settings.js'
import userArea from './user-area.js'
import { demo, demoUsers } from './users.js'
import experiments from './workshop.js'

/** The app, not yet listening. Takes Fastify's options, those of the session as `session`, and the users. */
export function buildApp ({ session: sessionOptions, users = demoUsers(), ...options } = {}) {
  const app = Fastify(options)
  // After a logout browsers forget the pages that they kept, those for the back button too.
  // Other sites cannot post our forms in a user's name: their requests with a session are refused
  app.register(session, { ownerKey: 'email', describe: describeDevice, clearSiteData: ['cache'], ...sessionOptions })
  app.register(pages)

  // A visitor who only looks gets no session
  app.get('/', async ({ session }, reply) => {
    const visits = session.has('visits') ? await session.update('visits', (count) => count + 1) : undefined
    return reply.page('home', { visits })
  })

  app.post('/visits', ({ session }, reply) => {
    session.visits ??= 0
    return reply.redirect('/', 303)
  })

  app.get('/login', (request, reply) => {
    const again = request.session.has('email') && 'To go on, please log in again'
    return reply.page('login', { demo, returnTo: returnPath(request.query.returnTo, '/user'), message: again })
  })

  app.post('/login', form('email', 'password', 'remember', 'returnTo'), async ({ session, body }, reply) => {
    const { email = '', password = '', remember } = body
    const returnTo = returnPath(body.returnTo, '/user')
    if (!await users.isPassword(email, password)) {
      return reply.code(400).page('login', { demo, returnTo, typed: email, message: 'Invalid login data' })
    }
    session.regenerate(['visits'])
    if (remember) session.lifetime({ idle: '30d', absolute: '30d', persistent: true })
    session.set('email', email)
    session.set('flash', 'Welcome, you are logged in')
    return reply.redirect(returnTo, 303)
  })

  app.post('/logout', (request, reply) => {
    request.session.destroy()
    return reply.redirect('/goodbye', 303)
  })

  // Says so without a flash message, which would begin a new session
  app.get('/goodbye', (request, reply) => {
    if (request.session.has('email')) return reply.redirect('/user')
    return reply.page('goodbye')
  })

  // A shield: its guard stands before every route of this plugin
  app.register(userArea, { prefix: '/user' })

  app.register(devices, { prefix: '/devices' })
  app.register(settings, { prefix: '/settings', users })

  app.register(experiments, { prefix: '/workshop' })

  app.setNotFoundHandler((request, reply) => reply.code(404).page('not-found'))

  return app
}
