// Every call of a store, or of what a store stands on, waits for the scheduler:
// before it is applied, and again before its answer gets back.

/** What runs a call: the world, where there is one. */
export interface Gate {
  pass (call: string, apply: () => unknown): unknown
}

/** The functions of `target()`, each behind the gate. What else it has does not show. */
export function gated<T extends object> (names: ReadonlyArray<keyof T & string>, target: () => T, gate: () => Gate | null): T {
  const wrap = (name: keyof T & string) => (...args: unknown[]) => {
    const apply = () => (target()[name] as (...args: unknown[]) => unknown)(...args)
    const current = gate()
    return current === null ? apply() : current.pass(name, apply)
  }
  return Object.fromEntries(names.map((name) => [name, wrap(name)])) as T
}

/** The names of the functions that a store has, whatever its contract. */
export function functionsOf<T extends object> (store: T): Array<keyof T & string> {
  const known = ['read', 'create', 'update', 'touch', 'replace', 'destroy']
  return known.filter((name) => typeof (store as Record<string, unknown>)[name] === 'function') as Array<keyof T & string>
}

/** Calls that change nothing. */
export function isRead (call: string): boolean {
  return call === 'read' || call === 'get' || call === 'HGETALL'
}
