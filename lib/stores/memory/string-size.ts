// What strings take in V8, and copies that take no more than that.

// Shorter text is never a slice of another, and hardly differs by width.
const MAX_SHORT = 12

const HEADER = 16

const beyondLatin1 = /[^\x00-\xff]/ // eslint-disable-line no-control-regex

const scratch = Buffer.allocUnsafeSlow(32 * 1024)

/**
 * The same text in memory of its own, one byte a character where that is enough.
 * V8 keeps a part of a string, such as a cookie's value, as a view that holds
 * the whole; and what was once cut from text with a `€` stays two bytes wide.
 */
export function compact (text: string): string {
  if (text.length <= MAX_SHORT) return text
  const narrow = text.length <= scratch.length
    ? scratch.toString('latin1', 0, scratch.write(text, 'latin1'))
    : Buffer.from(text, 'latin1').toString('latin1')
  return narrow === text ? narrow : Buffer.from(text, 'utf16le').toString('utf16le')
}

/** The bytes that `compact(text)` takes. The check is free where V8 knows that no character can be wider. */
export function stringSize (text: string): number {
  return text.length > MAX_SHORT && !beyondLatin1.test(text) ? sized(text.length) : sized(2 * text.length)
}

/** The bytes that a property's name takes at most: V8 may keep it two bytes wide whatever is in it. */
export function nameSize (name: string): number {
  return sized(2 * name.length)
}

function sized (bytes: number): number {
  return HEADER + ((bytes + 7) & ~7)
}
