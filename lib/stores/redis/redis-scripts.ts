// The conditional steps, as Lua that runs inside Redis. Each touches one key, so
// that any node of a Cluster can run it, and writes nothing before its condition
// is met. The first write decides whether a full server refuses: adding is
// refused there, while moving a deadline, removing and ending still work.
import { createHash } from 'node:crypto'

/** A script, and the hash by which Redis knows it. */
export interface RedisScript {
  readonly source: string
  readonly sha1: string
}

// ARGV[1] is the app's time in every script: a deadline means the same here and there.
const IS_LIVE = `
local function is_live(expires)
  return expires and (tonumber(expires) or 0) > tonumber(ARGV[1])
end`

// Lua takes only so many arguments in one call.
const EACH_THOUSAND = `
local function each_thousand(command, list, first, last)
  for i = first, last, 1000 do
    redis.call(command, KEYS[1], unpack(list, i, math.min(i + 999, last)))
  end
end
local function set_fields(first, last) each_thousand('HSET', ARGV, first, last) end`

// Which fields hold keys of the user, and their bytes as `sizeOf` counts them: a
// key that is written as JSON has escapes, and half a surrogate pair counts three.
const KEY_FIELDS = `
local function is_key(field)
  local mark = string.sub(field, 1, 1)
  return mark == ':' or mark == '"'
end
local function size_of(field, value)
  if string.sub(field, 1, 1) == ':' then return #field - 1 + #value end
  local text = string.sub(field, 2, -2)
  text = string.gsub(text, '\\\\\\\\', 'x')
  text = string.gsub(text, '\\\\u00%x%x', 'x')
  text = string.gsub(text, '\\\\u[dD]%x%x%x', 'xxx')
  text = string.gsub(text, '\\\\.', 'x')
  return #text + #value
end`

// Reads a record whole: what is in there decides, not how many fields there are.
const OUTGROWS = `
local function outgrows(max, last)
  local sizes, before, after = {}, 0, 0
  local found = redis.call('HGETALL', KEYS[1])
  for i = 1, #found, 2 do
    if is_key(found[i]) then
      sizes[found[i]] = size_of(found[i], found[i + 1])
      before = before + sizes[found[i]]
    end
  end
  if ARGV[4] == '1' then sizes = {} end
  for i = 8, last, 2 do
    if is_key(ARGV[i]) then sizes[ARGV[i]] = size_of(ARGV[i], ARGV[i + 1]) end
  end
  for i = last + 1, #ARGV do sizes[ARGV[i]] = nil end
  for _, size in pairs(sizes) do after = after + size end
  return after > max and after > before
end`

const WRITE_RECORD = `
if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('DEL', KEYS[1]) end
set_fields(3, #ARGV)
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1`

/** `now, ttl, field, value, …`: 1, or 0 when the id is taken. */
export const createScript = script(`${IS_LIVE}${EACH_THOUSAND}
if is_live(redis.call('HGET', KEYS[1], 'e')) then return 0 end
${WRITE_RECORD}`)

/** `now, ttl, field, value, …`: writes the record whatever is there. */
export const writeScript = script(`${EACH_THOUSAND}
${WRITE_RECORD}`)

/**
 * `now, version or '', nonce or '', '1' to clear, ttl or '', maximal size or '', length of what to set, field, value, …, field to drop, …`:
 * done, missing, conflict or too-large. The nonce tells an update that a client sent twice.
 */
export const updateScript = script(`${IS_LIVE}${EACH_THOUSAND}${KEY_FIELDS}${OUTGROWS}
local found = redis.call('HMGET', KEYS[1], 'e', 'v', 'n')
if not is_live(found[1]) then return 'missing' end
if ARGV[2] ~= '' and found[2] ~= ARGV[2] then
  if found[3] == ARGV[3] then return 'done' end
  return 'conflict'
end
local last = 7 + tonumber(ARGV[7])
if ARGV[6] ~= '' and outgrows(tonumber(ARGV[6]), last) then return 'too-large' end
if ARGV[4] == '1' then
  local keys = {}
  for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
    if is_key(field) then keys[#keys + 1] = field end
  end
  each_thousand('HDEL', keys, 1, #keys)
end
set_fields(8, last)
each_thousand('HDEL', ARGV, last + 1, #ARGV)
if ARGV[5] ~= '' then redis.call('PEXPIRE', KEYS[1], ARGV[5]) end
redis.call('HINCRBY', KEYS[1], 'v', 1)
return 'done'`)

/** `now, ttl, expiresAt`: 1, or 0 when there is no record. */
export const touchScript = script(`${IS_LIVE}
if not is_live(redis.call('HGET', KEYS[1], 'e')) then return 0 end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('HSET', KEYS[1], 'e', ARGV[3])
return 1`)

/**
 * `now, version or '', nonce`: ends the record so that another can take its place;
 * 1, or 0 when there is none or it is at another version. For a minute the nonce
 * stays behind, and a client that sends the command twice is told the same again.
 */
export const concedeScript = script(`${IS_LIVE}
local found = redis.call('HMGET', KEYS[1], 'e', 'v', 'n')
if not found[1] and found[3] == ARGV[3] then return 1 end
if not is_live(found[1]) or (ARGV[2] ~= '' and found[2] ~= ARGV[2]) then return 0 end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'n', ARGV[3])
redis.call('PEXPIRE', KEYS[1], 60000)
return 1`)

/** `now, version`: 1 when it is gone, 0 when it is at another version. */
export const destroyScript = script(`${IS_LIVE}
local found = redis.call('HMGET', KEYS[1], 'e', 'v')
if is_live(found[1]) and found[2] ~= ARGV[2] then return 0 end
redis.call('DEL', KEYS[1])
return 1`)

function script (source: string): RedisScript {
  return { source, sha1: createHash('sha1').update(source).digest('hex') }
}
