// A path, as Fastify's router reads it.
import Fastify from 'fastify'
import t from 'tap'
import { decodedPath, isAt } from '../lib/http/routed-path.js'

t.test('a path is decoded as the router does it, and one that cannot be decoded is none', (t) => {
  t.equal(decodedPath('/%E2%82%AC?a=1#b'), '/€')
  t.equal(decodedPath('/a%2Fb%25'), '/a%2Fb%25', 'reserved characters and the percent sign stay')
  t.equal(decodedPath('http://example.com/a'), '/a')
  t.equal(decodedPath('/a;b'), '/a;b')
  t.equal(decodedPath('/a;b', { useSemicolonDelimiter: true }), '/a')
  t.equal(decodedPath('/%E0%A4%A'), null)
  t.equal(decodedPath('/%zz'), null)
  t.end()
})

t.test('no request is at a path that cannot be decoded', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  app.get('/*', async (request) => ['/%zz', '/a'].map((path) => isAt(request, path)))
  t.same((await app.inject('/a')).json(), [false, true])
})
