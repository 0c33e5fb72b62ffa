/** The options of a route that takes a form. Each of these fields is one text; anything else is answered with 400. */
export function form (...fields) {
  const properties = Object.fromEntries(fields.map((name) => [name, { type: 'string' }]))
  return { schema: { body: { type: 'object', properties } } }
}
