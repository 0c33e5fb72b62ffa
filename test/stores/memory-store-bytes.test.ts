// What MemoryStore counts, held against V8; and what it does when that is all the heap has.
import t from 'tap'
import { runApp } from '../fixtures/process.js'

const ADD = `
  const keys = (count, key) => Object.fromEntries(Array.from({ length: count }, (_, k) => [key(k), String(1e6 + k)]))
  const add = (values, i) => store.create(String(i).padStart(43, 'x'), {
    values, createdAt: 1.7e12, expiresAt: 9e14 + i, absoluteExpiresAt: 9e15, version: 0, generation: i % 2, owner: null, lifetime: null
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

t.test('bytes is never less than 90 % of what the sessions take from the heap', async (t) => {
  for (const [shape, [values, sessions]] of Object.entries(shapes)) {
    const { stdout } = await runApp(`
      const store = new keep.MemoryStore({ maxBytes: 1e12 })
      ${ADD}
      const used = () => { gc(); gc(); return process.memoryUsage().heapUsed }
      let i = 0
      for (; i < 1200; i++) add(i < 1000 ? { ['known' + i]: '1' } : ${values.length > 0 ? '{}' : ''}, i)
      const [heap, bytes] = [used(), store.bytes]
      for (const end = i + ${sessions}; i < end; i++) add(${values}, i)
      console.log((store.bytes - bytes) / (used() - heap))
    `, ['--expose-gc'])
    const ratio = Number(stdout)
    t.ok(ratio > 0.9 && ratio < 2.5, `${shape}: ${ratio.toFixed(2)} of what they take`)
  }
})
