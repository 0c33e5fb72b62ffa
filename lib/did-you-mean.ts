// Which of the known names somebody most likely meant.

/** A name this much longer or different is another name, not a typo. */
const MAX_TYPOS = 2

/** The known name that is most like this one, or `null` when none is like it. Case, `_` and `-` do not count. */
export function didYouMean (name: string, known: Iterable<string>): string | null {
  const asked = plain(name)
  let nearest: string | null = null
  let fewest = Math.min(MAX_TYPOS, Math.floor(asked.length / 2)) + 1
  for (const candidate of known) {
    const typos = distance(asked, plain(candidate), fewest)
    if (typos < fewest) [nearest, fewest] = [candidate, typos]
  }
  return nearest ?? [...known].find((candidate) => isShortFor(asked, plain(candidate))) ?? null
}

function plain (name: string): string {
  return name.toLowerCase().replace(/[_-]/g, '')
}

/** `redirect` for `redirectTo`, `freshness` for `fresh`. */
function isShortFor (asked: string, candidate: string): boolean {
  const [short, long] = asked.length < candidate.length ? [asked, candidate] : [candidate, asked]
  return short.length >= 4 && long.startsWith(short)
}

/** How many letters were left out, added, changed or swapped (optimal string alignment distance); `limit` when at least as many. */
function distance (a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const changed = at(last, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1)
      row[j] = Math.min(changed, at(last, j) + 1, at(row, j - 1) + 1)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) row[j] = Math.min(at(row, j), at(beforeLast, j - 2) + 1)
    }
    [beforeLast, last] = [last, row]
  }
  return Math.min(at(last, b.length), limit)
}

function at (row: readonly number[], index: number): number {
  return row[index] as number
}
