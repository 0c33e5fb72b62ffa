// What is stored is what comes back, or the error says why not.
import assert from 'node:assert/strict'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import t from 'tap'
import { CorruptValueError, decode, encode } from '../../lib/record/codec.js'
import { fuzzRuns } from '../fixtures/fuzz-runs.js'

const again = (value: unknown): unknown => decode(encode('key', value))
const define = (object: object, key: PropertyKey, descriptor: PropertyDescriptor): object => Object.defineProperty(object, key, { configurable: true, ...descriptor })
const nested = (depth: number, innermost: unknown): unknown => depth === 0 ? innermost : { in: nested(depth - 1, innermost) }
const underCalls = (calls: number, run: () => unknown): unknown => calls === 0 ? run() : underCalls(calls - 1, run)

/** Equal in every part, with the same object in the same places. Node 20 takes two invalid dates for different. */
function assertSame (actual: unknown, expected: unknown, pairs = new Map<unknown, unknown>(), back = new Map<unknown, unknown>()): void {
  if (typeof expected !== 'object' || expected === null) return assert.ok(Object.is(actual, expected), `${String(actual)} is not ${String(expected)}`)
  if (pairs.has(expected) || back.has(actual)) return assert.ok(pairs.get(expected) === actual && back.get(actual) === expected, 'another object')
  pairs.set(expected, actual)
  back.set(actual, expected)
  assert.ok(typeof actual === 'object' && actual !== null)
  assert.equal(Object.getPrototypeOf(actual), Object.getPrototypeOf(expected))
  if (expected instanceof Date) return assertSame(expected.getTime(), (actual as Date).getTime())
  if (expected instanceof Uint8Array || expected instanceof RegExp || expected instanceof URL || expected instanceof URLSearchParams) return assert.deepStrictEqual(actual, expected)
  if (expected instanceof Map || expected instanceof Set) return assertSame([...actual as Set<unknown>], [...expected], pairs, back)
  assert.deepEqual(Reflect.ownKeys(actual), Reflect.ownKeys(expected))
  for (const key of Reflect.ownKeys(expected)) assertSame((actual as never)[key], (expected as never)[key], pairs, back)
}

t.test('kept exactly', async (t) => {
  const shared = { a: 1 }
  const loop: Record<string, unknown> = { list: [] }
  loop['self'] = loop
  ;(loop['list'] as unknown[]).push(loop)
  const cyclic = new Map<unknown, unknown>()
  cyclic.set(cyclic, new Set([cyclic]))
  const far: unknown[] = []
  far[4_000_000_000] = 'x'
  const values: Record<string, unknown> = {
    'a negative zero': { z: -0, list: [-0, NaN, Infinity, -Infinity, 1e21, 5e-324] },
    'numbers without a place in JSON': [NaN, Infinity, -Infinity].map((value) => [value]),
    'undefined in objects and arrays': { a: undefined, b: [undefined] },
    'halves of surrogate pairs': { '\ud83d': '\udd11', rich: new Map([['\udd11', '\ud83d']]) },
    'any key': JSON.parse('{"__proto__":{"x":1},"constructor":1,"toString":2,"":3,"then":4,"length":6}'),
    'any key but __proto__ beside a Date': { 10: 1, constructor: 1, toString: 2, toJSON: 5, hasOwnProperty: 6, date: new Date(0) },
    'a repeated object': { x: shared, y: [shared] },
    'a cycle': loop,
    'a cycle through Map and Set': cyclic,
    holes: [, 1, , 'x', ,], // eslint-disable-line no-sparse-arrays
    'nothing but holes': new Array(3),
    'a far item': far,
    'an invalid Date': new Date(NaN),
    'a Date of far away': new Date(8.64e15),
    'a RegExp': [/x/, /x/g, /[/"]\n/u],
    'an empty object and list': { a: {}, b: [] },
    'an object without a prototype': Object.assign(Object.create(null), { a: { b: [] }, constructor: 1 }),
    bytes: [new Uint8Array([1, 2, 3]).subarray(1), Buffer.from('é'), new Uint8Array(), Buffer.alloc(0)],
    'a URL and its query': [new URL('https://example.com/?a=%20#x'), new URLSearchParams('a=1&a=2')],
    bigints: [0n, -12345678901234567890n],
    frozen: Object.freeze({ a: Object.freeze([1]) }),
    'a Map with keys of every kind': new Map<unknown, unknown>([[1, 1], ['1', 2], [null, 3], [undefined, 4], [NaN, 5], [{}, 6], [1n, 7]]),
    'names that look like parts of the table': [['Date', 'x'], [-7, 3], new Set(), { Map: ['Map', 1] }]
  }
  for (const [name, value] of Object.entries(values)) {
    t.doesNotThrow(() => assertSame(again(value), value), name)
    t.equal(encode('key', again(value)), encode('key', value), `${name}, read and unchanged, is nothing to save`)
  }
  for (const value of [undefined, NaN, Infinity, -Infinity, -0, 0, '', '~', 1n, null, true, '\ud800']) t.ok(Object.is(again(value), value), String(value))
})

t.test('plain values are JSON, for every database to read', async (t) => {
  t.equal(encode('key', { a: [1, 'two', null, true, {}], ü: '~' }), '{"a":[1,"two",null,true,{}],"ü":"~"}')
  t.equal(encode('key', runInNewContext('({ a: [1, {}] })')), '{"a":[1,{}]}')
})

t.test('a getter and a proxy are what they answer', async (t) => {
  let asked = 0
  const changing = { date: new Date(0), in: { get it () { return ++asked === 1 ? 'first' : () => {} } } }
  t.throws(() => encode('key', changing), { code: 'FST_KEEP_UNSTORABLE_VALUE', message: "session value 'key'.in.it cannot be stored: it answers something else each time it is read: store a plain copy" })
  t.same(again({ get it () { return 'it' } }), { it: 'it' })
  t.same(again({ d: new Date(0), get x () { return { y: 1 } } }), { d: new Date(0), x: { y: 1 } })
  t.same(again(new Proxy({ a: [1] }, {})), { a: [1] })
  t.same(again(new Proxy([1, { a: 2 }], {})), [1, { a: 2 }])
})

t.test('what a getter or a proxy throws comes through as it is', async (t) => {
  const own = new Error('own')
  const fails = () => { throw own }
  for (const value of [
    { get a () { return fails() } }, { d: new Date(), get a () { return fails() } }, [define([], 0, { get: fails, enumerable: true })],
    new Proxy({ a: 1 }, { get: fails }), new Proxy({}, { ownKeys: fails }), new Map([['a', new Proxy({}, { getPrototypeOf: fails })]]), new Proxy({}, { getPrototypeOf: () => URL.prototype, get: fails })
  ]) t.throws(() => encode('key', value), own)
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  for (const value of [proxy, Object.create(URL.prototype), Object.create(URLSearchParams.prototype)]) t.throws(() => encode('key', value), TypeError)
})

t.test('what would not come back is refused, with its place and the fix', async (t) => {
  class User { name = 'x' }
  class Tags extends Set {}
  class Bare { x = 1 }
  Object.setPrototypeOf(Bare.prototype, null)
  function Old (this: { x: number }) { this.x = 1 }
  Old.prototype = { greet () {} }
  const pattern = /a/
  pattern.lastIndex = -1
  const cases: Array<[value: unknown, message: string]> = [
    [Promise.resolve(), "'key' cannot be stored: a Promise: await it first"],
    [{ a: runInNewContext('Promise.resolve()') }, "'key'.a cannot be stored: a Promise: await it first"],
    [{ a: { then () {} } }, "'key'.a cannot be stored: a thenable: await it first"],
    [new (class Query { then () {} })(), 'a thenable, an instance of Query: await it first'],
    [Object.create({ then () {} }), 'a thenable, an object with a then method: await it first'],
    [new (class Query { get then () { throw new Error('no') } })(), 'an instance of Query'],
    [{ 'a b': new (class Query { then () {} })() }, 'a thenable'],
    [() => {}, 'a function: store plain data'],
    [{ toJSON: () => 1 }, "'key'.toJSON cannot be stored: a function"],
    [new Proxy(() => {}, {}), 'a function: store plain data'],
    [User, 'a class: store its name'],
    [{ 'a b': [Symbol('s')] }, "'key'[\"a b\"][0] cannot be stored: a symbol: store a string"],
    [{ list: [1, { user: new User() }] }, "'key'.list[1].user cannot be stored: an instance of User: store its plain data or its id"],
    [new Map([['a', new Map([[1, new User()]])]]), "'key'.get(\"a\").get(1) cannot be stored: an instance of User"],
    [new Map([[{}, new User()]]), "'key'.get(…) cannot be stored: an instance of User"],
    [new Map([[new User(), 1]]), "'key'.keys() cannot be stored: an instance of User"],
    [new Set([new User()]), "'key'.values() cannot be stored: an instance of User"],
    [Object.create(User.prototype), 'an instance of User'],
    [new Tags(), 'an instance of Tags'],
    [new (class List extends Array {})(), 'an instance of List'],
    [new (class extends Array {})(), 'an object with another prototype'],
    [new Bare(), 'an instance of Bare'],
    [new (Old as unknown as new () => object)(), 'an object with another prototype than plain objects have: store a plain copy, { ...object }'],
    [Object.create({ toJSON: () => 1 }), 'an object with another prototype'],
    [define({}, 'constructor', { value: 1 }), "an object with the property 'constructor', which is not enumerable"],
    [Object.create(define({}, 'constructor', { get () { throw new Error('no') } })), 'an object with another prototype'],
    [define({ a: 1 }, 'toJSON', { value: () => 'HIJACKED' }), "an object with the property 'toJSON', which is not enumerable: store a plain copy"],
    [Object.assign(Object.create(null, { hidden: { value: 1 } }), { a: 1 }), "the property 'hidden', which is not enumerable"],
    [Object.assign([, 1], { extra: 1 }), "an Array with a property of its own, 'extra'"], // eslint-disable-line no-sparse-arrays
    ['abc'.match(/b/), "an Array with a property of its own, 'index'"],
    [Object.assign([1], { then () {} }), "an Array with a property of its own, 'then'"],
    [Object.assign([1], { a1: 1 }), "an Array with a property of its own, 'a1'"],
    [Object.assign([1], { '1a': 1 }), "an Array with a property of its own, '1a'"],
    [Object.assign([1], { '-1': 1 }), "an Array with a property of its own, '-1'"],
    [[1, JSON.parse('{"__proto__":1}'), new Date(0)], "'key'[1] cannot be stored: an object with the key '__proto__' in a value that is more than JSON: use another key"],
    [Object.assign(Object.create(null), JSON.parse('{"__proto__":1}')), "an object with the key '__proto__'"],
    [{ [Symbol('s')]: 1 }, 'an object with a symbol key, Symbol(s): only strings are keys'],
    [{ [Symbol.toStringTag]: 'Date' }, 'an object with a symbol key, Symbol(Symbol.toStringTag)'],
    [define({}, Symbol('hidden'), { value: 1 }), 'an object with a symbol key, Symbol(hidden)'],
    [(function () { return arguments })(), 'an arguments object: store a list, [...arguments]'],
    [Object.assign(new Map(), { extra: 1 }), "a Map with a property of its own, 'extra'"],
    [Object.assign(new Set(), { extra: 1 }), "a Set with a property of its own, 'extra'"],
    [define(new Date(), 'toJSON', { value: 1 }), "a Date with a property of its own, 'toJSON'"],
    [Object.assign(/a/, { extra: 1 }), "a RegExp with a property of its own, 'extra'"],
    [pattern, 'a RegExp in the middle of a text: set its lastIndex to 0'],
    [Object.assign(new URL('http://a/'), { extra: 1 }), "a URL with a property of its own, 'extra'"],
    [Object.assign(new URLSearchParams(), { extra: 1 }), "a URLSearchParams with a property of its own, 'extra'"],
    [Object.assign(new Uint8Array(), { extra: 1 }), "a Uint8Array with a property of its own, 'extra'"],
    [Object.assign(new Uint8Array(2), { extra: 1 }), "a Uint8Array with a property of its own, 'extra'"],
    [Object.assign(Buffer.from('a'), { [Symbol('s')]: 1 }), 'a Buffer with a symbol key, Symbol(s)'],
    [Object(1), 'a boxed primitive, such as new String() makes: store the primitive itself, value.valueOf()'],
    [Object('x'), 'a boxed primitive'],
    [new Error('no'), 'an Error: store its message'],
    [new ArrayBuffer(1), 'an ArrayBuffer: store its bytes, new Uint8Array(buffer)'],
    [new SharedArrayBuffer(1), 'a SharedArrayBuffer'],
    [new DataView(new ArrayBuffer(1)), 'a DataView: store its bytes as a Uint8Array'],
    [new Int8Array(1), 'an Int8Array: store a list of its numbers, [...array]'],
    [new BigInt64Array(1), 'a BigInt64Array: store a list of its numbers'],
    [new Float64Array(1), 'a Float64Array'],
    [new (class Bytes extends Uint8Array {})(1), 'an instance of Bytes'],
    [new WeakMap(), 'a weak collection'],
    [new WeakSet(), 'a weak collection'],
    [new WeakRef({}), 'an instance of WeakRef'],
    [new Map().keys(), 'an iterator: store a list, [...iterator]'],
    [new Set().keys(), 'an iterator'],
    [(function * () {})(), 'an iterator'],
    [new Blob(['x']), 'a Blob: store its bytes, new Uint8Array(await blob.arrayBuffer())'],
    [new Proxy(new Map(), {}), 'an object that looks like a Map and is none: store a real one, or plain data'],
    [Object.create(Date.prototype), 'an object that looks like a Date and is none'],
    [Object.setPrototypeOf(new Map([[1, 2]]), Object.prototype), 'an object with another prototype'],
    [Object.setPrototypeOf([], null), 'an object with another prototype'],
    [Object.setPrototypeOf([1], Object.prototype), 'an object with another prototype'],
    [Object.setPrototypeOf(new Date(), null), 'an object with another prototype'],
    [Object.setPrototypeOf(new Date(), define({}, 'constructor', { value: 1 })), 'an object with another prototype'],
    [Object.setPrototypeOf(new URL('http://a/'), Map.prototype), 'an object that looks like a Map and is none'],
    [Object.create(Buffer.prototype), 'an object that looks like a Buffer and is none'],
    [{ a: Object.setPrototypeOf(new Date(), Map.prototype) }, 'an object that looks like a Map and is none']
  ]
  for (const [value, message] of cases) {
    try {
      encode('key', value)
      t.fail(`stored: ${message}`)
    } catch (error) {
      t.match(error, { code: 'FST_KEEP_UNSTORABLE_VALUE' }, message)
      t.ok((error as Error).message.includes(message), `${(error as Error).message} should say ${message}`)
    }
  }
})

t.test('values of another realm are accepted and come back as ours', async (t) => {
  const source = '({ date: new Date(0), list: [1, new Map([[\'a\', new Set([1])]])], pattern: /a/gi, bytes: new Uint8Array([1, 2]), nothing: Object.create(null), plain: { a: [] } })'
  const ours = eval(source) // eslint-disable-line no-eval
  assertSame(again(runInNewContext(source)), ours)
  t.throws(() => encode('key', runInNewContext('new (class User {})()')), /an instance of User/)
  t.throws(() => encode('key', runInNewContext('new (class Object { static { globalThis.Object.setPrototypeOf(this.prototype, null) } })()')), { code: 'FST_KEEP_UNSTORABLE_VALUE' })
  t.throws(() => encode('key', runInNewContext('new (class extends Map {})()')), { code: 'FST_KEEP_UNSTORABLE_VALUE' })
})

t.test('dates are dates also where tests have put a class of their own in the place of Date', async (t) => {
  const realms = [Date, runInNewContext('Date') as DateConstructor]
  for (const Real of realms) {
    // as @sinonjs/fake-timers and Jest do
    class ClockDate extends Real {
      static isFake = true
    }
    for (const FakeDate of [ClockDate, class extends ClockDate {}]) {
      const back = decode(encode('key', { at: new FakeDate(5), in: [new FakeDate(NaN)] })) as { at: Date, in: Date[] }
      t.same([back.at.getTime(), back.in[0]?.getTime()], [5, NaN])
      t.ok(back.at instanceof Date)
      t.throws(() => encode('key', Object.assign(new FakeDate(), { a: 1 })), { message: "session value 'key' cannot be stored: a Date with a property of its own, 'a'" })
    }
    // it would come back without what it can do
    class Day extends Real { weekday () { return this.getDay() } }
    t.throws(() => encode('key', new Day()), { message: "session value 'key' cannot be stored: an instance of Day: store its plain data or its id" })
    t.throws(() => encode('key', Object.setPrototypeOf(new Real(), null)), { code: 'FST_KEEP_UNSTORABLE_VALUE' })
    t.throws(() => encode('key', Object.setPrototypeOf(new Real(), { getTime () {} })), { code: 'FST_KEEP_UNSTORABLE_VALUE' })
    t.throws(() => encode('key', Object.create(ClockDate.prototype)), { code: 'FST_KEEP_UNSTORABLE_VALUE' })
  }
  const { Date: Real } = globalThis
  globalThis.Date = class ClockDate extends Real {} as DateConstructor
  try {
    t.equal((decode(encode('key', new Date(5))) as Date).getTime(), 5)
    t.equal((decode(encode('key', new Real(5))) as Date).getTime(), 5)
  } finally {
    globalThis.Date = Real
  }
})

t.test('what inherits nothing, such as request.query, comes back without a prototype', async () => {
  const Dictionary = function () {} as unknown as new () => Record<string, unknown>
  Dictionary.prototype = Object.create(null)
  assertSame(again(Object.assign(new Dictionary(), { a: '1' })), Object.assign(Object.create(null), { a: '1' }))
})

t.test('a toJSON that somebody adds to every object or array changes nothing', async () => {
  const value = { a: [1, { b: 'x' }], d: new Date(0) }
  for (const prototype of [Object.prototype, Array.prototype]) {
    define(prototype, 'toJSON', { value: () => 'HIJACKED' })
    const encoded = [encode('key', value), encode('key', { a: [1] })]
    const back = encoded.map(decode)
    delete (prototype as { toJSON?: unknown }).toJSON
    assertSame(back, [value, { a: [1] }])
  }
  const list = define([1], 'toJSON', { value: () => 'HIJACKED' })
  assertSame(again(list), [1])
  define(BigInt.prototype, 'toJSON', { value: () => 'HIJACKED' })
  const bigint = again({ a: 1n })
  delete (BigInt.prototype as { toJSON?: unknown }).toJSON
  assertSame(bigint, { a: 1n })
})

t.test('a method that somebody adds to every object is not stored, and hides nothing', async (t) => {
  define(Object.prototype, 'extend', { value () {}, enumerable: true })
  const encoded = encode('key', { a: { b: 1 } })
  delete (Object.prototype as { extend?: unknown }).extend
  t.equal(encoded, '{"a":{"b":1}}')
})

t.test('a property that cannot be listed is refused, also when something was added to every object', async (t) => {
  const hiding = define({ a: 1 }, 'hidden', { value: 2 })
  for (const added of [1, () => {}]) {
    define(Object.prototype, 'extend', { value: added, enumerable: true })
    let error: unknown
    try { encode('key', hiding) } catch (thrown) { error = thrown }
    delete (Object.prototype as { extend?: unknown }).extend
    t.match(error, { code: 'FST_KEEP_UNSTORABLE_VALUE' })
  }
})

t.test('only the bytes that a view shows are stored', async (t) => {
  const secret = Buffer.from('other people\'s bytes')
  const detached = new Uint8Array(1)
  structuredClone(detached.buffer, { transfer: [detached.buffer] })
  for (const view of [secret.subarray(0, 5), new Uint8Array(secret.buffer, secret.byteOffset, 5)]) {
    const back = again({ view }) as { view: Uint8Array }
    t.equal(Buffer.from(back.view).toString(), 'other')
    t.ok(encode('key', view).length < 40)
  }
  t.same(again(detached), new Uint8Array(), 'bytes that were transferred away are none')
})

t.test('what earlier versions stored can be read', async () => {
  assertSame(decode('~[["Bytes",1],[2],"AQI="]'), new Uint8Array([1, 2]))
  assertSame(decode('~[["Buffer",1],[2],"AQI="]'), Buffer.from([1, 2]))
  assertSame(decode('~[{"a":1},["Date","1970-01-01T00:00:00.000Z"]]'), { a: new Date(0) })
})

t.test('no setter on Object.prototype hears of what is read', async (t) => {
  let heard = 0
  define(Object.prototype, 'spied', { set () { heard++ } })
  const value = { spied: 1, deep: [{ spied: new Date(0) }], bare: Object.assign(Object.create(null), { spied: 1 }) }
  const back = again(value) as typeof value
  delete (Object.prototype as { spied?: unknown }).spied
  t.equal(heard, 0)
  t.equal(Object.getOwnPropertyDescriptor(back.deep[0], 'spied')?.value.getTime(), 0)
})

t.test('values are 500 levels deep at most, and all that deep can be read anywhere', async (t) => {
  for (const innermost of ['x', new Date(0), 1n]) {
    const levels = typeof innermost === 'object' ? 499 : 500
    assertSame(again(nested(levels, innermost)), nested(levels, innermost))
    t.throws(() => encode('key', nested(levels + 1, innermost)), { code: 'FST_KEEP_UNSTORABLE_VALUE', message: /^session value 'key'(\.in){20}… cannot be stored: it is nested too deeply, more than 500 levels: store it flatter$/ })
  }
  const encoded = encode('key', nested(499, new Date(0)))
  assertSame(underCalls(5000, () => decode(encoded)), nested(499, new Date(0)))
  let wide: unknown[] = ['x']
  for (let level = 0; level < 100; level++) wide = [wide, wide]
  assertSame(again(wide), wide)
})

t.test('a full stack is neither corrupt data nor a value that cannot be stored', async (t) => {
  const encoded = [encode('key', nested(100, new Date(0))), '{"a":[1,{"b":2}]}', '~[["RegExp","(((((a)))))","g"]]']
  const probes = [...encoded.map((text) => () => decode(text)), () => encode('key', { a: [1, new Date(0)] }), () => encode('key', { a: nested(100, 1) })]
  for (const probe of probes) {
    const errors: unknown[] = []
    // runs where no stack is left, and again with one call less on it until there is enough
    const atTheEnd = (): unknown => {
      try { return atTheEnd() } catch (error) {
        errors.push(error)
        return probe()
      }
    }
    atTheEnd()
    t.ok(errors.length > 1)
    t.same(errors.filter((error) => !/Maximum call stack size exceeded/.test((error as Error).message)), [])
  }
})

t.test('a corrupt value is called corrupt, whatever is wrong with it', async () => {
  for (const text of [
    '', '{', 'nonsense', '~', '~{', '~[]', '~{}', '~"x"', '~null', '~0', '~-2', '~-9', '~1.5', '~[{"a":1}]', '~[[1]]', '~[{"a":"x"}]',
    '~[["BigInt",1.5]]', '~[["BigInt","x"]]', '~[["RegExp","("]]', '~[["RegExp","a","qq"]]',
    '~[["URL","x"]]', '~[["URL"]]', '~[["Bytes",1]]', '~[["Bytes","*"]]', '~[["Buffer"]]', '~[["Buffer",{"length":1e9}]]', '~[["Buffer",1],[2],5]', '~[["Buffer",1],[2],{"length":3},5]', '~[["Bytes",1],{"0":2},"AA=="]', '~[["Bytes",0]]',
    '~[[-7,-1]]', '~[[-7,4294967296]]', '~[[-7,1.5]]', '~[[-7]]', '~[[-7,2,2,0]]', '~[[-7,2,0]]', '~[["null",1,0]]', '~[["null","a"]]', '~[["Map",0]]', '~[["Map",9,0]]',
    '~[["Set","x"]]', '~[["Newer",1]]', `~${'['.repeat(100_000)}`, `~${'['.repeat(100_000)}${']'.repeat(100_000)}`
  ]) assert.throws(() => decode(text), CorruptValueError, text.slice(0, 40))
})

t.test('every value comes back as it was, or is refused', async (t) => {
  const odd = fc.constantFrom<unknown>(() => {}, Symbol('s'), new WeakMap(), new (class User {})(), Object(1), Promise.resolve(), new Int8Array(2), Object.assign(new Map(), { a: 1 }))
  const leaf = fc.oneof(
    { weight: 20, arbitrary: fc.anything({ maxDepth: 0, withBigInt: true, withDate: true }) },
    { weight: 5, arbitrary: fc.string({ unit: 'binary' }) },
    { weight: 5, arbitrary: fc.string({ unit: fc.integer({ min: 0xd700, max: 0xe000 }).map((code) => String.fromCharCode(code)) }) },
    { weight: 5, arbitrary: fc.double() },
    { weight: 3, arbitrary: fc.date({ noInvalidDate: false }) },
    { weight: 3, arbitrary: fc.uint8Array() },
    { weight: 2, arbitrary: fc.uint8Array().map((bytes) => Buffer.from(bytes)) },
    { weight: 2, arbitrary: fc.webUrl({ withFragments: true, withQueryParameters: true }).map((url) => new URL(url)) },
    { weight: 2, arbitrary: fc.constantFrom(/a/, /b/gi) },
    { weight: 1, arbitrary: odd }
  )
  const key = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('__proto__', 'toJSON', 'constructor', 'length', '0', 'then'))
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof({ maxDepth: 5, withCrossShrink: true }, leaf, tie('list'), tie('sparse'), tie('object'), tie('map'), tie('set'), tie('repeated')),
    list: fc.array(tie('value'), { maxLength: 5 }),
    sparse: fc.sparseArray(tie('value'), { maxNumElements: 4 }),
    object: fc.dictionary(key, tie('value'), { maxKeys: 5 }),
    map: fc.array(fc.tuple(tie('value'), tie('value')), { maxLength: 4 }).map((entries) => new Map(entries as Array<[unknown, unknown]>)),
    set: fc.array(tie('value'), { maxLength: 4 }).map((items) => new Set(items)),
    repeated: tie('value').map((it) => ({ it, again: [it] }))
  }))
  let kept = 0
  fc.assert(fc.property(value, (it) => {
    let encoded
    try {
      encoded = encode('key', it)
    } catch (error) {
      return (error as { code?: string }).code === 'FST_KEEP_UNSTORABLE_VALUE'
    }
    kept++
    const back = decode(encoded)
    assertSame(back, it)
    return encode('key', back) === encoded
  }), { numRuns: fuzzRuns(50) })
  t.ok(kept > 0)
})

t.test('no text, however corrupt, gives anything but a value or a CorruptValueError', async () => {
  const nodes = fc.oneof(fc.integer({ min: -9, max: 6 }), fc.string(), fc.constantFrom('Date', 'Map', 'Set', 'null', 'RegExp', 'Bytes', 'BigInt'))
  const part = fc.oneof(nodes, fc.array(nodes), fc.dictionary(fc.string(), nodes))
  const text = fc.oneof(fc.string(), fc.json(), fc.array(part).map((parts) => `~${JSON.stringify(parts)}`))
  fc.assert(fc.property(text, (encoded) => {
    try {
      decode(encoded)
    } catch (error) {
      return error instanceof CorruptValueError
    }
    return true
  }), { numRuns: fuzzRuns(500) })
})
