// How many files and functions of this package one request crosses, by V8's own
// count of calls: `node bench/hops.js`, after `npm run build`.
import { Session } from 'node:inspector/promises'
import Fastify from 'fastify'
import session, { requireSession } from '../dist/index.js'

const dist = new URL('../dist/', import.meta.url).href
const app = Fastify()
await app.register(session)
app.get('/untouched', async () => 'ok')
app.get('/read', async (request) => request.session.get('user'))
app.get('/guarded', { preHandler: requireSession('user') }, async () => 'ok')
app.get('/write', async (request) => { request.session.set('seen', true) })
app.get('/login', async (request) => {
  request.session.regenerate()
  request.session.set('user', 1)
})

const inspector = new Session()
inspector.connect()
await inspector.post('Profiler.enable')

const { cookies } = await app.sessions.issue({ user: 1 })
const requests = {
  'never looks, no cookie': { url: '/untouched' },
  'never looks, cookie': { url: '/untouched', cookies },
  'reads a key': { url: '/read', cookies },
  'passes a guard': { url: '/guarded', cookies },
  'writes a key': { url: '/write', cookies },
  'logs in, none before': { url: '/login' },
  'logs in over a session': { url: '/login', cookies }
}
for (const request of Object.values(requests).slice(0, 4)) await app.inject(request)

const wanted = process.argv[2]
for (const [title, request] of Object.entries(requests)) {
  await inspector.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false })
  await inspector.post('Profiler.takePreciseCoverage')
  await app.inject(request)
  const { result } = await inspector.post('Profiler.takePreciseCoverage')
  await inspector.post('Profiler.stopPreciseCoverage')
  const ours = result.filter(({ url }) => url.startsWith(dist))
  const called = ours.map(({ url, functions }) => ({ file: url.slice(dist.length), functions: functions.filter(({ ranges }) => ranges[0].count > 0) })).filter(({ functions }) => functions.length > 0)
  const functions = called.flatMap((each) => each.functions)
  const calls = functions.reduce((sum, { ranges }) => sum + ranges[0].count, 0)
  console.log(`${title}: ${called.length} files, ${functions.length} functions, ${calls} calls`)
  if (wanted === title) for (const { file, functions } of called) console.log(`  ${file}: ${functions.map(({ functionName, ranges }) => `${functionName || '(anonymous)'} ${ranges[0].count}`).join(', ')}`)
}
await app.close()
inspector.disconnect()
