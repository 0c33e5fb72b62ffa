// Who sends requests: browsers, each with a jar, and a thief who picks an old cookie.

export class Browsers {
  readonly #jars: Record<string, string | null> = { victim: null, other: null }
  /** Every token that a response ever set, in order. */
  readonly issued: string[] = []

  /** What this one would send now. */
  cookie (who: string, pick: number): string | null {
    if (who !== 'thief') return this.#jars[who] ?? null
    return this.issued[pick % Math.max(1, this.issued.length)] ?? null
  }

  /** The server has put these into a response: a thief on the way may have seen them. */
  sent (cookies: readonly string[]): void {
    for (const cookie of cookies) if (cookie !== '' && !this.issued.includes(cookie)) this.issued.push(cookie)
  }

  /** A response arrives. */
  receive (who: string, cookies: readonly string[]): void {
    for (const cookie of cookies) this.#jars[who] = cookie === '' ? null : cookie
  }
}
