-- ARGV: epoch and replication id of the data that the caller has read, or two empty texts, then entries.
-- Returns the times of each, or nil.
if not epoch or (ARGV[1] ~= '' and (ARGV[1] ~= epoch or ARGV[2] ~= replid)) then
  return redis.error_reply('LOST the data is not the data that was read')
end
local times = {}
in_parts(3, #ARGV, function(first, last)
  for _, value in ipairs(redis.call('HMGET', set, unpack(ARGV, first, last))) do
    times[#times + 1] = value
  end
end)
return times
