// What MemoryStore counts, held against V8; and what it does when that is all the heap has.
import t from 'tap'
import { runApp } from '../fixtures/process.js'

const ADD = `
  const keys = (count, key) => Object.fromEntries(Array.from({ length: count }, (_, k) => [key(k), String(1e6 + k)]))
  const cut = (i, length) => (String(i).padStart(40, 'x') + 'y'.repeat(1000)).slice(0, length)
  const list = (owner, i) => { store.owners.add(owner, cut(i, 40).slice(16), { expiresAt: 9e14 + i }); return { owner } }
  const add = (values, i, parts) => store.create(cut(i, 40).slice(16), {
    values, createdAt: 1.7e12, expiresAt: 9e14 + i, absoluteExpiresAt: 9e15, version: 0, generation: i % 2, owner: null, about: null, lifetime: null,
    verifier: cut(i, 43), earlier: [], shown: true, ...parts?.(i)
  })`

// the values of session i, and how many sessions to measure
const shapes: Record<string, [values: string, sessions: number]> = {
  'tiny sessions': ['{ n: String(i) }', 8000],
  'usual sessions': ["{ user: String(i), name: JSON.stringify('Ada ' + i), roles: '[\"author\",\"reader ' + i + '\"]' }", 8000],
  'ASCII text': ["{ text: JSON.stringify('x'.repeat(5000) + i) }", 2000],
  'one euro sign': ["{ text: JSON.stringify('x'.repeat(5000) + i + '€') }", 2000],
  'text cut from a wide one': ["{ text: JSON.stringify(('x'.repeat(5000) + i + '€').slice(0, -1)) }", 2000],
  'a slice of a large body': ["{ text: ('x'.repeat(50_000) + i).slice(100, 200) }", 2000],
  'a key of its own': ["{ ['key' + i]: '1' }", 5000],
  'keys of their own': ["keys(20, (k) => 'k' + i + '_' + k)", 3000],
  'many keys': ["keys(3000, (k) => 'k' + i + '_' + k)", 20],
  'keys that look like an index': ["{ [900 + i % 100]: '1' }", 3000],
  'long keys': ["{ [i + '€'.repeat(2000)]: '1' }", 2000],
  'deep values': ["{ deep: '['.repeat(500) + i + ']'.repeat(500) }", 5000]
}

/** What a session has besides its values. */
const parts: Record<string, string> = {
  'a lifetime of its own': '(i) => ({ lifetime: { idle: 1000 + i, absolute: 2000 + i, persistent: true } })',
  'what is said of it': "(i) => ({ about: JSON.stringify({ agent: 'x'.repeat(200) + i }) })",
  'an owner of its own': '(i) => list(cut(i, 43), i)',
  'an owner with a hundred sessions': '(i) => list(cut(i - i % 100, 43), i)',
  'four earlier verifiers': '(i) => ({ earlier: [0, 1, 2, 3].map((n) => ({ verifier: cut(i * 4 + n, 43), until: 1.7e12 + i, opens: true })) })'
}

const list = `[
  ${Object.entries(shapes).map(([shape, [values, sessions]]) => `[${JSON.stringify(shape)}, (i) => (${values}), ${sessions}]`).join(',')},
  ${Object.entries(parts).map(([part, of]) => `[${JSON.stringify(part)}, (i) => ({ n: String(i) }), 5000, ${of}]`).join(',')}
]`

t.test('bytes is never less than 90 % of what the sessions take from the heap', async (t) => {
  const { stdout } = await runApp(`
    let store
    ${ADD}
    const used = () => { gc(); gc(); return process.memoryUsage().heapUsed }
    for (const [shape, values, sessions, parts] of ${list}) {
      store = new keep.MemoryStore({ maxBytes: 1e12 })
      let i = 0
      for (; i < 1000; i++) add({ ['known' + i]: '1' }, i)
      const [heap, bytes] = [used(), store.bytes]
      for (const end = i + sessions; i < end; i++) add(values(i), i, parts)
      console.log(shape + ': ' + (store.bytes - bytes) / (used() - heap))
    }
  `, ['--expose-gc'])
  t.comment(stdout)
  const lines = stdout.trim().split('\n')
  t.equal(lines.length, Object.keys(shapes).length + Object.keys(parts).length)
  for (const line of lines) {
    const ratio = Number(line.split(': ')[1])
    t.ok(ratio > 0.9 && ratio < 2.5, line)
  }
})

t.test('a store that nobody uses any more is collected, whatever its timer was set to', async (t) => {
  const { stdout } = await runApp(`
    let store
    ${ADD}
    const collected = []
    const registry = new FinalizationRegistry((name) => { collected.push(name) })
    for (const name of ['closed', 'left', 'emptied']) {
      store = new keep.MemoryStore()
      registry.register(store, name)
      add({ a: '1' }, 0)
      if (name === 'closed') store.close()
      if (name === 'emptied') { store.destroy(cut(0, 40).slice(16)); store.sweep() }
      store = null
    }
    for (let round = 0; round < 20 && collected.length < 3; round++) {
      await new Promise((resolve) => { setTimeout(resolve, 5) })
      gc()
    }
    console.log(collected.sort().join())
  `, ['--expose-gc'])
  t.equal(stdout, 'closed,emptied,left\n')
})

const large: Record<string, string> = {
  'long ASCII text': "({ text: JSON.stringify('x'.repeat(900_000) + i) })",
  'long text with a euro sign': "({ text: JSON.stringify('€' + 'x'.repeat(900_000) + i) })",
  'many keys of their own': "keys(10_000, (k) => 'k' + i + '_' + k)",
  'long keys': "keys(10, (k) => i + '_' + k + '€'.repeat(20_000))",
  'deep values': "({ deep: '['.repeat(400_000) + i + ']'.repeat(400_000) })"
}

for (const [shape, values] of Object.entries(large)) {
  t.test(`with its defaults and a heap of 128 MB it evicts and lives, with ${shape}`, async (t) => {
    const { stdout } = await runApp(`
      const store = new keep.MemoryStore()
      ${ADD}
      for (let i = 0; store.evicted < 10; i++) add(${values}, i)
      console.log('evicted')
    `, ['--max-old-space-size=128'])
    t.equal(stdout, 'evicted\n')
  })
}
