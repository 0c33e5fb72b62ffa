/** A tagged template that escapes what is put into it; only what it made itself goes in as it is. */
export function html (strings, ...values) {
  return new Html(strings.map((text, index) => text + render(values[index])).join(''))
}

class Html {
  constructor (text) {
    this.text = text
  }

  toString () {
    return this.text
  }
}

function render (value) {
  if (value instanceof Html) return value.text
  if (Array.isArray(value)) return value.map(render).join('')
  if (value === undefined || value === null || value === false) return ''
  return String(value).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
