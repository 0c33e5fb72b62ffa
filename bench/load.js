// The load, a process of its own: a fixed number of clients on kept connections,
// each sending its next request when the answer to the last one is there. Written
// on plain sockets, so that it is quicker than any server it asks.
import { connect } from 'node:net'
import { once } from 'node:events'

let clients = []

const answers = { open, run, close }

process.on('message', async ({ action, ...details }) => {
  try {
    process.send({ answer: await answers[action](details) ?? null })
  } catch (error) {
    process.send({ error: String(error.stack) })
  }
})
process.on('disconnect', () => process.exit())

/** Connects the clients; with a seed, each of them begins a session there. */
async function open ({ port, count, seed }) {
  clients = await Promise.all(Array.from({ length: count }, () => Client.connect(port)))
  if (seed === null) return
  for (const client of clients) {
    const reply = await client.ask(request('POST', seed, 'lang=en'))
    const cookies = [...reply.matchAll(/^set-cookie: ([^;\r\n]+)/gim)].map(([, pair]) => pair)
    client.cookie = ['lang=en', ...cookies].join('; ')
  }
}

/** Asks until the time is up, or until so many were answered; tells how many were, and in how many seconds. */
async function run ({ method, path, seconds = Infinity, requests = Infinity }) {
  const start = performance.now()
  const end = start + seconds * 1000
  let sent = 0
  const stayAwake = keepAwake()
  await Promise.all(clients.map((client) => client.repeat(request(method, path, client.cookie), () => {
    if (sent >= requests || performance.now() >= end) return false
    sent++
    return true
  })))
  stayAwake.stop()
  return { requests: sent, seconds: (performance.now() - start) / 1000 }
}

/**
 * Never lets this process sleep. Waking a sleeping process is paid by the one that
 * writes to it: a server slow enough for the load to fall asleep would pay for that too.
 */
function keepAwake () {
  let awake = true
  setImmediate(function again () { if (awake) setImmediate(again) })
  return { stop: () => { awake = false } }
}

function close () {
  for (const client of clients) client.end()
  clients = []
}

function request (method, path, cookie) {
  const body = method === 'POST' ? 'Content-Length: 0\r\n' : ''
  return Buffer.from(`${method} ${path} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\nCookie: ${cookie}\r\n${body}\r\n`, 'latin1')
}

class Client {
  cookie = 'lang=en'
  #socket
  #received = ''
  #answered = null
  #failed = null

  static async connect (port) {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true })
    await once(socket, 'connect')
    return new Client(socket)
  }

  constructor (socket) {
    this.#socket = socket
    socket.on('data', (chunk) => this.#receive(chunk))
    socket.on('error', (error) => this.#failed?.(error))
    socket.on('close', () => this.#failed?.(new Error('the server closed the connection')))
  }

  /** One request; resolves with the whole answer. */
  ask (bytes) {
    return new Promise((resolve, reject) => {
      this.#failed = reject
      this.#answered = resolve
      this.#socket.write(bytes)
    })
  }

  /** The same request while `more` says so. */
  repeat (bytes, more) {
    return new Promise((resolve, reject) => {
      this.#failed = reject
      this.#answered = () => {
        if (more()) this.#socket.write(bytes)
        else resolve()
      }
      this.#answered()
    })
  }

  end () {
    this.#failed = null
    this.#socket.destroy()
  }

  #receive (chunk) {
    this.#received += chunk.latin1Slice()
    const head = this.#received.indexOf('\r\n\r\n')
    if (head === -1) return
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(this.#received)?.[1])
    if (this.#received.length < head + 4 + length) return
    const reply = this.#received
    this.#received = ''
    if (reply.startsWith('HTTP/1.1 200')) this.#answered(reply)
    else this.#failed(new Error(`answered with ${reply}`))
  }
}
