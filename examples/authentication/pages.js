// What every page has in common: templates, files, headers, and its own code beside it.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import formbody from '@fastify/formbody'
import helmet from '@fastify/helmet'
import files from '@fastify/static'
import view from '@fastify/view'
import { Eta } from 'eta'
import fastifyPlugin from 'fastify-plugin'

const folder = (name) => fileURLToPath(new URL(name, import.meta.url))

/** By the name of its template in views/: the title, and the file that sends it. */
const pages = {
  home: { title: 'Home', source: 'app.js' },
  login: { title: 'Log in', source: 'app.js' },
  goodbye: { title: 'You are logged out', source: 'app.js' },
  'not-found': { title: 'Not found', source: 'app.js' },
  user: { title: 'Your page', source: 'user-area.js' },
  notes: { title: 'Notes', source: 'user-area.js' },
  devices: { title: 'Your devices', source: 'devices.js' },
  settings: { title: 'Settings', source: 'settings.js' },
  workshop: { title: 'Workshop', source: 'workshop.js' }
}

const links = [
  ['/', 'Home'],
  ['/user', 'Your page'],
  ['/user/notes', 'Notes'],
  ['/devices', 'Devices'],
  ['/settings', 'Settings'],
  ['/workshop', 'Workshop']
]

export default fastifyPlugin(async function (app) {
  await app.register(formbody)
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        connectSrc: ["'self'"],
        imgSrc: ['data:'],
        formAction: ["'self'"],
        baseUri: ["'none'"],
        frameAncestors: ["'none'"]
      }
    },
    strictTransportSecurity: false, // the demo speaks plain http
    referrerPolicy: { policy: 'same-origin' } // 'no-referrer' hides over http that a form is our own
  })
  await app.register(view, { engine: { eta: new Eta() }, root: folder('views'), layout: 'layout.eta', defaultContext: { links }, production: true })
  await app.register(publicFiles)
  for (const page of Object.values(pages)) page.code = readFileSync(folder(page.source), 'utf8')
  app.decorateReply('page', sendPage)
})

/** Renders the template of that name with these values. */
function sendPage (name, values = {}) {
  const { session, url } = this.request
  const email = session.get('email')
  // What is somebody's own stays out of every cache
  if (email) this.header('cache-control', 'no-store')
  return this.view(name, { ...pages[name], ...values, email, flash: session.pop('flash'), path: url.split('?')[0] })
}

/** What is the same for everybody: no session is looked at. */
async function publicFiles (app) {
  app.addHook('onRoute', (route) => { route.config = { ...route.config, session: false } })
  await app.register(files, { root: folder('public'), wildcard: false })
  await app.register(files, {
    root: folder('.'),
    prefix: '/source/',
    decorateReply: false,
    allowedPath: (path) => /^\/[\w-]+\.js$/.test(path),
    setHeaders: (reply) => reply.header('content-type', 'text/plain; charset=utf-8')
  })
}
