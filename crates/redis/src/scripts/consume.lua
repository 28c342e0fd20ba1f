-- ARGV: new epoch, text of the token, end. Returns 1 for the first use, else 0.
start(ARGV[1])
return redis.call('ZADD', used, 'NX', ARGV[3], ARGV[2])
