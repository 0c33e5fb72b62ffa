// What is measured. Every server answers the same routes (routes.js); a case says
// which one is asked, what the visitor's session holds, and how many visitors ask at once.

/** A visitor's session. */
export const small = { count: 0, userId: 42, name: 'Ada Lovelace', roles: ['reader', 'author'], theme: 'dark' }

/** 20 KB in 40 keys, besides those of the small one. */
export const large = {
  ...small,
  ...Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`part${index}`, 'x'.repeat(500)]))
}

const CLIENTS = 32

export const cases = [
  { name: 'untouched', title: 'session not touched, visitor without one', method: 'GET', path: '/untouched', seed: null, clients: CLIENTS, goal: { limit: 0.95, peer: 1.5 } },
  { name: 'untouched-known', title: 'session not touched, visitor has one', method: 'GET', path: '/untouched', seed: '/seed/small', clients: CLIENTS, goal: null },
  { name: 'read', title: 'read-only', method: 'GET', path: '/read', seed: '/seed/small', clients: CLIENTS, goal: { limit: 0.85, peer: 4 } },
  { name: 'read-index', title: 'read-only, by index access', method: 'GET', path: '/read-index', seed: '/seed/small', clients: CLIENTS, goal: null },
  { name: 'write', title: 'write', method: 'POST', path: '/write', seed: '/seed/small', clients: CLIENTS, goal: { limit: 0.65, peer: 3 } },
  { name: 'first-write', title: 'first write (login)', method: 'POST', path: '/first-write', seed: null, clients: CLIENTS, goal: { limit: 0.55, peer: 1.5 } },
  { name: 'large', title: '20 KB session, one key read', method: 'GET', path: '/read', seed: '/seed/large', clients: CLIENTS, goal: { limit: 0.75, peer: 6 } },
  { name: 'crowd', title: 'read-only, 200 parallel clients', method: 'GET', path: '/read', seed: '/seed/small', clients: 200, goal: null }
]
