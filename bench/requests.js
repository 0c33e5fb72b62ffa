// CPU time per request: for every case, all variants in turn, round after round,
// each sample in a fresh process, so that no figure hangs on one process's luck.
import { startServer } from './processes.js'
import { median, spread } from './statistics.js'
import { verify } from './verify.js'

/** One figure per variant: `{ [name]: { cpu, cpuSpread, perSecond } }`, times in microseconds. */
export async function measureCase (load, { method, path, seed, clients }, servers, { rounds, seconds, warmup }) {
  const samples = Object.fromEntries(servers.map(({ name }) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const server of inTurn(servers, round)) {
      const { port, usage, fill, stop } = await startServer(server.file, { args: server.args })
      await load.open({ port, count: clients, seed })
      // by number, not by time: V8 compiles what has run often, however long that took
      await load.run({ method, path, requests: warmup, seconds: 10 })
      if (server.isFilled) {
        // after the warm-up, as in real life: code that V8 compiles while a heap is
        // filled stays slow, Node's own too. And once more, for the collector to finish.
        await fill()
        await load.run({ method, path, requests: warmup, seconds: 10 })
      }
      const before = await usage()
      const { requests, seconds: took } = await load.run({ method, path, seconds })
      const after = await usage()
      samples[server.name].push({ cpu: (after.cpu - before.cpu) / requests, perSecond: requests / took })
      await load.close()
      await stop()
    }
  }
  return Object.fromEntries(Object.entries(samples).map(([name, all]) => [name, summary(all)]))
}

/** Throws when a variant does not do what is timed. */
export async function verifyAll (servers) {
  for (const server of servers) {
    const { port, stop } = await startServer(server.file, { args: server.args })
    await verify(server, port)
    await stop()
  }
}

/** Everybody goes first once in a while. */
function inTurn (servers, round) {
  const first = round % servers.length
  return [...servers.slice(first), ...servers.slice(0, first)]
}

function summary (samples) {
  const cpu = samples.map((sample) => sample.cpu)
  return { cpu: median(cpu), cpuSpread: spread(cpu), perSecond: median(samples.map(({ perSecond }) => perSecond)) }
}
