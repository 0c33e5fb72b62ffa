// tRPC's adapter for Fastify: procedures reach the session through `ctx.req`.
import { createTRPCClient, httpBatchLink, httpBatchStreamLink, httpLink, TRPCClientError, type getFetch, type TRPCClient } from '@trpc/client'
import { initTRPC, TRPCError } from '@trpc/server'
import { fastifyTRPCPlugin, type CreateFastifyContextOptions, type FastifyTRPCPluginOptions } from '@trpc/server/adapters/fastify'
import t, { type Test } from 'tap'
import type { SessionStore } from '../../index.js'
import { buildApp, gate } from '../fixtures/app.js'
import { everyStore, recorded } from '../fixtures/stores.js'

const createContext = ({ req, res }: CreateFastifyContextOptions) => ({ req, res })

const { router, procedure, middleware } = initTRPC.context<typeof createContext>().create()

const text = (value: unknown): string => {
  if (typeof value !== 'string') throw new TypeError('not a string')
  return value
}

const loggedIn = procedure.use(middleware(({ ctx, next }) => {
  const user = ctx.req.session.get('user')
  if (typeof user !== 'string') throw new TRPCError({ code: 'UNAUTHORIZED' })
  return next({ ctx: { user } })
}))

/** Opens when the headers of a response have reached the client. */
let answered = gate()

const appRouter = router({
  login: procedure.input(text).mutation(({ ctx, input }) => {
    ctx.req.session.regenerate()
    ctx.req.session.set('user', input)
    ctx.res.header('set-cookie', 'theme=dark')
  }),
  me: loggedIn.query(({ ctx }) => ctx.user),
  count: loggedIn.mutation(({ ctx }) => ctx.req.session.update('count', (count) => Number(count ?? 0) + 1)),
  put: loggedIn.input(text).mutation(({ ctx, input }) => ctx.req.session.set(input, 1)),
  putLate: loggedIn.input(text).mutation(async ({ ctx: { req: { session } }, input }) => {
    await answered.passed
    session.set(input, 1)
    return session.save()
  }),
  data: procedure.query(({ ctx }) => ctx.req.session.data()),
  fail: loggedIn.mutation(({ ctx }) => { ctx.req.session.set('before', 1); throw new TRPCError({ code: 'CONFLICT' }) }),
  logout: procedure.mutation(({ ctx }) => ctx.req.session.destroy())
})

/** A client that keeps cookies as a browser does. */
interface Visitor {
  readonly trpc: TRPCClient<typeof appRouter>
  /** How often it asked the server. */
  requests: number
  readonly cookies: Map<string, string>
}

async function openSite (t: Test, store: SessionStore): Promise<(link?: typeof httpLink | typeof httpBatchLink | typeof httpBatchStreamLink) => Visitor> {
  const app = await buildApp(t, { store }, { forceCloseConnections: true, routerOptions: { maxParamLength: 5000 } })
  await app.register(fastifyTRPCPlugin, {
    prefix: '/trpc',
    trpcOptions: { router: appRouter, createContext } satisfies FastifyTRPCPluginOptions<typeof appRouter>['trpcOptions']
  })
  const url = `${await app.listen({ port: 0, host: '127.0.0.1' })}/trpc`
  return (link = httpBatchLink) => {
    const cookies = new Map<string, string>()
    const send: ReturnType<typeof getFetch> = async (input, init) => {
      visitor.requests++
      const response = await fetch(input, { ...init as RequestInit, headers: { ...init?.headers as Record<string, string>, cookie: [...cookies].map((pair) => pair.join('=')).join('; ') } })
      answered.open()
      for (const line of response.headers.getSetCookie()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
        if (line.includes('Max-Age=0')) cookies.delete(name)
        else cookies.set(name, value)
      }
      return response
    }
    const visitor: Visitor = { trpc: createTRPCClient({ links: [link({ url, fetch: send })] }), requests: 0, cookies }
    return visitor
  }
}

/** What the server said to a call that it refused. */
async function refusal (call: Promise<unknown>): Promise<string | undefined> {
  const error: unknown = await call.then(() => undefined, (error) => error)
  return error instanceof TRPCClientError ? error.data.code : undefined
}

for (const { kind, makeStore } of everyStore) {
  t.test(`on ${kind}`, async (t) => {
    for (const link of [httpLink, httpBatchLink]) {
      await t.test(`a procedure logs in, is protected, and logs out, through ${link.name}`, async (t) => {
        const { trpc, cookies } = (await openSite(t, makeStore()))(link)
        t.equal(await refusal(trpc.me.query()), 'UNAUTHORIZED')
        await trpc.login.mutate('ann')
        t.same([...cookies.keys()].sort(), ['sid', 'theme'], 'what the procedure sets survives beside our own')
        t.equal(await trpc.me.query(), 'ann')
        t.equal(await trpc.count.mutate(), 1)
        t.equal(await trpc.count.mutate(), 2)
        t.equal(await refusal(trpc.fail.mutate()), 'CONFLICT')
        t.same(await trpc.data.query(), { user: 'ann', count: 2, before: 1 })
        await trpc.logout.mutate()
        t.same([...cookies.keys()], ['theme'])
        t.equal(await refusal(trpc.me.query()), 'UNAUTHORIZED')
      })
    }

    await t.test('a batch is one request with one session, saved once beside what is counted at once', async (t) => {
      const { store, calls } = recorded(makeStore())
      const visitor = (await openSite(t, store))()
      const { trpc } = visitor
      await trpc.login.mutate('ann')
      calls.length = 0
      visitor.requests = 0
      await Promise.all([trpc.put.mutate('a'), trpc.count.mutate(), trpc.put.mutate('b'), trpc.count.mutate()])
      t.equal(visitor.requests, 1)
      t.same(calls, ['read', 'update', 'update', 'update'])
      t.same(await trpc.data.query(), { user: 'ann', a: 1, b: 1, count: 2 })
    })

    await t.test('a batch answers each call for itself, with the session or without', async (t) => {
      const { trpc } = (await openSite(t, makeStore()))()
      t.same(await Promise.all([refusal(trpc.me.query()), trpc.data.query()]), ['UNAUTHORIZED', {}])
    })

    await t.test('in a streamed batch the headers leave first, and what is stored then is saved by hand', async (t) => {
      const newVisitor = await openSite(t, makeStore())
      const [visitor, streaming] = [newVisitor(), newVisitor(httpBatchStreamLink)]
      await visitor.trpc.login.mutate('ann')
      for (const pair of visitor.cookies) streaming.cookies.set(...pair)
      answered = gate()
      t.same(await Promise.all([streaming.trpc.putLate.mutate('a'), streaming.trpc.putLate.mutate('b')]), [true, true])
      t.same(await visitor.trpc.data.query(), { user: 'ann', a: 1, b: 1 })
    })

    await t.test('calls at the same time that are not batched lose nothing', async (t) => {
      const visitor = (await openSite(t, makeStore()))(httpLink)
      const { trpc } = visitor
      await trpc.login.mutate('ann')
      visitor.requests = 0
      await Promise.all(Array.from({ length: 10 }, () => trpc.count.mutate()))
      t.equal(visitor.requests, 10)
      t.same(await trpc.data.query(), { user: 'ann', count: 10 })
    })
  })
}
