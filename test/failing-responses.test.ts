// Whatever fails behind our hooks ends as it does with async hooks of Fastify's own: in
// one response, never in the end of the process. Over a listening server, in a process of its own.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import type { Seen } from './fixtures/failing-responses.js'
import { everyStore } from './fixtures/stores.js'

const program = fileURLToPath(new URL('./fixtures/failing-responses.ts', import.meta.url))

interface Run {
  readonly seen: readonly Seen[]
  readonly code: number | null
}

async function run (apps: readonly string[], listener: 'nobody' | 'somebody'): Promise<Run> {
  const child = fork(program, { env: { ...process.env, APPS: JSON.stringify(apps), LISTENER: listener }, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
  const seen: Seen[] = []
  let errors = ''
  child.on('message', (message) => seen.push(message as Seen))
  child.stderr?.on('data', (chunk) => { errors += String(chunk) })
  const [code] = await once(child, 'exit') as [number | null]
  if (code !== 0) t.comment(errors)
  return { seen, code }
}

const slow = 'a slow store'
const runs = {
  plain: run(['plain'], 'somebody'),
  nobody: run(everyStore.map(({ kind }) => kind), 'nobody'),
  somebody: run([slow], 'somebody')
}

for (const [kind, listener] of [...everyStore.map(({ kind }) => [kind, 'nobody'] as const), [slow, 'somebody'] as const]) {
  t.test(`on ${kind}, where ${listener} listens to unhandled rejections, a response that fails ends like that of async hooks`, async (t) => {
    const { seen, code } = await runs[listener]
    t.equal(code, 0, 'the process lives')
    // where Fastify itself leaves a rejection unhandled, the connection is closed
    const expected = new Map((await runs.plain).seen.map(({ handler, name, status, unhandled }) => [handler + name, unhandled.length > 0 ? 0 : status]))
    t.ok(expected.size > 100)
    const ours = seen.filter((each) => each.kind === kind)
    t.equal(ours.length, expected.size + 4 * 4)
    for (const { handler, name, status, touched, cookies, next, unhandled } of ours) {
      const title = `${name}; the error handler: ${handler}`
      t.same({ status, next, unhandled }, { status: expected.get(handler + name) ?? 500, next: 200, unhandled: [] }, title)
      t.equal(cookies, touched && status !== 0 ? 1 : 0, `${title}; what was saved is what the browser gets a cookie for, once`)
    }
  })
}
