// What MemoryStore counts, held against V8; and what it does when that is all the heap has.
import t from 'tap'
import { runApp } from '../fixtures/process.js'

const ADD = `
  const keys = (count, key) => Object.fromEntries(Array.from({ length: count }, (_, k) => [key(k), String(1e6 + k)]))
  const cut = (i, length) => (String(i).padStart(40, 'x') + 'y'.repeat(1000)).slice(0, length)
  const add = (values, i, parts) => store.create(cut(i, 40).slice(16), {
    values, createdAt: 1.7e12, expiresAt: 9e14 + i, absoluteExpiresAt: 9e15, version: 0, generation: i % 2, owner: null, lifetime: null,
    verifier: cut(i, 43), earlier: [], shown: true, ...parts?.(i)
  })`

// the values of session i, and how many sessions to measure
const shapes: Record<string, [values: string, sessions: number]> = {
  'tiny sessions': ['{ n: String(i) }', 20_000],
  'usual sessions': ["{ user: String(i), name: JSON.stringify('Ada ' + i), roles: '[\"author\",\"reader ' + i + '\"]' }", 20_000],
  'ASCII text': ["{ text: JSON.stringify('x'.repeat(5000) + i) }", 2000],
  'one euro sign': ["{ text: JSON.stringify('x'.repeat(5000) + i + '€') }", 2000],
  'text cut from a wide one': ["{ text: JSON.stringify(('x'.repeat(5000) + i + '€').slice(0, -1)) }", 2000],
  'a slice of a large body': ["{ text: ('x'.repeat(50_000) + i).slice(100, 200) }", 2000],
  'a key of its own': ["{ ['key' + i]: '1' }", 10_000],
  'keys of their own': ["keys(20, (k) => 'k' + i + '_' + k)", 3000],
  'many keys': ["keys(3000, (k) => 'k' + i + '_' + k)", 20],
  'keys that look like an index': ["{ [900 + i % 100]: '1' }", 3000],
  'long keys': ["{ [i + '€'.repeat(2000)]: '1' }", 2000],
  'deep values': ["{ deep: '['.repeat(500) + i + ']'.repeat(500) }", 5000]
}

const list = `[${Object.entries(shapes).map(([shape, [values, sessions]]) => `[${JSON.stringify(shape)}, (i) => (${values}), ${sessions}]`).join(',')}]`

t.test('bytes is never less than 90 % of what the sessions take from the heap', async (t) => {
  const { stdout } = await runApp(`
    let store
    ${ADD}
    const used = () => { gc(); gc(); return process.memoryUsage().heapUsed }
    for (const [shape, values, sessions] of ${list}) {
      store = new keep.MemoryStore({ maxBytes: 1e12 })
      let i = 0
      for (; i < 1000; i++) add({ ['known' + i]: '1' }, i)
      const [heap, bytes] = [used(), store.bytes]
      for (const end = i + sessions; i < end; i++) add(values(i), i)
      console.log(shape + ': ' + (store.bytes - bytes) / (used() - heap))
    }
  `, ['--expose-gc'])
  for (const line of stdout.trim().split('\n')) {
    const ratio = Number(line.split(': ')[1])
    t.ok(ratio > 0.9 && ratio < 2.5, line)
  }
})

t.test('with its defaults and a heap of 128 MB it evicts and lives, whatever the sessions hold', async (t) => {
  const { stdout } = await runApp(`
    let store
    ${ADD}
    const large = [
      (i) => ({ text: JSON.stringify('x'.repeat(900_000) + i) }),
      (i) => ({ text: JSON.stringify('€' + 'x'.repeat(900_000) + i) }),
      (i) => keys(10_000, (k) => 'k' + i + '_' + k),
      (i) => keys(10, (k) => i + '_' + k + '€'.repeat(20_000)),
      (i) => ({ deep: '['.repeat(400_000) + i + ']'.repeat(400_000) })
    ]
    for (const values of large) {
      store = new keep.MemoryStore()
      for (let i = 0; store.evicted < 50; i++) add(values(i), i)
      store.close() // its timer holds it
      console.log('evicted')
    }
  `, ['--max-old-space-size=128'])
  t.equal(stdout, 'evicted\n'.repeat(5))
})
