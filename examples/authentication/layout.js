// What every page has around its content.
import { html } from './html.js'

const links = [
  ['/', 'Home'],
  ['/user', 'Your page'],
  ['/user/notes', 'Notes'],
  ['/devices', 'Devices'],
  ['/settings', 'Settings'],
  ['/workshop', 'Workshop']
]

const tower = html`<svg viewBox="0 0 24 24" width="26" height="26" aria-hidden="true"><path fill="currentColor" d="M4 3h4v3h2V3h4v3h2V3h4v7l-2 2v9h-4v-4a2 2 0 0 0-4 0v4H6v-9l-2-2z"/></svg>`

export function layout ({ title, content, email, flash, path }) {
  return html`<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <title>${title} · fastify-keep</title>
  <link rel="icon" href="data:,">
  <link rel="stylesheet" href="/style.css">
  ${email && html`<script src="/live.js" defer></script>`}
</head>
<body>
  <a class="skip" href="#main">Skip to the content</a>
  <header>
    <a class="brand" href="/">${tower}<span>fastify-keep</span></a>
    <nav aria-label="Main">${links.map(([href, name]) => link(href, name, path))}</nav>
    ${email ? logout(email) : html`<a class="button quiet" href="/login">Log in</a>`}
  </header>
  <main id="main" tabindex="-1">
    ${flash && html`<p class="message" role="status">${flash}</p>`}
    ${content}
  </main>
</body>
</html>
`
}

function link (href, name, path) {
  return html`<a href="${href}"${href === path && html` aria-current="page"`}>${name}</a>`
}

function logout (email) {
  return html`<form class="account" method="post" action="/logout">
      <span class="email">${email}</span>
      <button class="quiet">Log out</button>
    </form>`
}
