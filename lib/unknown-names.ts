// Options that nobody knows: nothing is ignored in silence.
import { didYouMean } from './did-you-mean.js'

/** What to write instead of the first name that is not among the known ones; `null` when each is. `hints` has what other libraries call it. */
export function unknownName (given: object, known: Iterable<string>, hints: Readonly<Record<string, string>> = {}): { readonly name: string, readonly fix: string } | null {
  const names = [...known]
  const name = Object.keys(given).find((each) => !names.includes(each))
  if (name === undefined) return null
  const near = didYouMean(name, names)
  const hint = Object.hasOwn(hints, name) ? hints[name] : undefined
  return { name, fix: hint ?? `there is no such option; ${near === null ? `the options are ${names.join(', ')}` : `did you mean ${near}?`}` }
}
