// @fastify/multipart: uploads of one visitor that arrive at the same time, over sockets.
import { createHash } from 'node:crypto'
import multipart from '@fastify/multipart'
import t, { type Test } from 'tap'
import { requireSession, type SessionStore } from '../../index.js'
import { buildApp } from '../fixtures/app.js'
import { everyStore } from '../fixtures/stores.js'

const digest = (content: Buffer | string): string => createHash('sha256').update(content).digest('hex')

/** Files of sizes that come in one piece and in several. */
const files = Array.from({ length: 12 }, (_, index) => ({ name: `file${index}`, content: String(index).repeat(1 + index * 20_000) }))

function formOf (...parts: ReadonlyArray<{ name: string, content: string }>): FormData {
  const form = new FormData()
  for (const { name, content } of parts) form.append(name, new File([content], `${name}.txt`))
  return form
}

interface Site {
  readonly headers: { cookie: string }
  upload (path: string, form: FormData, headers?: Record<string, string>): Promise<number>
  data (): Promise<Record<string, unknown>>
}

async function openSite (t: Test, store: SessionStore): Promise<Site> {
  const app = await buildApp(t, { store }, { forceCloseConnections: true })
  await app.register(multipart, { limits: { fileSize: 1024 * 1024 } })
  app.addHook('preValidation', requireSession('user'))
  app.get('/data', async ({ session }) => session.data())

  // each file under a key of its own
  app.post('/keys', async (request) => {
    for await (const part of request.parts()) {
      if (part.type === 'file') request.session.set(part.fieldname, digest(await part.toBuffer()))
    }
  })

  // all of them under one
  app.post('/list', async (request) => {
    const file = await request.file()
    if (file === undefined) return
    const sum = digest(await file.toBuffer())
    await request.session.update('uploads', (uploads) => [...(uploads as string[] | undefined ?? []), sum])
    await request.session.update('count', (count) => Number(count ?? 0) + 1)
  })

  const address = await app.listen({ port: 0, host: '127.0.0.1' })
  const { headers } = await app.sessions.issue({ user: 'ann' })
  return {
    headers,
    async upload (path, body, others = headers) {
      const response = await fetch(`${address}${path}`, { method: 'POST', body, headers: others })
      await response.arrayBuffer()
      return response.status
    },
    async data () {
      return (await fetch(`${address}/data`, { headers })).json() as Promise<Record<string, unknown>>
    }
  }
}

for (const { kind, makeStore } of everyStore) {
  t.test(`on ${kind}`, async (t) => {
    await t.test('uploads at the same time that each store a key of their own lose none', async (t) => {
      const { upload, data } = await openSite(t, makeStore())
      t.same(new Set(await Promise.all(files.map((file) => upload('/keys', formOf(file))))), new Set([200]))
      t.same(await data(), { user: 'ann', ...Object.fromEntries(files.map(({ name, content }) => [name, digest(content)])) })
    })

    await t.test('uploads at the same time that update one list and one count lose none', async (t) => {
      const { upload, data } = await openSite(t, makeStore())
      t.same(new Set(await Promise.all(files.map((file) => upload('/list', formOf(file))))), new Set([200]))
      const { uploads, count } = await data() as { uploads: string[], count: number }
      t.equal(count, files.length)
      t.same(uploads.sort(), files.map(({ content }) => digest(content)).sort())
    })

    await t.test('several files in one upload are stored with it', async (t) => {
      const { upload, data } = await openSite(t, makeStore())
      t.equal(await upload('/keys', formOf(...files)), 200)
      t.equal(Object.keys(await data()).length, files.length + 1)
    })

    await t.test('an upload without a session, or one that is too large, stores nothing', async (t) => {
      const { upload, data } = await openSite(t, makeStore())
      const large = { name: 'large', content: 'x'.repeat(1024 * 1024 + 1) }
      t.equal(await upload('/keys', formOf({ name: 'small', content: 'x' }), {}), 401)
      t.equal(await upload('/list', formOf(large)), 413)
      t.same(await data(), { user: 'ann' })
    })
  })
}
