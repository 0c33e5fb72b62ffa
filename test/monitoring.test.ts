// docs/monitoring.md: its snippets run, and its dashboard asks for what they expose.
import { channel } from 'node:diagnostics_channel'
import { metrics, trace } from '@opentelemetry/api'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import type { Session } from '../index.js'
import { Browser } from './fixtures/app.js'
import { queriesOf, readMetrics } from './fixtures/prometheus.js'
import { readDocument, trySnippets } from './fixtures/snippets.js'
import { telemetry } from './fixtures/telemetry.js'

const dashboard = JSON.parse(await readDocument('docs/grafana-dashboard.json'))
const telemetries = new Map<string, ReturnType<typeof telemetry>>()

/** Something of each kind happens. */
async function liveThrough (app: FastifyInstance): Promise<void> {
  let act: (session: Session) => unknown = () => {}
  app.get('/act', async ({ session }) => { await act(session) })
  app.post('/act', async () => 'x')
  const browser = new Browser(app)
  const visit = async (next: typeof act) => { act = next; await browser.visit('/act') }
  await visit((session) => session.set('a', 1))
  await visit(async (session) => {
    const other = await app.sessions.load(`sid=${browser.cookies['sid']}`)
    await other.update('a', () => 2)
    await session.update('a', () => 3)
  })
  await visit((session) => session.regenerate('all'))
  await browser.visit('/act', { method: 'POST', headers: { 'sec-fetch-site': 'cross-site' } })
  await visit((session) => session.destroy())
  browser.cookies['sid'] = 'nonsense'
  await visit(() => {})
}

await trySnippets('docs/monitoring.md', {
  async stats (t, app) {
    t.same((await app.inject('/health')).json(), { size: 0, rejected: 0, storeErrors: 0 })
  },

  async events (t, app) {
    await app.inject({ url: '/', cookies: { sid: 'nonsense' } })
    t.equal(app.sessions.stats().rejected, 1)
  },

  async audit (t, app) {
    const lines: unknown[] = []
    t.intercept(app.log as unknown as { info: unknown }, 'info', { value: (line: object) => { if ('event' in line) lines.push(line) } })
    app.get('/login', async ({ session }) => session.regenerate())
    const browser = new Browser(app)
    Object.assign(browser.cookies, (await app.sessions.issue({ userId: 1 } as never)).cookies)
    await browser.visit('/login')
    t.match(lines, [{ event: 'regenerated', sessionId: String, previousId: String }])
    t.ok(channel('fastify-keep:denied').hasSubscribers)
  },

  async slow (t, app) {
    const lines: object[] = []
    t.intercept(app.log as unknown as { warn: unknown }, 'warn', { value: (line: object) => { if ('store' in line) lines.push(line) } })
    let [now, step] = [0, 1]
    t.intercept(performance, 'now', { value: () => { now += step; return now } })
    const { sessionId } = await app.sessions.issue()
    t.same(lines, [])
    step = 200
    await app.sessions.revoke(sessionId)
    t.match(lines, [{ store: 'read', outcome: 'done', sessionId, duration: 200 }, { store: 'destroy', outcome: 'done', sessionId, duration: 200 }])
  },

  async opentelemetry (t, app) {
    await liveThrough(app)
    const { points, spans } = telemetries.get('opentelemetry')!
    const asExported = (await points()).map(({ name, unit, attributes }) => ({
      name: `${name.replaceAll('.', '_')}${unit === 's' ? '_seconds' : name.endsWith('live') ? '' : '_total'}`,
      labels: Object.keys(attributes).map((label) => label.replaceAll('.', '_'))
    }))
    for (const { title, metrics, labels } of queriesOf(dashboard)) {
      for (const metric of metrics) {
        const found = asExported.find(({ name }) => name === metric.replace(/_(bucket|sum|count)$/, ''))
        t.ok(found, `${title}: OpenTelemetry has ${metric}`)
        for (const label of labels) t.ok(label === 'le' || found?.labels.includes(label), `${title}: ${metric} has ${label}`)
      }
    }
    t.ok(spans().some(({ name }) => name === 'fastify-keep store.read'))
  },

  async prometheus (t, app) {
    await liveThrough(app)
    const { body, headers } = await app.inject('/metrics')
    t.match(headers['content-type'], 'text/plain; version=0.0.4')
    const samples = readMetrics(body)
    t.ok(samples.every(({ name, value }) => name.startsWith('fastify_keep_') && Number.isFinite(value)), 'every line can be read')
    const value = (name: string, labels: object) => samples.find((sample) => sample.name === name && Object.entries(labels).every(([label, content]) => sample.labels[label] === content))?.value
    const reason = (value: string) => ({ fastify_keep_reason: value })
    t.match({
      created: value('fastify_keep_session_created_total', {}),
      replaced: value('fastify_keep_session_ended_total', reason('replaced')),
      logout: value('fastify_keep_session_ended_total', reason('logout')),
      malformed: value('fastify_keep_session_rejected_total', reason('malformed')),
      denied: value('fastify_keep_session_denied_total', reason('cross-site')),
      conflicts: value('fastify_keep_session_conflicts_total', {}),
      live: value('fastify_keep_session_live', {}),
      conflict: value('fastify_keep_store_call_duration_seconds_count', { fastify_keep_function: 'update', fastify_keep_outcome: 'conflict' })
    }, { created: 2, replaced: 1, logout: 1, malformed: 1, denied: 1, conflicts: 1, live: 0, conflict: 1 })

    for (const { title, expr, metrics, labels, values } of queriesOf(dashboard)) {
      t.ok(metrics.length > 0, `${title} asks for something: ${expr}`)
      for (const metric of metrics) {
        const found = samples.filter(({ name }) => name === metric)
        t.ok(found.length > 0, `${title}: the lines expose ${metric}`)
        for (const label of labels) t.ok(found.some(({ labels }) => label in labels), `${title}: ${metric} has the label ${label}`)
      }
      for (const [label, value] of values) t.ok(['error', 'timeout'].includes(value) && label === 'fastify_keep_outcome', `${label} can be ${value}`)
    }
  },

  async policy (t, app) {
    t.match(app.sessions.policy(), { idleTimeout: 900_000, cookie: { name: '__Host-sid' } })
  }
}, {
  async opentelemetry (t, code) {
    const own = telemetry(t)
    telemetries.set('opentelemetry', own)
    metrics.setGlobalMeterProvider(own.meters)
    trace.setGlobalTracerProvider(own.tracers)
    t.teardown(() => { metrics.disable(); trace.disable() })
    return code
  }
})

t.test('the lines for Prometheus are fifteen', async (t) => {
  const [, lines = ''] = /<!-- snippet: prometheus -->\n```ts\n([\s\S]*?)```/.exec(await readDocument('docs/monitoring.md')) ?? []
  t.equal(lines.split('\n').filter((line) => line !== '').length, 15)
})

t.test('the dashboard uses every metric that is exposed, and names its data source in one place', async (t) => {
  const asked = new Set(queriesOf(dashboard).flatMap(({ metrics }) => metrics.map((metric) => metric.replace(/_(bucket|sum|count)$/, ''))))
  const text = await readDocument('docs/monitoring.md')
  const exposed = ['created_total', 'ended_total', 'rejected_total', 'denied_total', 'conflicts_total', 'live'].map((name) => `fastify_keep_session_${name}`)
  t.same([...asked].sort(), [...exposed, 'fastify_keep_store_call_duration_seconds'].sort())
  t.ok(text.includes('(grafana-dashboard.json)'))
  const ids = dashboard.panels.map(({ id }: { id: number }) => id)
  t.equal(new Set(ids).size, ids.length)
  t.same(new Set(JSON.stringify(dashboard).match(/"uid":"[^"]*"/g)), new Set(['"uid":"${datasource}"', '"uid":"fastify-keep"'])) // eslint-disable-line no-template-curly-in-string
})
