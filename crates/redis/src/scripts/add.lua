-- ARGV: new epoch, then for each entry: text, cut-off, end; `-` if there is none.
local function later(a, b)
  local x, y = tonumber(a), tonumber(b)
  if x ~= y then
    return x > y and a or b
  end
  -- Equal as floats: above 2^53 the digits decide.
  return a > b and a or b
end

start(ARGV[1])
for i = 2, #ARGV, 3 do
  local entry, cut_off, till = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local old = redis.call('HGET', set, entry)
  if old then
    local old_cut_off, old_till = string.match(old, '^(.-),(.*)$')
    if old_cut_off ~= '-' then
      cut_off = cut_off == '-' and old_cut_off or later(cut_off, old_cut_off)
    end
    till = (till == '-' or old_till == '-') and '-' or later(till, old_till)
  end
  local value = cut_off .. ',' .. till
  -- Written in any case, so that WAIT and the append-only file cover an entry that another client wrote.
  redis.call('HSET', set, entry, value)
  if value ~= old then
    redis.call('ZADD', ends, till == '-' and FOREVER or till, entry)
    redis.call('XADD', log, '*', 'entry', entry, 'times', value)
  end
end
return redis.status_reply('OK')
