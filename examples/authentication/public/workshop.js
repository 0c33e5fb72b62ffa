// In the browser: runs the experiments of the workshop, and shows what came of them.
document.querySelector('#experiments').hidden = false

const [clock, minutes, store] = ['clock', 'minutes', 'store'].map((id) => document.getElementById(id))

let events = null

/** Sends a request of the workshop, and answers with its status and body. */
async function send (path, body = {}) {
  const response = await fetch(`/workshop/${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
  return { status: response.status, body: await response.json() }
}

async function begin () {
  await send('store', { isOff: false })
  const { body: { sessionId } } = await send('begin')
  clock.value = minutes.value = 0
  store.checked = true
  events?.close()
  events = new EventSource('/workshop/events')
  events.addEventListener('message', ({ data }) => show(JSON.parse(data)))
  await new Promise((resolve) => events.addEventListener('open', resolve, { once: true }))
  return sessionId
}

async function stateOf (sessionId) {
  return (await fetch(`/workshop/state?sessionId=${sessionId}`)).json()
}

const experiments = {
  async fifty () {
    const sessionId = await begin()
    await Promise.all(Array.from({ length: 50 }, () => [send('count'), send('naive-count')]).flat())
    const { keep, naive } = await stateOf(sessionId)
    return `fastify-keep counted ${keep.count} of 50; the naive session ${naive.count}.`
  },

  async logout () {
    const sessionId = await begin()
    const slow = send('slow')
    await send('end')
    const { body: { isKept } } = await slow
    const { keep, naive } = await stateOf(sessionId)
    const kept = !isKept && Object.keys(keep).length === 0 ? 'stayed ended' : 'came back'
    return `With fastify-keep the session ${kept}; the naive session ${naive === null ? 'stayed ended' : 'came back, with its values'}.`
  },

  async expiry () {
    await begin()
    await send('clock', { minutes: 29 })
    const before = await send('count')
    await send('clock', { minutes: 60 })
    const after = await send('count')
    await send('clock', { minutes: 0 })
    return `After 29 minutes: status ${before.status}. After 31 more: status ${after.status}, the session has expired.`
  },

  async outage () {
    await begin()
    await send('store', { isOff: true })
    const during = await send('count')
    await send('store', { isOff: false })
    const after = await send('count')
    return `While it was off: status ${during.status}, “${during.body.message}”. Afterwards: status ${after.status}, and the session is still there.`
  }
}

for (const button of document.querySelectorAll('[data-experiment]')) {
  const name = button.dataset.experiment
  button.addEventListener('click', async () => {
    const result = document.getElementById(name)
    button.disabled = true
    result.textContent = 'Running…'
    try {
      result.textContent = await experiments[name]()
    } catch {
      result.textContent = 'That did not work. Try it again.'
    }
    button.disabled = false
  })
}

/** What is done by hand, and what is said then. */
const byHand = {
  async begin () {
    await begin()
    return 'A session has begun.'
  },

  async send () {
    const { status, body } = await send('count')
    return `Status ${status}: ${status === 200 ? `the count is ${body.count}.` : body.message}`
  },

  async end () {
    const { status, body } = await send('end')
    return `Status ${status}: ${status === 200 ? 'the session has ended.' : body.message}`
  }
}

for (const [id, act] of Object.entries(byHand)) {
  document.getElementById(id).addEventListener('click', async () => {
    document.getElementById('hand').textContent = await act()
  })
}

clock.addEventListener('input', () => { minutes.value = clock.value })
clock.addEventListener('change', () => send('clock', { minutes: clock.value }))
store.addEventListener('change', () => send('store', { isOff: !store.checked }))

function show ({ name, reason, record, cookie }) {
  const stored = record === null ? 'no record' : JSON.stringify(record)
  document.getElementById('record').textContent = stored
  if (cookie !== undefined) document.getElementById('cookie').textContent = cookie
  if (name === undefined) return
  const line = document.createElement('li')
  const event = document.createElement('strong')
  event.textContent = reason === undefined ? name : `${name}, ${reason}`
  const values = document.createElement('code')
  values.textContent = stored
  line.append(event, ' ', values)
  const list = document.querySelector('#events')
  list.prepend(line)
  while (list.children.length > 12) list.lastElementChild.remove()
}
