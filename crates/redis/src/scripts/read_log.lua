-- Changes after a position. ARGV: epoch, replication id, id of the log, page size.
-- Returns the newest id of the log, and the changes.
if ARGV[1] ~= epoch or ARGV[2] ~= replid or #redis.call('XRANGE', log, ARGV[3], ARGV[3]) == 0 then
  return redis.error_reply('LOST the log does not continue this position')
end
return {newest_id(), redis.call('XRANGE', log, '(' .. ARGV[3], '+', 'COUNT', ARGV[4])}
