// How a script looks at a record. ARGV[1] is the app's time in every script: a deadline
// means the same here and there. A record that `recordOf` would not read back counts as
// absent here too, and is left as it is.
import { MAX_DURATION } from '../../duration.js'
import { MAX_DATE } from '../../record/record.js'
import { FIELD, MAX_COUNT } from './redis-record.js'

/** Lua: `find()` answers with the fields that a condition may be about. */
export const FIND_RECORD = `
local function is_whole(text, max)
  return text and (text == '0' or string.match(text, '^[1-9]%d*$')) and tonumber(text) <= max
end
local function is_lifetime(text)
  if not text then return true end
  local idle, absolute = string.match(text, '^(%d+) (%d+) [01]$')
  return is_whole(idle, ${MAX_DURATION}) and is_whole(absolute, ${MAX_DURATION}) and idle ~= '0' and absolute ~= '0'
end
local function is_verifier(text)
  return text and not string.find(text, '["\\\\%z\\1-\\31]')
end
local function is_list(text)
  local entries = string.match(text or '', '^%[(.*)%]$')
  if not entries or entries == '' then return entries end
  local rest = string.gsub(entries .. ',', '%["[^"\\\\%z\\1-\\31]*",(%d+),(%l+)%],', function (date, opens)
    if is_whole(date, ${MAX_DATE}) and (opens == 'true' or opens == 'false') then return '' end
  end)
  return rest == ''
end
local function find()
  local f = redis.call('HMGET', KEYS[1], '${FIELD.expiresAt}', '${FIELD.generation}', '${FIELD.verifier}', '${FIELD.nonces}', '${FIELD.lifetime}', '${FIELD.absoluteExpiresAt}', '${FIELD.version}', '${FIELD.createdAt}', '${FIELD.earlier}', '${FIELD.endedAt}', '${FIELD.owner}')
  local is_usable = not f[10] and is_whole(f[1], ${MAX_DATE}) and is_whole(f[6], ${MAX_DATE}) and is_whole(f[8], ${MAX_DATE})
    and is_whole(f[2], ${MAX_COUNT}) and is_whole(f[7], ${MAX_COUNT}) and is_verifier(f[3]) and is_lifetime(f[5]) and is_list(f[9])
  return {
    is_live = is_usable and tonumber(f[1]) > tonumber(ARGV[1]), is_ended = f[10],
    expires = f[1], generation = f[2], verifier = f[3], nonces = f[4], lifetime = f[5], absolute = f[6], version = f[7], owner = f[11]
  }
end`
