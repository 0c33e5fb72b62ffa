// The page of experiments. workshop-client.js brings it to life.
import { html } from './html.js'

export function workshop () {
  return html`
    <h1>Workshop</h1>
    <p class="lead">Try what goes wrong with sessions elsewhere. It has a session of its own, which begins with the first button and does not touch your login.</p>
    <noscript><p class="message bad">These experiments send many requests at once, so they need JavaScript.</p></noscript>
    <div id="experiments" hidden>
      ${experiment('fifty', 'Fifty requests at once', 'Each adds one. A session that is read and written as a whole forgets most of them.', 'Send fifty', 'await session.update(\'count\', (count) => count + 1)')}
      ${experiment('logout', 'A logout against a slow request', 'A request is still working when you log out, and stores something a second later.', 'Begin, and log out', 'session.destroy()')}
      ${experiment('expiry', 'Thirty minutes later', 'The clock of this session is moved. Deadlines are kept on the server, so it does not matter what the browser does with the cookie.', 'Move the clock', "register(session, { idleTimeout: '30m' })")}
      ${experiment('outage', 'The store is away', 'It is switched off for one request. Nobody is let through, and nothing of the cause reaches the browser.', 'Switch it off', "register(session, { onStoreError: 'fail' })")}
      <section class="card" aria-labelledby="told">
        <h2 id="told">What the server tells</h2>
        <p class="hint">Events of your session on <code>node:diagnostics_channel</code>, and the record as it is then.</p>
        <ol class="events" id="events" aria-live="off"></ol>
      </section>
    </div>
    <script src="/workshop.js" defer></script>`
}

function experiment (id, title, text, action, code) {
  return html`<section class="card experiment" aria-labelledby="${id}-title">
        <h2 id="${id}-title">${title}</h2>
        <p>${text}</p>
        <pre><code>${code}</code></pre>
        <button data-experiment="${id}">${action}</button>
        <p class="result" role="status" id="${id}"></p>
      </section>`
}
