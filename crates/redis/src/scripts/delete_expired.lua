-- ARGV: time, at most how many entries, for how long the log is kept in milliseconds.
-- Returns how many entries were deleted.
local expired = redis.call('ZRANGEBYSCORE', ends, '-inf', '(' .. ARGV[1], 'LIMIT', 0, ARGV[2])
in_parts(1, #expired, function(first, last)
  redis.call('ZREM', ends, unpack(expired, first, last))
  redis.call('HDEL', set, unpack(expired, first, last))
end)
if epoch then
  -- The newest item stays: the log is never empty.
  local newest = newest_id()
  local oldest_kept = redis.call('TIME')[1] * 1000 - ARGV[3]
  if tonumber(string.match(newest, '^%d+')) > oldest_kept then
    newest = string.format('%.0f', math.max(oldest_kept, 0))
  end
  redis.call('XTRIM', log, 'MINID', '~', newest, 'LIMIT', 10000)
end
return #expired
