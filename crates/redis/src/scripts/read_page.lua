-- A later page of all entries. ARGV: epoch, replication id, id of the log before the first page, page size,
-- end and text of the last entry that was read. Returns what the first page does.
if ARGV[1] ~= epoch or ARGV[2] ~= replid or #redis.call('XRANGE', log, ARGV[3], ARGV[3]) == 0 then
  return redis.error_reply('LOST the log does not continue this position')
end
local size, till, last = tonumber(ARGV[4]), ARGV[5], ARGV[6]
local page
if redis.call('ZSCORE', ends, last) == till then
  local rank = redis.call('ZRANK', ends, last)
  page = redis.call('ZRANGE', ends, rank + 1, rank + size, 'WITHSCORES')
else
  -- It was deleted, or has a later end now. All entries with the same end are read again.
  page = redis.call('ZRANGEBYSCORE', ends, till, FOREVER, 'WITHSCORES', 'LIMIT', 0, size)
end
