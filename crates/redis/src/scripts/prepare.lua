-- ARGV: new epoch. Returns epoch and replication id.
start(ARGV[1])
return {epoch, replid}
