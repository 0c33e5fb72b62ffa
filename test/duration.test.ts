// Durations as users write them, and those that no session can live by.
import t from 'tap'
import { deadlineFix, toDeadline, toMilliseconds } from '../lib/duration.js'

const units: Array<[names: string[], milliseconds: number]> = [
  [['ms', 'msec', 'msecs', 'millisecond', 'milliseconds'], 1],
  [['s', 'sec', 'secs', 'second', 'seconds'], 1000],
  [['m', 'min', 'mins', 'minute', 'minutes'], 60_000],
  [['h', 'hr', 'hrs', 'hour', 'hours'], 3_600_000],
  [['d', 'day', 'days'], 86_400_000],
  [['w', 'week', 'weeks', 'wk', 'wks'], 604_800_000],
  [['y', 'year', 'years', 'yr', 'yrs'], 31_557_600_000]
]

t.test('every unit that the type lists is read, with a space and without', async (t) => {
  for (const [names, milliseconds] of units) {
    for (const name of names) for (const text of [`1${name}`, `1 ${name}`]) t.equal(toMilliseconds(text), milliseconds, text)
  }
  t.equal(toMilliseconds('1.5h'), 5_400_000)
})

t.test('a deadline is a second at least, and a duration need not be', async (t) => {
  for (const duration of [1, 60, 999, '1ms', '0.5s', '999 ms']) {
    t.equal(toDeadline(duration), null, String(duration))
    t.ok(toMilliseconds(duration), String(duration))
  }
  for (const duration of [1000, '1s', '1000ms']) t.equal(toDeadline(duration), 1000, String(duration))
  t.equal(toDeadline('400d'), 400 * 86_400_000)
  for (const duration of [0, -1, 1.5, NaN, '401d', 'soon', '', null, undefined, true]) t.equal(toDeadline(duration), null, String(duration))
})

t.test('each refusal says what to write instead', async (t) => {
  t.equal(deadlineFix(60), "milliseconds; did you mean '60s'?")
  t.equal(deadlineFix('500ms'), "less than a second; give at least '1s'")
  t.match(deadlineFix('soon'), /whole number of milliseconds above 0/)
  t.match(deadlineFix(0), /whole number of milliseconds above 0/)
})
