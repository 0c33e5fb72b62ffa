// A process of its own: so many sessions expire at one moment. How long was the
// event loop ever kept from other work while they were removed, and what did each cost?
import { randomBytes } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import { setImmediate as turn } from 'node:timers/promises'
import { MemoryStore } from 'fastify-keep'

const sessions = Number(process.argv[2])

let ahead = 0
const clock = { now: () => Date.now() + ahead }
const store = new MemoryStore({ maxSessions: 10_000_000, sweepInterval: 10, clock })
const values = { count: '0', userId: '42', name: '"Ada Lovelace"', roles: '["reader","author"]', theme: '"dark"' }

for (let count = 0; count < sessions; count++) {
  const createdAt = clock.now()
  store.create(randomBytes(32).toString('base64url'), {
    values, createdAt, expiresAt: createdAt + 3_600_000, absoluteExpiresAt: createdAt + 86_400_000, version: 0, owner: null, about: null, lifetime: null, verifier: '', earlier: [], generation: 0, shown: true
  })
}
await turn()
globalThis.gc?.()

const cpu = process.cpuUsage()
ahead = 3_600_001 + 60_000 // all at once
let longest = 0
let last = performance.now()
while (store.size > 0) {
  await turn()
  const now = performance.now()
  longest = Math.max(longest, now - last)
  last = now
}
const { user, system } = process.cpuUsage(cpu)
process.send({ sessions, longest, perSession: (user + system) / sessions })
