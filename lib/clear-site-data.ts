// The option that says what a browser is to forget at a logout, checked.

/** Throws the caller's error for one option. */
type RefuseOption = (option: string, value: unknown, fix: string) => never

/** By W3C Clear Site Data, and what Chromium added. */
const KINDS = ['cache', 'storage', 'cookies', 'executionContexts', 'prefetchCache', 'prerenderCache', 'clientHints']

/** The header's value, `null` for none. */
export function clearSiteDataHeader (kinds: unknown, refuse: RefuseOption): string | null {
  if (kinds === undefined) return null
  if (!Array.isArray(kinds) || kinds.length === 0) return refuse('clearSiteData', kinds, "give a list such as ['cache', 'storage'], or leave it out")
  for (const kind of kinds) {
    if (kind === '*') refuse('clearSiteData', kind, "that takes the cookies of the whole domain along, and what browsers add later; name what to clear, such as ['cache', 'storage']")
    if (!KINDS.includes(kind)) refuse('clearSiteData', kind, `browsers know ${KINDS.map((each) => `'${each}'`).join(', ')}`)
  }
  return [...new Set(kinds)].map((kind) => `"${kind}"`).join(', ')
}
