// What one layer says of a key, and what becomes of two.
import t from 'tap'
import { createToken } from '../../lib/record/token.js'
import { beginsAnew, isInScope, Layer, type Identity } from '../../lib/session/layer.js'

const lifetime = { idle: 1, absolute: 2, persistent: true }

t.test('a layer is empty until something is changed; a token alone is no change', async (t) => {
  const layer = new Layer()
  layer.token = createToken('')
  t.equal(layer.isEmpty, true)
  const changes: Array<(layer: Layer) => unknown> = [
    (layer) => layer.become('rotated'),
    (layer) => layer.clear(),
    (layer) => layer.written.set('a', '1'),
    (layer) => { layer.lifetime = null },
    (layer) => { layer.touchedAt = 0 }
  ]
  for (const change of changes) {
    const changed = new Layer()
    change(changed)
    t.equal(changed.isEmpty, false, String(change))
  }
})

t.test('it knows what was written, removed, or is out of scope, and nothing else', async (t) => {
  const layer = new Layer()
  t.equal(layer.lookUp('a'), undefined)
  layer.keepOnly(new Set(['b']))
  t.same([layer.lookUp('a'), layer.lookUp('b')], [null, undefined])
  layer.written.set('a', '1').set('b', null)
  t.same([layer.lookUp('a'), layer.lookUp('b')], ['1', null])
})

t.test('two scopes leave the keys of both, and what was written outside is dropped', async (t) => {
  const layer = new Layer()
  layer.written.set('a', '1').set('b', '2')
  layer.keepOnly('all')
  t.equal(layer.scope, 'all')
  layer.keepOnly(new Set(['b', 'c']))
  layer.keepOnly('all')
  layer.keepOnly(new Set(['c', 'd']))
  t.same([layer.scope, [...layer.written]], [new Set(['c']), []])
  t.same([isInScope('all', 'x'), isInScope(layer.scope, 'c'), isInScope(layer.scope, 'd')], [true, true, false])
})

t.test('an identity only rises', async (t) => {
  const order: Identity[] = ['same', 'rotated', 'reauthenticated', 'regenerated', 'destroyed']
  for (const [i, first] of order.entries()) {
    for (const [j, second] of order.entries()) {
      const layer = new Layer()
      layer.become(first)
      layer.become(second)
      t.equal(layer.identity, order[Math.max(i, j)])
      t.equal(beginsAnew(layer), Math.max(i, j) >= 3)
    }
  }
  t.equal(beginsAnew(null), false)
})

t.test('of two layers the upper one decides, where it knows', async (t) => {
  const [lower, upper] = [new Layer(), new Layer()]
  lower.written.set('a', '1').set('b', '2')
  Object.assign(lower, { lifetime, beganAt: 1, touchedAt: 2, token: createToken('') })
  const { token } = lower
  lower.under(upper)
  t.match(lower, { identity: 'same', lifetime, beganAt: 1, touchedAt: 2, token, scope: 'all' })
  upper.written.set('a', null).set('c', '3')
  Object.assign(upper, { lifetime: null, beganAt: 0, touchedAt: 4, token: createToken('') })
  upper.become('rotated')
  lower.under(upper)
  t.match(lower, { identity: 'rotated', lifetime: null, beganAt: 0, touchedAt: 4, token: upper.token })
  t.same([...lower.written], [['a', null], ['b', '2'], ['c', '3']])
})

t.test('a layer that clears leaves nothing of the one below, but what it writes', async (t) => {
  const [lower, upper] = [new Layer(), new Layer()]
  lower.written.set('a', '1')
  upper.clear()
  upper.written.set('b', '2')
  t.same([[...lower.under(upper).written], lower.lookUp('a')], [[['b', '2']], null])
})

t.test('a session that begins anew never takes the token of a rotation below it', async (t) => {
  for (const identity of ['regenerated', 'destroyed'] as const) {
    const [lower, upper] = [new Layer(), new Layer()]
    lower.become('rotated')
    lower.token = createToken('')
    upper.become(identity)
    t.equal(lower.under(upper).token, null)
  }
})

t.test('a token comes from the upper layer, and is not that of a session which the upper one replaces', async (t) => {
  const [lower, upper] = [createToken(''), createToken('')]
  const joined = (identity: Identity, token = null as typeof upper | null) => {
    const [below, above] = [new Layer(), new Layer()]
    below.token = lower
    above.become(identity)
    above.token = token
    return below.under(above).token
  }
  t.equal(joined('same'), lower)
  t.equal(joined('rotated'), lower)
  t.equal(joined('same', upper), upper)
  t.equal(joined('regenerated'), null)
  t.equal(joined('destroyed', upper), upper)
})
