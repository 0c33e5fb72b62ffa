// The same sessions and users in every process: in PostgreSQL.
import pg from 'pg'
import { fromPg, PostgresStore } from 'fastify-keep/postgres'
import { demo } from './users.js'

export async function connect (url) {
  const pool = new pg.Pool({ connectionString: url })
  const store = new PostgresStore(fromPg(pool))
  await store.migrate()
  await pool.query('CREATE TABLE IF NOT EXISTS demo_users (email text PRIMARY KEY, password text NOT NULL)').catch(refuseOther)
  await pool.query('INSERT INTO demo_users VALUES ($1, $2) ON CONFLICT DO NOTHING', [demo.email, demo.password])
  return {
    store,
    users: {
      isPassword: async (email, password) => (await pool.query('SELECT FROM demo_users WHERE email = $1 AND password = $2', [email, password])).rowCount === 1,
      changePassword: async (email, password) => { await pool.query('UPDATE demo_users SET password = $2 WHERE email = $1', [email, password]) }
    }
  }
}

/** Both processes may make the table at the same moment. */
function refuseOther (error) {
  if (error.code !== '23505') throw error
}
