// Whether an object that is a Date inside acts like one, too. Tests replace the class Date by one
// of their own, so neither its name nor its identity says so.

/** A Date's prototype of this realm or another, or that of a class that adds nothing to it, as fake timers have. */
export function isDatePrototype (prototype: object | null): boolean {
  if (prototype === null) return false
  return isBuiltIn(prototype) || (addsNothing(prototype) && isDatePrototype(Object.getPrototypeOf(prototype)))
}

/** Only a built-in function has this source text (ECMA-262, Function.prototype.toString). */
function isBuiltIn (prototype: object): boolean {
  const getTime: unknown = Object.getOwnPropertyDescriptor(prototype, 'getTime')?.value
  return typeof getTime === 'function' && Function.prototype.toString.call(getTime) === 'function getTime() { [native code] }'
}

function addsNothing (prototype: object): boolean {
  const [constructor, ...others] = Reflect.ownKeys(prototype)
  return constructor === 'constructor' && others.length === 0
}
