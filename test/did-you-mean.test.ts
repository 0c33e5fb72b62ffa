// didYouMean: the known name that was most likely meant.
import t from 'tap'
import { didYouMean } from '../lib/did-you-mean.js'

const known = ['statusCode', 'redirectTo', 'fresh', 'except', 'property', 'idle', 'absolute', 'persistent', 'maxSize', 'sameSite']

t.test('typos, other cases and shorter names lead to the name', async (t) => {
  const meant = {
    freshh: 'fresh',
    fres: 'fresh',
    frehs: 'fresh',
    freesh: 'fresh',
    frash: 'fresh',
    idel: 'idle',
    persistant: 'persistent',
    absolut: 'absolute',
    absolutte: 'absolute',
    redirectto: 'redirectTo',
    redirect_to: 'redirectTo',
    'redirect-to': 'redirectTo',
    REDIRECTTO: 'redirectTo',
    redirect: 'redirectTo',
    status: 'statusCode',
    samesite: 'sameSite',
    freshness: 'fresh',
    excpet: 'except',
    expect: 'except'
  }
  for (const [name, expected] of Object.entries(meant)) t.equal(didYouMean(name, known), expected, name)
})

t.test('the nearest of several is taken, an exact one first', async (t) => {
  t.equal(didYouMean('hat', ['cat', 'chat', 'hat']), 'hat')
  t.equal(didYouMean('paths', new Set(['parts', 'path'])), 'path')
})

t.test('another name leads nowhere', async (t) => {
  for (const name of ['', 'x', 'id', 'ttl', 'cookie', 'secret', 'toString', '__proto__', 'a'.repeat(1000)]) t.equal(didYouMean(name, known), null, name.slice(0, 20))
  t.equal(didYouMean('fresh', []), null)
})
