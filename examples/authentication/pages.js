// The content of each page.
import { html } from './html.js'

export function home ({ visits }) {
  return html`
    <h1>Hello, visitor</h1>
    <p class="lead">This page remembers one thing about you: a number, in your session.</p>
    <section class="card counter">
      <output class="number">${visits}</output>
      <p>${visits === 1 ? 'visit' : 'visits'} to this page so far.<br><a href="/">Visit it again</a> and see it grow.</p>
    </section>
    <h2>Try the doors</h2>
    <ul class="cards">
      <li class="card"><h3><a href="/user">Your page</a></h3><p>Behind a shield: one guard before a whole part of the site.</p></li>
      <li class="card"><h3><a href="/user/notes">Notes</a></h3><p>Behind the same shield: a list that lives in your session.</p></li>
      <li class="card"><h3><a href="/devices">Devices</a></h3><p>Where you are logged in. Sign one out, and watch it happen there.</p></li>
      <li class="card"><h3><a href="/settings">Settings</a></h3><p>Behind a stricter guard: the login must not be older than five minutes.</p></li>
    </ul>
    <p><a class="button" href="/workshop">Try to break it in the workshop</a></p>`
}

export function login ({ demo, returnTo, email, message }) {
  const typed = email !== undefined
  return html`
    <h1>Log in</h1>
    ${message && html`<p class="message narrow ${typed && 'bad'}" role="alert" id="message">${message}</p>`}
    <form class="card stack narrow" method="post" action="/login">
      <input type="hidden" name="returnTo" value="${returnTo}">
      <label for="email">Email</label>
      <input id="email" name="email" type="email" autocomplete="username" required value="${email}" ${typed ? invalid : html`autofocus`}>
      <label for="password">Password</label>
      <input id="password" name="password" type="password" autocomplete="current-password" required ${typed && html`${invalid} autofocus`}>
      <label class="check"><input type="checkbox" name="remember"> Remember me for 30 days</label>
      <button>Log in</button>
    </form>
    <p class="hint">This is a demo: the email is <code>${demo.email}</code> and the password <code>${demo.password}</code>.</p>`
}

const invalid = html`aria-invalid="true" aria-describedby="message"`

export function goodbye () {
  return html`
    <h1>You are logged out</h1>
    <p class="lead">Your session has ended, here and on the server.</p>
    <p><a class="button" href="/login">Log in again</a></p>`
}

export function user ({ email, notes }) {
  return html`
    <h1>Your page</h1>
    <p class="lead">Only you see this, <strong>${email}</strong>.</p>
    <section class="card">
      <h2>Notes</h2>
      <p>${notes.length === 0 ? 'You have none yet.' : `You have ${notes.length}.`}</p>
      <p><a href="/user/notes">Write one</a></p>
    </section>`
}

export function notes ({ notes }) {
  return html`
    <h1>Notes</h1>
    <p class="lead">They live as long as your session.</p>
    <form class="card stack" method="post" action="/user/notes">
      <label for="text">New note</label>
      <input id="text" name="text" required maxlength="200" autocomplete="off">
      <button>Add</button>
    </form>
    ${notes.length > 0 && html`<ul class="notes">${notes.map((note) => html`<li class="card">${note}</li>`)}</ul>`}`
}

export function devices ({ sessions }) {
  return html`
    <h1>Your devices</h1>
    <p class="lead">Where you are logged in. Sign one out, and its open page says so within a second.</p>
    <ul class="devices">${sessions.map(device)}</ul>
    ${sessions.length > 1 && html`<form method="post" action="/devices/end-others"><button>Sign out all others</button></form>`}
    <p class="hint">Did somebody else use your password? <a href="/settings">Change it</a>: that signs out every other device, too.</p>`
}

function device ({ sessionId, createdAt, lastSeenAt, current, about }) {
  const name = about?.device ?? 'A browser'
  return html`<li class="card">
      <h2>${name}${current && html` <span class="mark">this device</span>`}</h2>
      <dl>
        <dt>Logged in</dt><dd>${time(createdAt)}</dd>
        <dt>Last seen</dt><dd>${time(lastSeenAt)}</dd>
      </dl>
      ${!current && html`<form method="post" action="/devices/end">
        <input type="hidden" name="sessionId" value="${sessionId}">
        <button class="quiet" aria-label="Sign out ${name}">Sign out</button>
      </form>`}
    </li>`
}

export function settings ({ email, sessionId, createdAt, expiresAt }, message) {
  return html`
    <h1>Settings</h1>
    <p class="lead">You logged in within the last five minutes, so this opened.</p>
    <section class="card">
      <h2>Your session</h2>
      <dl>
        <dt>Email</dt><dd>${email}</dd>
        <dt>Logged in</dt><dd>${time(createdAt)}</dd>
        <dt>Ends, if not used</dt><dd>${time(expiresAt)}</dd>
        <dt>Public name</dt><dd><code>${sessionId}</code></dd>
      </dl>
      <p class="hint">The public name is for lists and logs. It opens nothing.</p>
    </section>
    <h2>Change your password</h2>
    ${message && html`<p class="message narrow bad" role="alert" id="message">${message}</p>`}
    <form class="card stack narrow" method="post" action="/settings/password">
      <input type="hidden" name="email" autocomplete="username" value="${email}">
      <label for="password">New password</label>
      <input id="password" name="password" type="password" autocomplete="new-password" required minlength="8" ${message && invalid}>
      <button>Change it</button>
    </form>
    <p class="hint">Every other device is signed out.</p>`
}

export function notFound () {
  return html`
    <h1>Nothing here</h1>
    <p class="lead">There is no such page. <a href="/">Go home</a></p>`
}

function time (milliseconds) {
  const date = new Date(milliseconds)
  return html`<time datetime="${date.toISOString()}">${date.toISOString().slice(0, 16).replace('T', ' ')} UTC</time>`
}
