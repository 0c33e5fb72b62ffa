// The steps on the list of one owner, as Lua. A list is a sorted set of ids by their deadlines; the score 0 is a mark,
// which no deadline removes. Each script drops first what has expired, so that nothing else has to arrive for a list to stay short;
// and a full server, which refuses a script that begins by adding, lets one go on that began by removing.
import { script } from './redis-script.js'

// ARGV[1] is the app's time in every script.
const LIST = `
local function drop_expired()
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '(0', ARGV[1])
end
local function marked()
  return redis.call('ZRANGEBYSCORE', KEYS[1], 0, 0)
end
local function mark(ids)
  for first = 1, #ids, 1000 do
    local scored = {}
    for i = first, math.min(first + 999, #ids) do
      scored[#scored + 1] = 0
      scored[#scored + 1] = ids[i]
    end
    redis.call('ZADD', KEYS[1], unpack(scored))
  end
end
-- The key lives as long as its longest session, and is never given less: a mark has no deadline of its own.
local function live_until(expires)
  local ttl = math.max(1, tonumber(expires) - tonumber(ARGV[1]))
  if redis.call('PTTL', KEYS[1]) < ttl then redis.call('PEXPIRE', KEYS[1], ttl) end
end`

/** `now, id, expiresAt, limit or '', '1' to refuse, the id it replaces or '', '1' for a successor`: the result, then every marked id. */
export const addScript = script(`${LIST}
local _, id, expires, limit, refuses, replaced, is_successor = unpack(ARGV)
drop_expired()
local function answer(result)
  local list = marked()
  table.insert(list, 1, result)
  return list
end
local function is_live(each)
  return (tonumber(redis.call('ZSCORE', KEYS[1], each) or '0')) > 0
end
if is_successor == '1' and redis.call('ZSCORE', KEYS[1], replaced) == '0' then return answer('ended') end
if limit ~= '' then
  local others = redis.call('ZCOUNT', KEYS[1], '(0', '+inf')
  if is_live(id) then others = others - 1 end
  if replaced ~= id and is_live(replaced) then others = others - 1 end
  local too_many = others + 1 - tonumber(limit)
  if too_many > 0 and refuses == '1' then return answer('refused') end
  if too_many > 0 then
    local oldest = {}
    for _, each in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '(0', '+inf', 'LIMIT', 0, too_many + 2)) do
      if each ~= id and each ~= replaced and #oldest < too_many then oldest[#oldest + 1] = each end
    end
    mark(oldest)
  end
end
if redis.call('ZSCORE', KEYS[1], id) ~= '0' then
  redis.call('ZADD', KEYS[1], expires, id)
  live_until(expires)
end
return answer('done')`)

/** `now, id, expiresAt`: 1, or 0 when it is not listed. */
export const renewScript = script(`${LIST}
local _, id, expires = unpack(ARGV)
drop_expired()
local score = redis.call('ZSCORE', KEYS[1], id)
if not score then return 0 end
if score ~= '0' and tonumber(score) < tonumber(expires) then
  live_until(expires)
  redis.call('ZADD', KEYS[1], expires, id)
end
return 1`)

/** `now, id to keep, …`: every marked id. */
export const markScript = script(`${LIST}
drop_expired()
local is_kept, ids = {}, {}
for i = 2, #ARGV do is_kept[ARGV[i]] = true end
for _, each in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '(0', '+inf')) do
  if not is_kept[each] then ids[#ids + 1] = each end
end
mark(ids)
return marked()`)
