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
      <li class="card"><h3><a href="/settings">Settings</a></h3><p>Behind a guard of its own: the login must be five minutes young.</p></li>
    </ul>`
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
    <p class="lead">Your session is gone, here and on the server.</p>
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

export function settings ({ email, sessionId, createdAt, expiresAt }) {
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
      <p class="hint">The public name is a hash of what your cookie holds: it opens nothing.</p>
    </section>`
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
