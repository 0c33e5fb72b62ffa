import { buildApp, demo } from './app.js'

const { PORT = 3000, HOST = '127.0.0.1' } = process.env

const app = buildApp()
const address = await app.listen({ port: Number(PORT), host: HOST })

console.log(`The example runs at ${address}
Log in with ${demo.email} and the password ${demo.password}`)
