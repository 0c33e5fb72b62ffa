// The README of this folder, from the figures of one run and the words in between.
import { cases } from './cases.js'
import { steps } from './steps.js'
import { redisVariants, variants } from './variants.js'

export function writeReport (figures) {
  return [
    '# The bench',
    'Written by `npm run bench` from its own figures (`figures.json`); change `report.js`, not this file.',
    picture(), judged(figures), explained(figures), everything(figures), held(figures), ...onRedis(figures), how(figures)
  ].join('\n\n') + '\n'
}

function picture () {
  return '![CPU time per request of every variant, case by case](picture.svg)'
}

function judged ({ requests }) {
  const rows = cases.filter(({ goal }) => goal !== null).map(({ name, title, goal }) => {
    const { limit, keep, 'fastify-session': peer, 'fastify-session-tuned': tuned } = requests[name]
    return [title,
      share(limit.cpu / keep.cpu), `${goal.limit} ${met(limit.cpu / keep.cpu, goal.limit)}`,
      times(peer.cpu / keep.cpu), times(tuned.cpu / keep.cpu), `${goal.peer} ${met(peer.cpu / keep.cpu, goal.peer)} / ${met(tuned.cpu / keep.cpu, goal.peer)}`]
  })
  return ['## fastify-keep against its goals',
    'Requests per second of CPU time, as ratios inside this run: of what Fastify with @fastify/cookie alone reaches, and over @fastify/session with its defaults and tuned (`saveUninitialized: false, rolling: false`).',
    table(['case', 'of the limit', 'goal', 'over @fastify/session', 'over it, tuned', 'goal (defaults / tuned)'], rows)].join('\n\n')
}

function explained ({ requests, steps: found }) {
  const rows = steps.map(({ server: { name }, title, why }, index) => {
    const { cpu, cpuSpread } = found[name]
    const added = index === 0 ? '' : (cpu - found[steps[index - 1].server.name].cpu).toFixed(2)
    return [title, `${cpu.toFixed(2)} ± ${(100 * cpuSpread).toFixed(1)} %`, added, share(found.limit.cpu / cpu), why]
  })
  return ['### Where a goal is missed',
    'A read-only request, built up from the limit to the whole package with the package\'s own functions, each step a server of its own (`servers/step.js`), in turn. Microseconds of CPU time per request.',
    table(['with', 'per request', 'more', 'of the limit', 'why it stays'], rows),
    '`node bench/profile.js read` lists every function, and `node bench/profile.js read limit` those of the limit.',
    ...beyondTheLimit(requests)].join('\n\n')
}

/** What no session library can reach, for the limit itself does not. */
function beyondTheLimit (requests) {
  const found = cases.filter(({ goal }) => goal !== null).flatMap(({ name, title, goal }) => {
    const { limit, 'fastify-session': peer, 'fastify-session-tuned': tuned } = requests[name]
    const reached = [peer, tuned].map(({ cpu }) => cpu / limit.cpu)
    return Math.min(...reached) >= goal.peer ? [] : [`${title}: the goal is ${goal.peer} ×, the limit reaches ${reached.map(times).join(' and ')}`]
  })
  if (found.length === 0) return []
  return [`Some goals over @fastify/session and over it, tuned, lie beyond the limit itself, which has no session at all:\n\n${found.map((line) => `- ${line}`).join('\n')}`]
}

function onRedis ({ redis }) {
  if (!redis) return []
  const rows = Object.entries(redis.requests).flatMap(([name, found]) => redisVariants.map(({ name: variant, title }) => {
    const { cpu, cpuSpread, perSecond } = found[variant]
    const { roundTrips, received, sent, microseconds } = redis.costs[name][variant]
    return [`${cases.find((each) => each.name === name).title}: ${title}`, `${cpu.toFixed(1)} µs ± ${(100 * cpuSpread).toFixed(1)} %`, count(Math.round(perSecond)),
      times(cpu / found['keep-redis'].cpu), roundTrips.toFixed(1), `${Math.round(received)} / ${Math.round(sent)}`, `${microseconds.toFixed(1)} µs`]
  }))
  return [['## On Redis',
    'The same requests with the sessions in a Redis of the bench\'s own, on a unix socket. Round trips, bytes to and from Redis and time inside Redis are those of one request, sent one after the other.',
    table(['', 'CPU per request', 'requests/s (wall)', 'fastify-keep is', 'round trips', 'bytes to / from', 'in Redis'], rows),
    `Memory in Redis per session of ${Object.keys(redis.bytesPerSession).map((name) => `${redisVariants.find((each) => each.name === name).title}: ${Math.round(redis.bytesPerSession[name])} bytes`).join('; ')}.`,
    ...onPaper(redis)].join('\n\n')]
}

/** From the figures: what a large site needs. */
function onPaper ({ requests, costs, bytesPerSession }) {
  const SESSIONS = 10_000_000
  const REQUESTS = 20_000
  const WRITES = 0.1
  const each = (what) => (1 - WRITES) * what('read') + WRITES * what('write')
  const cost = (field) => REQUESTS * each((name) => costs[name]['keep-redis'][field])
  const cores = REQUESTS * each((name) => requests[name]['keep-redis'].cpu) / 1e6
  return ['### On paper',
    `A site with ${count(SESSIONS)} live sessions like these and ${count(REQUESTS)} requests per second, one in ten of which changes its session, needs by the figures above:`,
    table(['', ''], [
      ['memory in Redis', `${(SESSIONS * bytesPerSession['keep-redis'] / 1e9).toFixed(1)} GB`],
      ['commands', `${count(Math.round(cost('roundTrips')))} per second`],
      ['network, to Redis and from it', `${(8 * cost('received') / 1e6).toFixed(0)} and ${(8 * cost('sent') / 1e6).toFixed(0)} Mbit/s`],
      ['Redis, which works on one core', `${(100 * cost('microseconds') / 1e6).toFixed(0)} % of it inside the commands, besides reading from and writing to the network`],
      ['application processes', `${cores.toFixed(1)} cores for Fastify and the session alone`]
    ]),
    'So the application comes first: its cores run out long before Redis does, and they are added one process at a time. The next limit is the one core of Redis, at several times these requests; from there on it is a Cluster, which every step is made for.']
}

function everything ({ requests }) {
  const sections = cases.map(({ name, title }) => {
    const { limit, keep } = requests[name]
    const rows = variants.map(({ name: variant, title }) => {
      const figure = requests[name][variant]
      if (figure === undefined) return [title, 'cannot', '', '', '', '']
      return [title, `${figure.cpu.toFixed(1)} µs`, `± ${(100 * figure.cpuSpread).toFixed(1)} %`, Math.round(figure.perSecond).toLocaleString('en'),
        share(limit.cpu / figure.cpu), times(figure.cpu / keep.cpu)]
    })
    return `### ${title}\n\n${table(['', 'CPU per request', 'spread', 'requests/s (wall)', 'of the limit', 'fastify-keep is'], rows)}`
  })
  return ['## Every case',
    'CPU time is user and system time of the server process, all its threads, garbage collection included. Spread is half the distance between the quartiles of the rounds.',
    ...sections].join('\n\n')
}

function held ({ memory, growth, expiry, dataBytes }) {
  const sizes = Object.keys(memory.keep)
  const memoryRows = Object.entries(memory).map(([name, found]) => [
    variants.find((variant) => variant.name === name).title, ...sizes.map((size) => found[size] === undefined ? 'not run' : `${Math.round(found[size])} bytes`)
  ])
  const grown = Object.keys(growth.read)
  const growthRows = Object.entries(growth).map(([name, found]) => [
    cases.find((each) => each.name === name).title, ...grown.map((size) => `${found[size].cpu.toFixed(1)} µs ± ${(100 * found[size].cpuSpread).toFixed(1)} %`)
  ])
  const expiryRows = expiry.map(({ sessions, longest, longestAlone, perSession }) => [count(sessions), `${longestAlone.toFixed(1)} ms`, `${longest.toFixed(1)} ms`, `${perSession.toFixed(2)} µs`])
  const largest = sizes.at(-1)
  return ['## Sessions held',
    `Memory of the process per session after a full garbage collection, sessions begun by real requests. Each holds ${dataBytes} bytes of keys and values, so with ${count(largest)} sessions fastify-keep takes ${Math.round(memory.keep[largest]) - dataBytes} bytes besides the data. @fastify/session's own store keeps the whole session object, and with it the request that began it.`,
    table(['sessions', ...sizes.map(count)], memoryRows),
    'CPU time per request of fastify-keep while other sessions live in its store. What a million add is V8\'s collector: every few thousand requests it empties the young generation, and for that it looks at each page of the old one. A larger young generation (`node --max-semi-space-size=64`) makes it look less often.',
    table(['live sessions', ...grown.map(count)], growthRows),
    'All sessions of the memory store expire at one moment. The longest time that other work had to wait until the last was gone, with the collector of V8 on the same thread (`--single-threaded-gc`) and, as usual, with its helper threads, which compete for the two cores of this machine; and the CPU time per session removed, garbage collection included. The memory stores of the other packages never remove anything on their own.',
    table(['sessions', 'longest stall by the sweep', 'with helper threads of V8', 'per session'], expiryRows)].join('\n\n')
}

function how ({ machine, settings: { rounds, seconds, warmup } }) {
  return `## How it was measured

\`npm run bench -- --rounds=${rounds} --seconds=${seconds}\` on ${machine.date}, commit ${machine.commit}: ${machine.processors}, ${machine.memory}, ${machine.system}, Node ${machine.node} (V8 ${machine.v8}); ${machine.placement}. The machine was shared with other work.

- Every variant is a server process of its own, asked over real HTTP/1.1 on 127.0.0.1 by a load process that keeps its connections open, one request at a time on each. Before anybody is timed, each is proven to keep one visitor's values apart from another's.
- Per case the variants take turns, ${rounds} rounds, in a fresh process each time: ${warmup.toLocaleString('en')} requests to warm up, then ${seconds} s that count. Figures are medians over the rounds.
- The load process never sleeps while it measures. Otherwise a server slow enough to let it fall asleep would pay for waking it.
- Same handlers everywhere, \`async\`, answering with a small JSON object; same kind of cookie: for the browser's session, HttpOnly, SameSite=Lax, path \`/\`. Every request also brings a cookie \`lang=en\`.
- The limit parses cookies, answers with values it simply has, and on a first write sends a cookie with \`randomUUID()\`.
- @fastify/session runs with its defaults and tuned with \`saveUninitialized: false, rolling: false\`, which suit it best; both store in its own memory store, which copies nothing and removes nothing. express-session runs with \`resave: false, saveUninitialized: false\`. @fastify/secure-session keeps everything in the cookie; 20 KB do not fit there.
- \`node bench/profile.js read\` lists where the microseconds go, function by function; the names of the other cases are in \`cases.js\`.`
}

function table (head, rows) {
  return [head, head.map((_, index) => index === 0 ? '---' : '---:'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n')
}

function met (ratio, goal) {
  return ratio >= goal ? 'met' : 'missed'
}

function share (ratio) {
  return ratio.toFixed(2)
}

function times (ratio) {
  return `${ratio.toFixed(1)} ×`
}

function count (number) {
  return Number(number).toLocaleString('en')
}
