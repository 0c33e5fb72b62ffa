// The signer, held to the one of @fastify/cookie, whose cookies stay valid.
import { Signer } from '@fastify/cookie'
import fc from 'fast-check'
import t from 'tap'
import { CookieSigner } from '../lib/cookie-signer.js'
import { fuzzRuns } from './fixtures/fuzz-runs.js'

const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 200 }), fc.base64String({ maxLength: 200 }), fc.constantFrom('', '.', 'a.b', '\uD800', 'ü'.repeat(99)))
const secrets = fc.array(fc.string({ unit: 'binary', minLength: 1, maxLength: 150 }), { minLength: 1, maxLength: 4 })
const numRuns = fuzzRuns(500)

t.test('a value is signed as @fastify/cookie signs it, whatever it and the secret are', (t) => {
  fc.assert(fc.property(secrets, fc.array(text), (secrets, values) => {
    const [ours, theirs] = [new CookieSigner(secrets), new Signer(secrets)]
    for (const value of values) if (ours.sign(value) !== theirs.sign(value)) return false
    return true
  }), { numRuns })
  t.pass('always')
  t.end()
})

t.test('each secret opens what it signed, and only the first needs no renewal', (t) => {
  fc.assert(fc.property(secrets, text, fc.nat(3), (secrets, value, index) => {
    const signed = new Signer(secrets[index % secrets.length] as string).sign(value)
    const theirs = new Signer(secrets).unsign(signed)
    const ours = new CookieSigner(secrets).verify(signed, 16)
    return theirs.valid && ours.value === theirs.value && ours.renew === theirs.renew
  }), { numRuns })
  t.pass('always')
  t.end()
})

t.test('what was changed by a character, cut or made up opens exactly where it does with @fastify/cookie', (t) => {
  const secret = ['a secret of at least 32 bytes, really']
  const [ours, theirs] = [new CookieSigner(secret), new Signer(secret)]
  const characters = fc.oneof(fc.string({ minLength: 1, maxLength: 1 }), fc.constantFrom('=', '\u0141', 'ü', '\uD800', '.'))
  const signed = theirs.sign('value')
  const changed = fc.tuple(fc.nat(signed.length), fc.nat(2), characters).map(([at, cut, put]) => signed.slice(0, at) + put + signed.slice(at + cut))
  fc.assert(fc.property(fc.oneof(changed, text), (given) => {
    const { valid, value } = theirs.unsign(given)
    return ours.verify(given, 16).value === (valid ? value : null)
  }), { numRuns: numRuns * 4 })
  for (const last of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/') {
    const other = signed.slice(0, -1) + last
    t.equal(ours.verify(other, 16).value, other === signed ? 'value' : null, 'one signature has one spelling')
  }
  t.end()
})

t.test('no more secrets are tried than it is told, and it says how many', (t) => {
  const secrets = ['one', 'two', 'three']
  const signer = new CookieSigner(secrets)
  const byThree = new Signer('three').sign('x')
  t.equal(signer.secretCount, 3)
  t.same(signer.verify(byThree, 16), { value: 'x', renew: true, checks: 3 })
  t.same(signer.verify(byThree, 2), { value: null, renew: false, checks: 2 })
  t.same(signer.verify(byThree, 0), { value: null, renew: false, checks: 0 })
  t.same(signer.verify('x.short', 16), { value: null, renew: false, checks: 0 })
  t.same(signer.verify('none', 16), { value: null, renew: false, checks: 0 })
  t.end()
})

t.test('a secret may be shorter than a block of the hash, as long, and longer', async (t) => {
  for (const length of [1, 32, 63, 64, 65, 128, 1000]) {
    const secrets = ['s'.repeat(length)]
    const signed = new Signer(secrets).sign('value')
    t.equal(new CookieSigner(secrets).sign('value'), signed, String(length))
    t.equal(new CookieSigner(secrets).verify(signed, 16).value, 'value')
  }
})
