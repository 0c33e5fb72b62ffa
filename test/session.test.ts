// What an app can do with request.session, on every store.
import { setTimeout as delay } from 'node:timers/promises'
import fc from 'fast-check'
import t from 'tap'
import type { Session } from '../index.js'
import { Browser, buildApp, setCookies } from './fixtures/app.js'
import { everyStore } from './fixtures/stores.js'

type Act = (session: Session) => unknown

for (const { kind, makeStore } of everyStore) {
  t.test(`on ${kind}`, async (t) => {
    const app = await buildApp(t, { store: makeStore() })
    let act: Act = () => undefined
    app.get('/', async (request) => ({ answer: await act(request.session) ?? null }))

    const browser = () => {
      const it = new Browser(app)
      return async (next: Act) => {
        act = next
        const response = await it.visit('/')
        if (response.statusCode !== 200) throw new Error(response.body)
        return response.json().answer
      }
    }

    await t.test('a value that is set is there in the next request', async (t) => {
      const visit = browser()
      await visit((session) => session.set('name', 'Shiva'))
      t.equal(await visit((session) => session.get('name')), 'Shiva')
    })

    await t.test('get answers undefined for a key that is absent', async (t) => {
      t.equal(await browser()((session) => session.get('name') === undefined), true)
    })

    await t.test('getOrThrow answers 401 when the key is absent, and the value when it is there', async (t) => {
      act = (session) => session.getOrThrow('name')
      const response = await new Browser(app).visit('/')
      t.equal(response.statusCode, 401)
      t.equal(response.json().code, 'FST_KEEP_MISSING_KEY')
      const visit = browser()
      await visit((session) => session.set('name', 'Shiva'))
      t.equal(await visit((session) => session.getOrThrow('name')), 'Shiva')
    })

    await t.test('set with undefined removes the key', async (t) => {
      const visit = browser()
      await visit((session) => session.setMany({ name: 'Shiva', city: 'Pune' }))
      await visit((session) => session.set('name', undefined))
      t.same(await visit((session) => session.data()), { city: 'Pune' })
    })

    await t.test('a callback is refused, for nobody would ever call it', async (t) => {
      for (const name of ['regenerate', 'destroy', 'save', 'reload'] as const) {
        act = (session) => (session[name] as (callback: () => void) => unknown)(() => {})
        const { statusCode, body } = await app.inject('/')
        t.equal(statusCode, 500)
        t.match(body, `session.${name}() was given a callback`)
      }
    })

    await t.test('null is a value', async (t) => {
      const visit = browser()
      await visit((session) => session.set('name', null))
      t.same(await visit((session) => [session.has('name'), session.get('name')]), [true, null])
    })

    await t.test('setMany stores all its values, or none when one cannot be stored', async (t) => {
      const visit = browser()
      await visit((session) => session.setMany({ a: 1, b: 2 }))
      t.same(await visit((session) => session.data()), { a: 1, b: 2 })
      await visit((session) => t.throws(() => session.setMany({ a: 3, c: () => {} }), { code: 'FST_KEEP_UNSTORABLE_VALUE' }))
      t.same(await visit((session) => session.data()), { a: 1, b: 2 })
    })

    await t.test('remove says whether the key was there', async (t) => {
      const visit = browser()
      await visit((session) => session.setMany({ a: 1, b: 2 }))
      t.same(await visit((session) => [session.remove('a'), session.remove('a'), session.has('a')]), [true, false, false])
      t.same(await visit((session) => [session.remove('nothing'), session.data()]), [false, { b: 2 }])
    })

    await t.test('pop gives a value once', async (t) => {
      const visit = browser()
      await visit((session) => session.setMany({ flash: 'Saved', a: 1 }))
      t.equal(await visit((session) => session.pop('flash')), 'Saved')
      t.equal(await visit((session) => session.pop('flash')), null)
    })

    await t.test('clear drops everything, and what is set afterwards stays', async (t) => {
      const visit = browser()
      await visit((session) => session.setMany({ a: 1, b: 2 }))
      const id = await visit((session) => session.sessionId)
      await visit((session) => { session.clear(); session.set('c', 3) })
      t.same(await visit((session) => [session.data(), session.sessionId]), [{ c: 3 }, id])
    })

    await t.test('data is an object of its own', async (t) => {
      const visit = browser()
      await visit((session) => session.set('a', 1))
      await visit((session) => { (session.data() as Record<string, unknown>)['b'] = 2 })
      t.same(await visit((session) => session.data()), { a: 1 })
    })

    await t.test('index access reads, writes, finds, deletes and lists', async (t) => {
      const visit = browser()
      await visit((session) => { session['a'] = 1; session['b'] = { deep: true } })
      t.same(await visit((session) => [session['a'], 'a' in session, 'x' in session, Object.keys(session)]), [1, true, false, ['a', 'b']])
      t.same(await visit((session) => [Object.hasOwn(session, 'a'), Object.hasOwn(session, 'x')]), [true, false])
      t.same(await visit((session) => ({ ...session })), { a: 1, b: { deep: true } })
      t.equal(await visit((session) => JSON.stringify(session)), '{"a":1,"b":{"deep":true}}')
      t.same(await visit((session) => { const keys = []; for (const key in session) keys.push(key); return keys }), ['a', 'b'])
      t.equal(await visit((session) => delete session['a']), true)
      t.same(await visit((session) => session.data()), { b: { deep: true } })
    })

    await t.test('Object.assign and Object.defineProperty store values; accessors, freezing and another prototype are refused', async (t) => {
      const visit = browser()
      await visit((session) => {
        Object.assign(session, { a: 1 })
        Object.defineProperty(session, 'b', { value: 2 })
        t.throws(() => Object.defineProperty(session, 'c', { get: () => 3 }), TypeError)
        t.throws(() => Object.freeze(session), TypeError)
        t.throws(() => Object.setPrototypeOf(session, null), TypeError)
      })
      t.same(await visit((session) => session.data()), { a: 1, b: 2 })
    })

    await t.test('a symbol is an ordinary property, of this request only', async (t) => {
      const visit = browser()
      const mark = Symbol('mark')
      await visit((session) => {
        const own = session as unknown as Record<symbol, unknown>
        own[mark] = 1
        Object.defineProperty(own, Symbol.for('other'), { value: 2, configurable: true })
        t.same([own[mark], mark in own, Object.getOwnPropertySymbols(own).length], [1, true, 2])
        t.equal(Object.getOwnPropertyDescriptor(own, mark)?.value, 1)
        t.ok(delete own[mark])
      })
      t.same(await visit((session) => session.data()), {})
    })

    await t.test('an index write or delete of a member throws and names set', async (t) => {
      await browser()((session) => {
        const loose = session as unknown as Record<string, unknown>
        for (const name of ['get', 'save', 'data', 'sessionId', 'constructor', 'toString', '__proto__']) {
          t.throws(() => { loose[name] = 1 }, { code: 'FST_KEEP_RESERVED_KEY', message: new RegExp(`set\\('${name}'`) })
          t.throws(() => { delete loose[name] }, { code: 'FST_KEEP_RESERVED_KEY' })
          t.throws(() => Object.defineProperty(session, name, { value: 1 }), { code: 'FST_KEEP_RESERVED_KEY' })
        }
      })
    })

    await t.test('the names an app is likely to use are its own', async (t) => {
      const names = ['id', 'user', 'name', 'key', 'value', 'token', 'role', 'cookie', 'state', 'type', 'email', 'flash', 'store', 'then']
      const visit = browser()
      await visit((session) => { for (const name of names) (session as unknown as Record<string, unknown>)[name] = name })
      t.same(await visit((session) => Object.keys(session)), names)
    })

    await t.test('a session is never taken for a promise', async (t) => {
      const visit = browser()
      t.equal(await visit(async (session) => { await session; return 'went on' }), 'went on')
    })

    await t.test('any string is a key', async (t) => {
      const hard = [...Object.getOwnPropertyNames(Object.prototype), 'get', 'set', 'save', 'regenerate', '', ' ', '0', 'ключ', '🔑', '\0', 'a.b', 'k'.repeat(65536)]
      await fc.assert(fc.asyncProperty(fc.oneof(fc.constantFrom(...hard), fc.string()), fc.integer(), async (key, value) => {
        const visit = browser()
        await visit((session) => session.set(key, value))
        t.ok(await visit((session) => session.get(key) === value && session.has(key) && Object.keys(session).includes(key)), JSON.stringify(key.slice(0, 50)))
        t.ok(await visit((session) => Object.hasOwn(session.data(), key) && session.remove(key) && !session.has(key)))
      }), { numRuns: 60, examples: hard.map((key) => [key, 1]) })
      t.equal(({} as { polluted?: unknown }).polluted, undefined)
    })

    await t.test('a key that is no string is refused', async (t) => {
      await browser()((session) => {
        t.throws(() => session.set(Symbol('s') as unknown as string, 1), { code: 'FST_KEEP_INVALID_ARGUMENT' })
        t.throws(() => session.set(undefined as unknown as string, 1), { code: 'FST_KEEP_INVALID_ARGUMENT' })
      })
    })

    await t.test('values come back as they were', async (t) => {
      const values: Record<string, unknown> = {
        text: 'é\u2028"\\',
        lone: '\ud800',
        zero: 0,
        minus: -0,
        float: 1.5,
        nan: NaN,
        infinite: -Infinity,
        yes: true,
        no: false,
        nothing: null,
        list: [1, [2, { three: 3 }], null],
        holes: [1, undefined, 3],
        object: { a: { b: undefined } },
        proto: JSON.parse('{"__proto__":{"x":1}}'),
        date: new Date('2026-01-02T03:04:05.678Z'),
        map: new Map<unknown, unknown>([['a', new Set([1, 2])], [{ k: 1 }, new Date(0)]]),
        set: new Set(['x']),
        big: 123456789012345678901234567890n,
        bytes: new Uint8Array([0, 255, 7]),
        empty: new Uint8Array(),
        buffer: Buffer.from('secret'),
        part: new Uint8Array([1, 2, 3, 4]).subarray(1, 3),
        pattern: /a+/gi,
        url: new URL('https://example.com/?a=1'),
        bare: Object.assign(Object.create(null), { x: 1 })
      }
      const visit = browser()
      await visit((session) => session.setMany(values))
      await visit((session) => {
        for (const [key, value] of Object.entries(values)) {
          t.strictSame(session.get(key), value, key)
          t.equal(Object.getPrototypeOf(session.get(key) ?? 0), Object.getPrototypeOf(value ?? 0), `${key} has its type`)
        }
      })
    })

    await t.test('cycles and repeated references come back', async (t) => {
      const visit = browser()
      await visit((session) => {
        const loop: Record<string, unknown> = { name: 'loop' }
        loop['self'] = loop
        session.set('loop', loop)
      })
      t.ok(await visit((session) => { const loop = session.get('loop') as Record<string, unknown>; return loop['self'] === loop }))
    })

    await t.test('what cannot be kept is refused at set, naming the key and the path', async (t) => {
      class Point { x = 1 }
      class Tags extends Set {}
      const cases: Array<[unknown, RegExp]> = [
        [() => {}, /'key' cannot be stored: a function/],
        [Symbol('s'), /'key' cannot be stored: a symbol/],
        [{ list: [1, { point: new Point() }] }, /'key'\.list\[1\]\.point cannot be stored: an instance of Point: store its plain data or its id/],
        [{ tags: new Tags() }, /'key'\.tags cannot be stored: an instance of Tags/],
        [new (class extends Array {})(), /'key' cannot be stored: an object with another prototype/],
        [{ when: Promise.resolve() }, /'key'\.when cannot be stored: a Promise: await it first/],
        [{ toJSON: () => 1 }, /'key'\.toJSON cannot be stored: a function/],
        [{ [Symbol('s')]: 1 }, /'key' cannot be stored: an object with a symbol key, Symbol\(s\)/],
        [{ found: 'abc'.match(/b/) }, /'key'\.found cannot be stored: an Array with a property of its own, 'index'/],
        [new Error('no'), /'key' cannot be stored/],
        [new WeakMap(), /'key' cannot be stored/]
      ]
      const visit = browser()
      await visit((session) => {
        for (const [value, message] of cases) t.throws(() => session.set('key', value), { code: 'FST_KEEP_UNSTORABLE_VALUE', message })
        t.equal(session.has('key'), false)
      })
    })

    await t.test('a value nested too deeply to be walked is refused', async (t) => {
      await browser()((session) => {
        let deep: unknown = 0
        for (let level = 0; level < 100_000; level++) deep = [deep]
        t.throws(() => session.set('deep', deep), { code: 'FST_KEEP_UNSTORABLE_VALUE', message: /nested too deeply/ })
      })
    })

    await t.test('of bytes that are part of a larger buffer only the part is stored', async (t) => {
      const small = await buildApp(t, { store: makeStore(), maxSize: 100 })
      small.get('/', (request) => {
        request.session.set('part', Buffer.from(`mine; ${'of somebody else'.repeat(100)}`).subarray(0, 4))
        request.session.set('view', new Uint8Array(10_000).subarray(0, 4))
        return String(request.session.get('part'))
      })
      t.equal((await small.inject('/')).body, 'mine')
    })

    await t.test('changes inside a value that was read are saved', async (t) => {
      const visit = browser()
      await visit((session) => session.setMany({ cart: ['a'], user: { tags: new Map([['x', 1]]) } }))
      await visit((session) => { (session.get('cart') as string[]).push('b') })
      await visit((session) => { (session['user'] as { tags: Map<string, number> }).tags.set('y', 2) })
      await visit((session) => { delete (session.data() as { user: { gone?: number } }).user.gone })
      t.same(await visit((session) => [session.get('cart'), [...(session.get('user') as { tags: Map<string, number> }).tags]]), [['a', 'b'], [['x', 1], ['y', 2]]])
    })

    await t.test('changes inside a value after set are saved', async (t) => {
      const visit = browser()
      await visit((session) => { const cart = ['a']; session.set('cart', cart); cart.push('b') })
      t.same(await visit((session) => session.get('cart')), ['a', 'b'])
    })

    await t.test('a nested change that cannot be stored fails the request instead of vanishing', async (t) => {
      const it = new Browser(app)
      act = (session) => session.set('user', { name: 'x' })
      await it.visit('/')
      act = (session) => { (session.get('user') as Record<string, unknown>)['helper'] = () => {} }
      const response = await it.visit('/')
      t.equal(response.statusCode, 500)
      t.match(response.json(), { code: 'FST_KEEP_UNSTORABLE_VALUE', message: /'user'\.helper/ })
      act = (session) => session.get('user')
      t.same((await it.visit('/')).json().answer, { name: 'x' })
    })

    await t.test('what one request holds is not what another holds', async (t) => {
      const visit = browser()
      const cart = ['a']
      await visit((session) => session.set('cart', cart))
      cart.push('later')
      const first = await visit((session) => session.get('cart'))
      t.same(first, ['a'])
    })

    const increment = (count: unknown) => ((count as number | undefined) ?? 0) + 1

    await t.test('update stores what it makes of the value at once, and answers with it', async (t) => {
      const visit = browser()
      t.equal(await visit((session) => session.update('count', increment)), 1)
      t.equal(await visit((session) => session.update('count', increment)), 2)
      t.equal(await visit((session) => { session.set('count', 10); return session.update('count', increment) }), 11)
      t.equal(await visit((session) => { session.remove('count'); return session.update('count', increment) }), 1)
      t.same(await visit(async (session) => [await session.update('count', increment), session.isModified, session.get('count')]), [2, false, 2])
      await visit((session) => session.update('count', () => undefined))
      t.equal(await visit((session) => session.has('count')), false)
    })

    await t.test('update of a session that is not stored yet waits, like a set', async (t) => {
      const visit = browser()
      t.same(await visit(async (session) => [await session.update('count', increment), session.isNew, session.isModified]), [1, true, true])
      t.same(await visit((session) => session.data()), { count: 1 })
      t.equal(await browser()(async (session) => { await session.update('count', () => undefined); return session.isModified }), false)
    })

    await t.test('take gives a value once and removes it', async (t) => {
      const visit = browser()
      await visit((session) => session.setMany({ coupon: { code: 'X' }, a: 1 }))
      t.same(await visit((session) => session.take('coupon')), { code: 'X' })
      t.equal(await visit((session) => session.take('coupon')), null)
      t.same(await visit(async (session) => { session.set('coupon', 'Y'); return [await session.take('coupon'), session.get('coupon') ?? null] }), ['Y', null])
      t.same(await visit((session) => session.data()), { a: 1 })
      t.same(await browser()(async (session) => { session.set('b', 2); return [await session.take('b'), session.isModified] }), [2, false])
    })

    await t.test('update and take refuse what is no key, and what is no function', async (t) => {
      await browser()((session) => {
        t.throws(() => session.update(1 as unknown as string, () => 1), { code: 'FST_KEEP_INVALID_ARGUMENT' })
        t.throws(() => session.update('a', 1 as unknown as () => number), { code: 'FST_KEEP_INVALID_ARGUMENT', message: /a function/ })
        t.throws(() => session.take(Symbol('s') as unknown as string), { code: 'FST_KEEP_INVALID_ARGUMENT' })
      })
    })

    await t.test('what an update cannot store is refused, and what its function throws comes through', async (t) => {
      const visit = browser()
      await visit((session) => session.set('a', 1))
      await visit(async (session) => {
        await t.rejects(session.update('a', () => (() => {}) as unknown as string), { code: 'FST_KEEP_UNSTORABLE_VALUE' })
        await t.rejects(session.update('a', () => Promise.resolve(1) as unknown as number), { code: 'FST_KEEP_UNSTORABLE_VALUE' })
        await t.rejects(session.update('a', () => { throw new Error('of the app') }), { message: 'of the app' })
        const nothing: unknown = undefined
        t.equal(await session.update('a', () => { throw nothing }).catch((error) => error), undefined)
        await t.rejects(session.update('a', () => 'x'.repeat(2_000_000)), { code: 'FST_KEEP_TOO_LARGE' })
      })
      t.equal(await visit((session) => session.get('a')), 1)
    })

    await t.test('what an update is given is a copy of its own', async (t) => {
      const visit = browser()
      await visit((session) => session.set('cart', ['a']))
      await visit(async (session) => {
        const held = session.get('cart')
        await session.update('cart', (cart) => { (cart as string[]).push('b'); return cart })
        t.same(held, ['a'])
        t.same(session.get('cart'), ['a', 'b'])
      })
      t.same(await visit((session) => session.get('cart')), ['a', 'b'])
    })

    await t.test('isEnded tells of a session that a parallel request ended', async (t) => {
      const it = new Browser(app)
      act = (session) => session.set('a', 1)
      await it.visit('/')
      const stale = { ...it.cookies }
      act = (session) => session.isEnded
      t.equal((await it.visit('/')).json().answer, false)
      act = (session) => session.destroy()
      await it.visit('/')
      act = (session) => [session.isEnded, session.isNew, session.isModified]
      t.same((await app.inject({ url: '/', cookies: stale })).json().answer, [true, true, false])
      act = (session) => { session.regenerate(); session.set('b', 1); return session.isEnded }
      t.equal((await app.inject({ url: '/', cookies: stale })).json().answer, false, 'a login begins anew')
    })

    await t.test('reauthenticated keeps id, values and lifetime, and counts the time anew', async (t) => {
      const visit = browser()
      await visit((session) => { session.set('a', 1); session.lifetime({ idle: '2h', absolute: '3h' }) })
      const before = await visit((session) => [session.sessionId, session.createdAt])
      await delay(2)
      const after = await visit((session) => { session.reauthenticated(); return [session.sessionId, session.createdAt] })
      t.equal(after[0], before[0])
      t.ok(after[1] > before[1])
      const [id, createdAt, expiresAt, data] = await visit((session) => [session.sessionId, session.createdAt, session.expiresAt, session.data()])
      t.same([id, data], [before[0], { a: 1 }])
      t.ok(createdAt >= after[1])
      t.equal(Math.round((expiresAt - createdAt) / 3_600_000), 2)
    })

    await t.test('isNew, isModified, createdAt, expiresAt and sessionId tell how things stand', async (t) => {
      const visit = browser()
      t.same(await visit((session) => [session.isNew, session.isModified]), [true, false])
      t.same(await visit((session) => { session.set('a', 1); return [session.isNew, session.isModified] }), [true, true])
      const [isNew, isModified, createdAt, expiresAt, sessionId] = await visit((session) => [session.isNew, session.isModified, session.createdAt, session.expiresAt, session.sessionId])
      t.same([isNew, isModified], [false, false])
      t.ok(Date.now() - createdAt < 60_000)
      t.equal(Math.round((expiresAt - createdAt) / 60_000), 60)
      t.match(sessionId, /^[\w-]{24}$/)
      t.equal(await visit((session) => { session.set('a', 1); return session.isModified }), false, 'the same value again is no change')
      t.equal(await visit((session) => { session.set('a', 2); session.set('a', 1); return session.isModified }), false)
      t.equal(await visit((session) => { session.touch(); return session.isModified }), false, 'a renewal is none either')
      t.equal(await browser()((session) => { session.set('a', 1); session.clear(); session.destroy(); return session.isModified }), false)
    })

    await t.test('a session keeps its object: what was taken before regenerate and destroy still works', async (t) => {
      const visit = browser()
      await visit((session) => session.setMany({ a: 1, b: 2 }))
      const [before, after] = await visit((session) => {
        const { sessionId } = session
        session.regenerate(['a'])
        session.set('c', 3)
        return [sessionId, session.sessionId]
      })
      t.not(before, after)
      t.same(await visit((session) => [session.sessionId, session.data()]), [after, { a: 1, c: 3 }])
    })

    await t.test('the id a session tells is the one it gets', async (t) => {
      const ways: Act[] = [
        (session) => session.set('a', 1),
        (session) => { session.destroy(); session.set('a', 1) },
        (session) => { session.regenerate(); session.set('a', 1) },
        (session) => session.rotate()
      ]
      for (const way of ways) {
        const visit = browser()
        await visit((session) => session.set('b', 1))
        const told = await visit((session) => { way(session); return session.sessionId })
        t.equal(await visit((session) => session.sessionId), told)
      }
    })

    await t.test('of what was set before regenerate only what is listed goes along', async (t) => {
      const visit = browser()
      await visit((session) => { session.setMany({ a: 1, b: 2 }); session.regenerate(['a']); session.set('c', 3) })
      t.same(await visit((session) => session.data()), { a: 1, c: 3 })
    })

    await t.test('save and reload work in the middle of a request', async (t) => {
      const visit = browser()
      t.same(await visit(async (session) => {
        session.set('a', 1)
        const saved = await session.save()
        const modified = session.isModified
        session.set('a', 2)
        await session.reload()
        return [saved, modified, session.get('a'), session.isNew]
      }), [true, false, 1, false])
      t.equal(await visit((session) => session.get('a')), 1)
      t.same(await browser()(async (session) => { session.set('a', 1); await session.reload(); return session.data() }), {})
    })

    await t.test('regenerate takes a list of keys and nothing else', async (t) => {
      await browser()((session) => {
        t.throws(() => session.regenerate('userId' as unknown as string[]), { code: 'FST_KEEP_INVALID_ARGUMENT', message: /a list of keys/ })
        session.regenerate(['cookie', 'never there'])
      })
    })

    await t.test('lifetime refuses what is no duration', async (t) => {
      await browser()((session) => {
        for (const idle of [0, -1, 1.5, NaN, Infinity, '30 parsecs', '', new Date() as unknown as number, '401d']) {
          t.throws(() => session.lifetime({ idle: idle as number }), { code: 'FST_KEEP_INVALID_ARGUMENT', message: /idle/ }, String(idle))
        }
      })
    })

    await t.test('options refuses what a browser would drop', async (t) => {
      await browser()((session) => {
        t.throws(() => session.options({ sameSite: 'none' }), { code: 'FST_KEEP_INVALID_ARGUMENT', message: /secure/ })
        t.throws(() => session.options({ path: 'x' }), { code: 'FST_KEEP_INVALID_ARGUMENT', message: /path/ })
      })
    })

    await t.test('options changes the cookie of this response only', async (t) => {
      const it = new Browser(app)
      act = (session) => { session.set('a', 1); session.options({ path: '/admin', sameSite: 'strict', priority: 'high' }) }
      t.match(setCookies(await it.visit('/'))[0], /; Path=\/admin;.*Priority=High.*SameSite=Strict/)
      act = (session) => session.options({ partitioned: true, secure: true })
      t.match(setCookies(await it.visit('/'))[0], /; Path=\/; .*Partitioned/)
      act = (session) => session.get('a')
      t.same(setCookies(await it.visit('/')), [])
    })
  })
}
