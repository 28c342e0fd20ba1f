-- ARGV: time, at most how many. Returns how many used tokens were deleted.
local expired = redis.call('ZRANGEBYSCORE', used, '-inf', '(' .. ARGV[1], 'LIMIT', 0, ARGV[2])
in_parts(1, #expired, function(first, last)
  redis.call('ZREM', used, unpack(expired, first, last))
end)
return #expired
