// Any string as PostgreSQL can hold it. Neither text nor jsonb takes U+0000 or half a surrogate pair, so these are
// written as U+001A and four digits, and so is U+001A itself.

const ESCAPE = '\u001a'
const UNSTORABLE = new RegExp(`[\0${ESCAPE}]|\\p{Surrogate}`, 'gu')
const IS_UNSTORABLE = new RegExp(UNSTORABLE.source, 'u')
const ESCAPED = new RegExp(`${ESCAPE}([0-9a-f]{4})`, 'g')

export function storedText (text: string): string {
  if (!IS_UNSTORABLE.test(text)) return text
  return text.replace(UNSTORABLE, (unit) => ESCAPE + unit.charCodeAt(0).toString(16).padStart(4, '0'))
}

export function textOf (stored: string): string {
  if (!stored.includes(ESCAPE)) return stored
  return stored.replace(ESCAPED, (_all, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
}

/** The bytes of a stored text before it was escaped, as SQL: half a pair counts three, as it does in `Buffer.byteLength`. */
export function bytesSql (column: string): string {
  return String.raw`octet_length(CASE WHEN position(chr(26) IN ${column}) = 0 THEN ${column} ELSE regexp_replace(regexp_replace(${column}, '\u001a00[01][0a]', 'x', 'g'), '\u001a[0-9a-f]{4}', 'xxx', 'g') END)`
}
