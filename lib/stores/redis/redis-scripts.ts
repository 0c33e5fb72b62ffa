// The conditional steps, as Lua that runs inside Redis. Each touches one key, so
// that any node of a Cluster can run it, and writes nothing before its condition
// is met. The first write decides whether a full server refuses: growing is
// refused there, while moving a deadline, shrinking and ending still work.
import { ENDED_FOR } from '../../record/record.js'
import { FIND_RECORD } from './find-record.js'
import { FIELD } from './redis-record.js'
import { script } from './redis-script.js'

// A client that gets no answer may send a command again; a step that would then count twice has a nonce.
const NONCES = `
local function is_repeated(nonces, nonce)
  return nonce ~= '' and nonces and string.find(' ' .. nonces .. ' ', ' ' .. nonce .. ' ', 1, true) ~= nil
end
local function with_nonce(nonces, nonce)
  local list = {nonce}
  for each in string.gmatch(nonces or '', '%S+') do
    if #list < 16 then list[#list + 1] = each end
  end
  return table.concat(list, ' ')
end`

// The new idle deadline as \`renewedExpiresAt\` has it; nil where the record has another lifetime by now.
const RENEWED = `
local function renewed(found, renew_to, at_most, tolerance, if_lifetime, if_absolute, is_owned, if_owner)
  local expires = found.expires
  if (found.lifetime or '') ~= if_lifetime or found.absolute ~= if_absolute then return nil end
  if is_owned == '1' and (found.owner or '') ~= if_owner then return nil end
  local current, most = tonumber(expires), tonumber(at_most)
  if current > most + tonumber(tolerance) then return at_most end
  if current >= tonumber(renew_to) then return expires end
  return renew_to
end
local function move_deadline(expires)
  redis.call('PEXPIRE', KEYS[1], math.max(1, tonumber(expires) - tonumber(ARGV[1])))
  redis.call('HSET', KEYS[1], '${FIELD.expiresAt}', expires)
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
const SIZES = `
local function sizes_of(clear, first, last)
  local sizes, before, after = {}, 0, 0
  local found = redis.call('HGETALL', KEYS[1])
  for i = 1, #found, 2 do
    if is_key(found[i]) then
      sizes[found[i]] = size_of(found[i], found[i + 1])
      before = before + sizes[found[i]]
    end
  end
  if clear == '1' then sizes = {} end
  for i = first, last, 2 do
    if is_key(ARGV[i]) then sizes[ARGV[i]] = size_of(ARGV[i], ARGV[i + 1]) end
  end
  for i = last + 1, #ARGV do sizes[ARGV[i]] = nil end
  for _, size in pairs(sizes) do after = after + size end
  return before, after
end`

// What was not set just now.
const DROP_OTHERS = `
local function drop_others(first, last)
  local stays, others = {}, {}
  for i = first, last, 2 do stays[ARGV[i]] = true end
  for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
    if is_key(field) and not stays[field] then others[#others + 1] = field end
  end
  each_thousand('HDEL', others, 1, #others)
end`

/** `now, ttl, verifier, field, value, …`: 1, or 0 when the id is taken; by this very record it is not. */
export const createScript = script(`${FIND_RECORD}${EACH_THOUSAND}
local found = find()
if found.is_live then return found.verifier == ARGV[3] and 1 or 0 end
if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('DEL', KEYS[1]) end
set_fields(4, #ARGV)
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1`)

/**
 * What is left out is empty: `now, generation, verifier, '1' if a lifetime is asked for, the lifetime, field of a value, '1' if it is there, the value, '1' to clear,
 * maximal size, new verifier, nonce, ttl, renewTo, atMost, tolerance, lifetime, absoluteExpiresAt, '1' if an owner is asked for, the owner, length of the token's fields, length of what to set,
 * field, value, …, field to drop, …`. Answers done, missing, conflict or too-large.
 */
export const updateScript = script(`${FIND_RECORD}${NONCES}${RENEWED}${EACH_THOUSAND}${KEY_FIELDS}${SIZES}${DROP_OTHERS}
local _, if_generation, if_verifier, is_timed, if_lived, value_field, is_there, value, clear, max_size, verifier, nonce, ttl, renew_to, at_most, tolerance, if_lifetime, if_absolute, is_owned, if_owner, token_count, count = unpack(ARGV, 1, 22)
local found = find()
if is_repeated(found.nonces, nonce) then return 'done' end
if not found.is_live then return 'missing' end
local is_applied = verifier ~= '' and found.verifier == verifier
if not is_applied and if_generation ~= '' and found.generation ~= if_generation then return 'conflict' end
if not is_applied and if_verifier ~= '' and found.verifier ~= if_verifier then return 'conflict' end
if not is_applied and is_timed == '1' and (found.lifetime or '') ~= if_lived then return 'conflict' end
if value_field ~= '' then
  local current = redis.call('HGET', KEYS[1], value_field)
  if is_there == '1' and current ~= value or is_there ~= '1' and current then return 'conflict' end
end
local first, last = 23, 22 + tonumber(count)
if is_applied then first = first + tonumber(token_count) end
local shrinks = first > last
if max_size ~= '' then
  local before, after = sizes_of(clear, first, last)
  if after > tonumber(max_size) and after > before then return 'too-large' end
  shrinks = after < before
end
-- a full server lets a script that has removed something go on
if shrinks and first <= last then redis.call('HDEL', KEYS[1], ARGV[first]) end
set_fields(first, last)
if clear == '1' then drop_others(first, last) end
each_thousand('HDEL', ARGV, last + 1, #ARGV)
if ttl ~= '' then
  redis.call('PEXPIRE', KEYS[1], ttl)
elseif renew_to ~= '' then
  local expires = renewed(found, renew_to, at_most, tolerance, if_lifetime, if_absolute, is_owned, if_owner)
  if expires and expires ~= found.expires then move_deadline(expires) end
end
redis.call('HINCRBY', KEYS[1], '${FIELD.version}', 1)
if nonce ~= '' then redis.call('HSET', KEYS[1], '${FIELD.nonces}', with_nonce(found.nonces, nonce)) end
return 'done'`)

/** `now, renewTo, atMost, tolerance, lifetime, absoluteExpiresAt, '1' if an owner is asked for, the owner`: done, missing or stale. */
export const touchScript = script(`${FIND_RECORD}${RENEWED}
local found = find()
if not found.is_live then return 'missing' end
local expires = renewed(found, unpack(ARGV, 2, 8))
if not expires then return 'stale' end
if expires ~= found.expires then move_deadline(expires) end
return 'done'`)

/** `now, generation or '', version or '', nonce, channel, message`: done, missing or conflict. The mark keeps the nonces, for commands that arrive again. */
export const destroyScript = script(`${FIND_RECORD}${NONCES}${EACH_THOUSAND}
local found = find()
if is_repeated(found.nonces, ARGV[4]) then return 'done' end
if not found.is_live then
  if not found.is_ended and ARGV[2] == '' and ARGV[3] == '' then redis.call('DEL', KEYS[1]) end
  return 'missing'
end
if ARGV[2] ~= '' and found.generation ~= ARGV[2] then return 'conflict' end
if ARGV[3] ~= '' and found.version ~= ARGV[3] then return 'conflict' end
-- A full server lets a script go on that began by removing; and a key that is removed as a whole cannot be written again while its slot moves.
local fields = redis.call('HKEYS', KEYS[1])
local last = table.remove(fields)
each_thousand('HDEL', fields, 1, #fields)
redis.call('HSET', KEYS[1], '${FIELD.endedAt}', ARGV[1], '${FIELD.nonces}', with_nonce(found.nonces, ARGV[4]))
if last ~= '${FIELD.nonces}' then redis.call('HDEL', KEYS[1], last) end
redis.call('PEXPIRE', KEYS[1], ${ENDED_FOR})
-- who is not allowed to tell ends the session all the same
redis.pcall('PUBLISH', ARGV[5], ARGV[6])
return 'done'`)
