// The option that names other sites, checked.

/** Throws the caller's error for one option. */
type RefuseOption = (option: string, value: unknown, fix: string) => never

/** The scheme of an app's own pages, such as `capacitor`, and a host with or without a port. */
const ORIGIN_SHAPE = /^[a-z][a-z0-9+.-]*:\/\/([a-z0-9._-]+|\[[0-9a-f:]+\])(:\d+)?$/

/** The origins as a set. Each must be written as a browser sends it. */
export function trustedOrigins (origins: unknown, refuse: RefuseOption): ReadonlySet<string> {
  if (!Array.isArray(origins)) return refuse('trustedOrigins', origins, "give a list of origins, such as ['https://app.example.com']")
  for (const origin of origins) {
    const fix = fixOf(origin)
    if (fix !== null) refuse('trustedOrigins', origin, fix)
  }
  return new Set(origins as string[])
}

/** What to write instead; `null` for an origin. */
function fixOf (origin: unknown): string | null {
  if (typeof origin !== 'string') return "give origins such as 'https://app.example.com'"
  if (origin === 'null') return "that is the origin of every sandboxed frame and local file; let single routes be called from anywhere with config: { crossSite: 'allow' }"
  if (origin.includes('*')) return 'there are no patterns; name each origin'
  if (/^https?:/i.test(origin)) return fixOfWebOrigin(origin)
  return ORIGIN_SHAPE.test(origin) ? null : "give scheme and host, and a port where it is not the default, such as 'https://app.example.com'"
}

function fixOfWebOrigin (origin: string): string | null {
  const written = URL.canParse(origin) ? new URL(origin).origin : null
  if (written === null) return "give scheme and host, such as 'https://app.example.com'"
  return written === origin ? null : `browsers send '${written}'`
}
