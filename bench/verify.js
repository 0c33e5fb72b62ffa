// Before anybody is timed: does this server really keep sessions, one per visitor?
import assert from 'node:assert/strict'
import { large, small } from './cases.js'

export async function verify (variant, port) {
  const first = visitor(port)
  const second = visitor(port)
  assert.deepEqual(await first('GET', '/untouched'), { count: 0 })
  assert.deepEqual(await first('POST', '/first-write'), { count: 1 })
  assert.deepEqual(await first('GET', '/read'), { count: 1 })
  assert.deepEqual(await first('POST', '/seed/small'), { count: small.count })
  assert.deepEqual(await first('POST', '/write'), { count: 1 })
  assert.deepEqual(await first('POST', '/write'), { count: 2 })
  assert.deepEqual(await first('GET', '/read'), { count: 2 })
  assert.deepEqual(await first('GET', '/read-index'), { count: 2 })
  // the limit has one value for all: it stands for the work without a session
  if (variant.name !== 'limit') assert.notDeepEqual(await second('GET', '/read'), { count: 2 })
  if (variant.without.includes('large')) return
  assert.deepEqual(await second('POST', '/seed/large'), { count: large.count })
  assert.deepEqual(await second('GET', '/read'), { count: large.count })
}

/** Somebody with a cookie jar. */
function visitor (port) {
  const jar = new Map()
  return async (method, path) => {
    const headers = { cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; ') }
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method, headers })
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)
      jar.set(name, value)
    }
    assert.equal(response.status, 200, `${method} ${path}`)
    return response.json()
  }
}
