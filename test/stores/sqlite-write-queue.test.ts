// How a process shares the file with others that write too.
import t, { type Test } from 'tap'
import { Connection } from '../../lib/stores/sqlite/connection.js'
import { WriteQueue } from '../../lib/stores/sqlite/write-queue.js'
import { openSqlite, sqlitePath } from '../fixtures/sqlite.js'

/** A queue whose file another process was writing a moment ago, and the pauses it has made since. */
async function queueWithNeighbour (t: Test): Promise<{ queue: WriteQueue, pauses: () => number }> {
  const path = sqlitePath()
  const [connection, other] = [new Connection(openSqlite(path)), openSqlite(path)]
  connection.exec('PRAGMA busy_timeout = 0; PRAGMA synchronous = OFF; CREATE TABLE written (n)')
  const queue = new WriteQueue(() => connection)
  other.exec('BEGIN IMMEDIATE')
  const first = queue.add(() => {})
  setTimeout(() => other.exec('COMMIT'), 10)
  await first
  const { setTimeout: real } = globalThis
  let pauses = 0
  t.intercept(globalThis, 'setTimeout', { value: (...args: Parameters<typeof real>) => { pauses++; return real(...args) } })
  return { queue, pauses: () => pauses }
}

/** One write after the other, as a single user makes them. */
async function writeOften (queue: WriteQueue, times: number, ms = 0): Promise<void> {
  for (let n = 0; n < times; n++) {
    await queue.add((connection) => {
      const end = performance.now() + ms
      connection.run('INSERT INTO written VALUES (?)', n)
      while (performance.now() < end);
    })
  }
}

t.test('many short writes follow each other without a pause, though another process writes too', async (t) => {
  const { queue, pauses } = await queueWithNeighbour(t)
  await writeOften(queue, 60)
  t.ok(pauses() < 45, `${pauses()} pauses`)
})

t.test('where writing takes long, others get their turn after each write', async (t) => {
  const { queue, pauses } = await queueWithNeighbour(t)
  await writeOften(queue, 5, 3)
  t.ok(pauses() >= 4, `${pauses()} pauses`)
})

t.test('where nobody else writes there is no pause', async (t) => {
  const connection = new Connection(openSqlite(sqlitePath()))
  connection.exec('CREATE TABLE written (n)')
  const queue = new WriteQueue(() => connection)
  t.intercept(globalThis, 'setTimeout', { value: () => { throw new Error('a pause') } })
  await writeOften(queue, 10, 3)
})
