// Misconfiguration stops the start, with an error that names option, value and mend.
import Fastify from 'fastify'
import t from 'tap'
import session, { MemoryStore, type SessionOptions } from '../index.js'
import { Browser, buildApp } from './fixtures/app.js'

const SECRET = 'a secret of at least 32 bytes, really'
const KEY = '3q2+7/ABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhs='
const OTHER_KEY = 'c0ffee00112233445566778899aabbccddeeff00112233445566778899aabbcc'

async function register (options: object): Promise<void> {
  const app = Fastify()
  try {
    await app.register(session, options as SessionOptions)
  } finally {
    await app.close()
  }
}

const refused: Array<[options: object, option: string, value: string, mend: RegExp]> = [
  [{ idleTimeout: '1 fortnight' }, 'idleTimeout', "'1 fortnight'", /'30m'/],
  [{ idleTimeout: 0 }, 'idleTimeout', '0', /above 0/],
  [{ idleTimeout: -5 }, 'idleTimeout', '-5', /above 0/],
  [{ idleTimeout: NaN }, 'idleTimeout', 'NaN', /milliseconds/],
  [{ idleTimeout: Infinity }, 'idleTimeout', 'Infinity', /milliseconds/],
  [{ idleTimeout: 1.5 }, 'idleTimeout', '1.5', /whole number/],
  [{ idleTimeout: new Date(0) }, 'idleTimeout', '1970', /milliseconds/],
  [{ absoluteTimeout: '2y' }, 'absoluteTimeout', "'2y'", /400 days/],
  [{ absoluteTimeout: null }, 'absoluteTimeout', 'null', /milliseconds/],
  [{ storeTimeout: false }, 'storeTimeout', 'false', /milliseconds/],
  [{ maxSize: 0 }, 'maxSize', '0', /bytes/],
  [{ maxSize: '1mb' }, 'maxSize', "'1mb'", /whole number/],
  [{ secret: 'short' }, 'secret', '5 bytes long', /32 bytes/],
  [{ secret: [SECRET, 'short'] }, 'secret', '5 bytes long', /32 bytes/],
  [{ secret: [] }, 'secret', 'of type object', /at least one/],
  [{ secret: 42 }, 'secret', 'of type number', /random string/],
  [{ secret: Buffer.from(SECRET) }, 'secret', 'of type object', /random string/],
  [{ property: '' }, 'property', "''", /adminSession/],
  [{ saveOn: 'sometimes' }, 'saveOn', "'sometimes'", /'always' or 'success'/],
  [{ onStoreError: 'ignore' }, 'onStoreError', "'ignore'", /'fail' or 'anonymous'/],
  [{ clock: () => 1 }, 'clock', 'Function', /now\(\)/],
  [{ store: new Map() }, 'store', 'Map', /read, create, update, touch, destroy; .* fromExpressStore\(store\)/],
  [{ store: { read () {}, create () {}, update () {}, touch () {} } }, 'store', 'Object', /the function destroy/],
  [{ store: null }, 'store', 'null', /needs the functions/],
  [{ cookie: 'sid' }, 'cookie', "'sid'", /object/],
  [{ cookie: null }, 'cookie', 'null', /object/],
  [{ cookie: { name: '' } }, 'cookie.name', "''", /'sid'/],
  [{ cookie: { name: 'my session' } }, 'cookie.name', "'my session'", /RFC 6265bis/],
  [{ cookie: { name: 'n'.repeat(4096) } }, 'cookie.name', 'nnn', /ignore/],
  [{ cookie: { path: 'app' } }, 'cookie.path', "'app'", /path such as/],
  [{ cookie: { path: '/a;b' } }, 'cookie.path', "'/a;b'", /path such as/],
  [{ cookie: { path: `/${'a'.repeat(1024)}` } }, 'cookie.path', '/aaa', /path such as/],
  [{ cookie: { domain: 'example.com; Secure' } }, 'cookie.domain', 'Secure', /host name/],
  [{ cookie: { domain: '' } }, 'cookie.domain', "''", /host name/],
  [{ cookie: { secure: 'yes' } }, 'cookie.secure', "'yes'", /'auto'/],
  [{ cookie: { sameSite: 'Lax' } }, 'cookie.sameSite', "'Lax'", /'lax'/],
  [{ cookie: { sameSite: 'none' } }, 'cookie.secure', "'auto'", /sameSite 'none' needs secure: true/],
  [{ cookie: { sameSite: 'none', secure: false } }, 'cookie.secure', 'false', /needs secure: true/],
  [{ cookie: { partitioned: true } }, 'cookie.secure', "'auto'", /partitioned cookie needs secure: true/],
  [{ cookie: { httpOnly: 1 } }, 'cookie.httpOnly', '1', /true or false/],
  [{ cookie: { priority: 'urgent' } }, 'cookie.priority', "'urgent'", /'high'/],
  [{ cookie: { name: '__Host-sid' } }, 'cookie.secure', "'auto'", /prefix of the cookie name needs secure/],
  [{ cookie: { name: '__host-sid', secure: true, path: '/app' } }, 'cookie.path', "'/app'", /__Host- needs path/],
  [{ cookie: { name: '__HOST-sid', secure: true, domain: 'example.com' } }, 'cookie.domain', "'example.com'", /__Host- allows no domain/],
  [{ cookie: { name: '__Secure-sid', secure: false } }, 'cookie.secure', 'false', /prefix/],
  [{ cookie: { name: '__Http-sid', secure: true, httpOnly: false } }, 'cookie.httpOnly', 'false', /httpOnly: true/],
  [{ cookie: { name: '__Host-Http-sid', secure: true, httpOnly: false } }, 'cookie.httpOnly', 'false', /httpOnly: true/],
  [{ cookie: { maxAge: 3600 } }, 'cookie.maxAge', '3600', /lifetime\({ persistent: true }\)/],
  [{ cookie: { signed: true } }, 'cookie.signed', 'true', /write secret/],
  [{ cookie: { same_site: 'lax' } }, 'cookie.same_site', "'lax'", /no such option; did you mean sameSite\?/],
  [{ idleTimeOut: '1h' }, 'idleTimeOut', "'1h'", /no such option; did you mean idleTimeout\?/],
  [{ sameSite: 'lax' }, 'sameSite', "'lax'", /no such option; the options are store, idleTimeout/],
  [{ idleTimeout: '25h' }, 'idleTimeout', "'25h'", /longer than absoluteTimeout, '24h': give absoluteTimeout, too/],
  [{ idleTimeout: '2h', absoluteTimeout: '1h' }, 'idleTimeout', "'2h'", /longer than absoluteTimeout, '1h'/],
  [{ onAmbiguousCookie: 'last' }, 'onAmbiguousCookie', "'last'", /'first' or 'refuse'/],
  [{ saveUninitialized: false }, 'saveUninitialized', 'false', /nothing is saved before something is stored/],
  [{ resave: true }, 'resave', 'true', /only what changed/],
  [{ rolling: true }, 'rolling', 'true', /renews itself/],
  [{ cookieName: 'id' }, 'cookieName', "'id'", /cookie: { name }/],
  [{ secrets: [SECRET] }, 'secrets', 'of type object', /write secret/],
  [{ encryption: KEY }, 'encryption', 'a string of 44 characters', /a list such as \[\{ id: '2026', key: process\.env\.SESSION_KEY \}\]: the first key seals, all open/],
  [{ encryption: { id: 'a', key: KEY } }, 'encryption', 'of type object', /a list such as/],
  [{ encryption: null }, 'encryption', 'null', /a list such as/],
  [{ encryption: [] }, 'encryption', 'an empty list', /or leave it out/],
  [{ encryption: ['plain'] }, 'encryption', "['plain']", /add a key, or leave the option out/],
  [{ encryption: [KEY] }, 'encryption[0]', 'a string of 44 characters', /give \{ id, key \}, or 'plain'/],
  [{ encryption: [null] }, 'encryption[0]', 'null', /give \{ id, key \}/],
  [{ encryption: [{ id: 'a', secret: KEY }] }, 'encryption[0].secret', 'unknown', /the options are id, key/],
  [{ encryption: [{ id: 'a', kye: KEY }] }, 'encryption[0].kye', 'unknown', /did you mean key\?/],
  [{ encryption: [{ id: 'a' }] }, 'encryption[0].key', 'of type undefined', /32 random bytes, as a Buffer or in hex or base64; make them with: node -p "crypto\.randomBytes\(32\)/],
  [{ encryption: [{ key: KEY }] }, 'encryption[0].id', 'of type undefined', /a short name such as '2026-11'/],
  [{ encryption: [{ id: KEY, key: 'a' }] }, 'encryption[0].id', 'a string of 44 characters', /a short name/],
  [{ encryption: [{ id: '', key: KEY }] }, 'encryption[0].id', 'a string of 0 characters', /a short name/],
  [{ encryption: [{ id: 'a$b', key: KEY }] }, 'encryption[0].id', 'a string of 3 characters', /letters, digits/],
  [{ encryption: [{ id: 'plain', key: KEY }] }, 'encryption[0].id', "'plain'", /not 'plain'/],
  [{ encryption: [{ id: 2026, key: KEY }] }, 'encryption[0].id', 'of type number', /a short name/],
  [{ encryption: [{ id: 'a', key: 'a passphrase' }] }, 'encryption[0].key', 'a string of 12 characters', /32 random bytes/],
  [{ encryption: [{ id: 'a', key: KEY.slice(0, -2) }] }, 'encryption[0].key', 'a string of 42 characters', /32 random bytes/],
  [{ encryption: [{ id: 'a', key: `${KEY.slice(0, 42)}F=` }] }, 'encryption[0].key', 'a string of 44 characters', /32 random bytes/],
  [{ encryption: [{ id: 'a', key: `${'ab'.repeat(31)}xy` }] }, 'encryption[0].key', 'a string of 64 characters', /32 random bytes/],
  [{ encryption: [{ id: 'a', key: Buffer.from(KEY) }] }, 'encryption[0].key', '44 bytes long', /32 random bytes/],
  [{ encryption: [{ id: 'a', key: Buffer.alloc(32) }] }, 'encryption[0].key', '32 times the same byte', /32 random bytes/],
  [{ encryption: [{ id: 'a', key: Buffer.from('0123456789abcdef0123456789abcdef') }] }, 'encryption[0].key', '32 letters rather than random bytes', /32 random bytes/],
  [{ encryption: [{ id: 'a', key: 42 }] }, 'encryption[0].key', 'of type number', /32 random bytes/],
  [{ encryption: [{ id: 'a', key: KEY }, { id: 'a', key: OTHER_KEY }] }, 'encryption', "a list with 'a' twice", /an id of its own/],
  [{ encryption: [{ id: 'a', key: KEY }, 'plain', 'plain'] }, 'encryption', "a list with 'plain' twice", /an id of its own/],
  [{ encryption: [{ id: 'a', key: KEY }, 'plain', { id: 'b', key: Buffer.from(KEY, 'base64') }] }, 'encryption[2].key', 'the key of another id', /a key of its own/],
  [{ encryptionKeys: [KEY] }, 'encryptionKeys', 'of type object', /did you mean encryption\?/],
  [{ key: Buffer.from(KEY, 'base64') }, 'key', 'of type object', /write encryption: \[\{ id, key \}\]/]
]

for (const [options, option, value, mend] of refused) {
  const name = JSON.stringify(options, (_key, each) => typeof each === 'number' || typeof each === 'function' ? String(each) : each).slice(0, 100)
  t.test(`refuses ${name}`, async (t) => {
    const error = await register(options).then(() => null, (error) => error)
    t.match(error, { code: 'FST_KEEP_INVALID_OPTION', message: mend })
    t.match(error.message, `session option ${option} is `)
    t.match(error.message, value)
    t.ok(error instanceof TypeError)
    for (const secret of [SECRET, KEY.slice(0, 8), OTHER_KEY.slice(0, 8)]) t.notOk(error.message.includes(secret))
  })
}

const accepted: object[] = [
  {},
  { idleTimeout: '1s', absoluteTimeout: '400d', storeTimeout: '1.5s' },
  { secret: SECRET }, { secret: [SECRET, `${SECRET}2`] },
  { store: new MemoryStore(), maxSize: 1, saveOn: 'success', onStoreError: 'anonymous' },
  { cookie: { name: '__Host-sid', secure: true } },
  { cookie: { name: '__Host-Http-sid', secure: true } },
  { cookie: { name: '__Secure-sid', secure: true, domain: '.example.com', path: '/app' } },
  { cookie: { domain: 'localhost', priority: undefined, sameSite: 'strict' } },
  { cookie: { sameSite: 'none', secure: true, partitioned: true } },
  { prefix: '/x', logLevel: 'warn' },
  { encryption: [{ id: '2026-11_a', key: KEY }, { id: 'b', key: OTHER_KEY }, 'plain'] },
  { encryption: ['plain', { id: 'a', key: KEY.replace('=', '') }] },
  { encryption: [{ id: 'a', key: new Uint8Array(Buffer.from(KEY, 'base64')) }] },
  { encryption: [{ id: 'a', key: Buffer.from(KEY, 'base64').toString('base64url') }] },
  { encryption: [{ id: 'a', key: Buffer.from(KEY, 'base64').toString('hex').toUpperCase() }] }
]

for (const options of accepted) {
  t.test(`accepts ${JSON.stringify(options).slice(0, 100)}`, async (t) => {
    await t.resolves(register(options))
  })
}

t.test('the options are only read, so frozen ones do', async (t) => {
  const cookie = Object.freeze({ name: 'id', path: '/' })
  const secret = Object.freeze([SECRET])
  const app = await buildApp(t, Object.freeze({ cookie, secret, idleTimeout: '1h' }))
  app.get('/', async ({ session }) => { session.set('a', 1); session.options({ path: '/x' }) })
  t.equal((await app.inject('/')).statusCode, 200)
  t.same(cookie, { name: 'id', path: '/' })
})

t.test('a change of the secrets after the start changes nothing', async (t) => {
  const secret = [SECRET]
  const app = await buildApp(t, { secret })
  secret[0] = 'another secret of at least 32 bytes'
  app.get('/', async ({ session }) => session.update('n', (n) => ((n as number | undefined) ?? 0) + 1))
  const browser = new Browser(app)
  await browser.visit('/')
  t.equal((await browser.visit('/')).body, '2')
})

t.test('a key that is changed after the start is still the one that was given', async (t) => {
  const key = Buffer.from(KEY, 'base64')
  const encryption = [{ id: 'a', key }]
  const app = await buildApp(t, { encryption })
  const same = await buildApp(t, { encryption: [{ id: 'a', key: KEY }], store: new MemoryStore() })
  key.fill(1)
  encryption.length = 0
  for (const each of [app, same]) {
    each.get('/', async ({ session }) => session.update('n', (n) => ((n as number | undefined) ?? 0) + 1))
    const browser = new Browser(each)
    await browser.visit('/')
    t.equal((await browser.visit('/')).body, '2')
  }
})

t.test('a session may hold maxSize bytes and not one more', async (t) => {
  const app = await buildApp(t, { maxSize: 100 })
  app.get('/:size', async ({ session, params }) => { session.set('k', 'x'.repeat(Number((params as { size: string }).size) - 3)) })
  app.get('/add', async ({ session }) => { session.set('other', 'x') })
  const browser = new Browser(app)
  t.equal((await browser.visit('/100')).statusCode, 200)
  for (const url of ['/101', '/add']) {
    const response = await browser.visit(url)
    t.equal(response.statusCode, 500)
    t.match(response.json(), { code: 'FST_KEEP_TOO_LARGE', message: /maxSize is 100; the largest keys are 'k' \(\d+\)/ })
  }
  const [first] = await Promise.all([app.inject('/99999999'), app.inject('/100')])
  t.equal(first.statusCode, 500)
})

t.test('a second session needs a property and a cookie of its own', async (t) => {
  const cases: Array<[SessionOptions, RegExp]> = [
    [{}, /request\.session is already in use.*property: 'adminSession'/],
    [{ property: 'adminSession' }, /the cookie 'sid' is already in use.*cookie: { name: 'admin' }/],
    [{ property: 'body', cookie: { name: 'b' } }, /request\.body is already in use/]
  ]
  for (const [options, message] of cases) {
    const app = Fastify()
    await app.register(session)
    await t.rejects(async () => { await app.register(session, options) }, { code: 'FST_KEEP_DUPLICATE_SESSION', message })
    await app.close()
  }
})
