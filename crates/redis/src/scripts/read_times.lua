-- The end of both scripts that read a page of all entries.
local times = {}
in_parts(1, #page / 2, function(first, last)
  local entries = {}
  for i = first, last do
    entries[#entries + 1] = page[2 * i - 1]
  end
  for _, value in ipairs(redis.call('HMGET', set, unpack(entries))) do
    times[#times + 1] = value
  end
end)
return {epoch, replid, newest_id(), page, times}
