// The users of this demo: one. A real app has them in its database, with a slow hash of each password (argon2, scrypt).
export const demo = { email: 'ada@example.com', password: 'demo-password' }

/** In this process, until it ends. */
export function demoUsers () {
  const passwords = new Map([[demo.email, demo.password]])
  return {
    isPassword: async (email, password) => passwords.has(email) && passwords.get(email) === password,
    changePassword: async (email, password) => { passwords.set(email, password) }
  }
}
