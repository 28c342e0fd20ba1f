-- The start of each script.
--   set: hash; each entry's text -> "cut-off,end", and `#schema` and `#epoch`
--   ends: sorted set of the entries' texts by their end
--   log: stream of changed entries; never empty, so that each position in it can be tested
--   used: sorted set of used tokens by their end
local set, ends, log, used = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local SCHEMA = '1'
local FOREVER = '+inf'
local epoch, replid

-- Reads the state that all scripts need. Returns an error reply if the data must not be used.
local function problem()
  local info = redis.call('INFO', 'replication')
  if not string.find(info, 'role:master', 1, true) then
    return redis.error_reply('NOTMASTER this server is a replica')
  end
  replid = string.match(info, 'master_replid:(%x+)')
  -- Types first: a script that fails after its first write is not rolled back.
  for key, wanted in pairs({[set] = 'hash', [ends] = 'zset', [log] = 'stream', [used] = 'zset'}) do
    local found = redis.call('TYPE', key).ok
    if found ~= wanted and found ~= 'none' then
      return redis.error_reply('WRONGKEY a key has another type')
    end
  end
  local state = redis.call('HMGET', set, '#schema', '#epoch')
  if state[1] and state[1] ~= SCHEMA then
    return redis.error_reply('NEWSCHEMA the schema is not the one of this version')
  end
  local fields = state[1] and 2 or 0
  if redis.call('HLEN', set) ~= redis.call('ZCARD', ends) + fields or (state[1] and not state[2]) then
    return redis.error_reply('BROKEN the keys do not agree')
  end
  -- A log that was deleted gets a new epoch, as all other data does.
  if state[1] and redis.call('EXISTS', log) == 1 then
    epoch = state[2]
  end
end

-- Writes the schema and a new epoch if there is none. Its first write fails if the memory is full.
local function start(new_epoch)
  if not epoch then
    redis.call('HSET', set, '#schema', SCHEMA, '#epoch', new_epoch)
    redis.call('XADD', log, '*', 'start', '')
    epoch = new_epoch
  end
end

-- Calls `each(first, last)` for parts of a list that are short enough to unpack.
local function in_parts(first, last, each)
  for part = first, last, 1000 do
    each(part, math.min(part + 999, last))
  end
end

local function newest_id()
  return redis.call('XREVRANGE', log, '+', '-', 'COUNT', 1)[1][1]
end

local failed = problem()
if failed then
  return failed
end
