// What an app said of a browser, as a store gives it back.
import t from 'tap'
import { descriptionOf } from '../lib/http/describe-request.js'

t.test('a description comes back as it was, and what another program wrote there is none', (t) => {
  t.same(descriptionOf('{"device":"a phone"}'), { device: 'a phone' })
  for (const text of [null, '', '{', '[1]', '7', '"text"', 'null']) t.equal(descriptionOf(text), null, String(text))
  t.end()
})
