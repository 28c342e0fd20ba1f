-- The first page of all entries. ARGV: new epoch, page size.
-- Returns epoch, replication id, newest id of the log, the page with ends, and the times of each entry.
start(ARGV[1])
local page = redis.call('ZRANGE', ends, 0, tonumber(ARGV[2]) - 1, 'WITHSCORES')
