// In the browser: says so on every open page when its session ends elsewhere.
const events = new EventSource('/devices/events')

events.addEventListener('ended', ({ data: reason }) => {
  events.close()
  // another tab of this browser has logged in again
  if (reason === 'replaced') location.reload()
  else tell()
})

// This page is being left: its own login or logout is no news
addEventListener('submit', () => events.close())

// It ended while the connection was down
events.addEventListener('error', () => {
  if (events.readyState === EventSource.CLOSED) tell()
})

// What the page showed is somebody's own: nothing of it stays
function tell () {
  const message = document.createElement('div')
  message.className = 'message bad'
  message.setAttribute('role', 'alert')
  const title = document.createElement('h1')
  title.textContent = 'You are signed out here.'
  message.append(title)
  const link = document.createElement('a')
  link.className = 'button'
  link.href = '/login'
  link.textContent = 'Log in again'
  document.querySelector('main').replaceChildren(message, link)
  document.querySelector('.account')?.remove()
}
