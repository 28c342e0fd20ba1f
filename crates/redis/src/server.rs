//! Which servers can be used.

use portcullis::revocation::StoreError;
use redis::{RedisResult, aio::MultiplexedConnection};

use crate::error::unusable;

/// What a server says of itself.
pub(crate) struct ServerInfo {
    server: String,
    memory: String,
}

impl ServerInfo {
    pub(crate) async fn read(connection: &mut MultiplexedConnection) -> RedisResult<Self> {
        let (server, memory) = redis::pipe()
            .cmd("INFO")
            .arg("server")
            .cmd("INFO")
            .arg("memory")
            .query_async(connection)
            .await?;
        Ok(Self { server, memory })
    }

    /// Tests version and settings. Done for each new connection.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        check_version(&self.server)?;
        check_eviction(&self.memory)
    }
}

/// `XTRIM MINID` and exclusive ids in `XRANGE` are new in 6.2. Valkey returns 7.2.4 here.
fn check_version(info: &str) -> Result<(), StoreError> {
    let Some(version) = field(info, "redis_version") else {
        return Err(unusable("the server does not say which version of Redis it is"));
    };
    let mut numbers = version.split('.').map(|number| number.parse::<u32>().unwrap_or(0));
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if version < (6, 2) {
        return Err(unusable("Redis is too old; help: use Redis 6.2 or later, or Valkey"));
    }
    Ok(())
}

/// A server that evicts keys accepts revoked tokens again. `INFO` says it also where `CONFIG` is forbidden.
fn check_eviction(info: &str) -> Result<(), StoreError> {
    if field(info, "maxmemory") == Some("0")
        || field(info, "maxmemory_policy") == Some("noeviction")
    {
        return Ok(());
    }
    Err(unusable(
        "Redis may evict revocations when its memory is full; help: set `maxmemory-policy noeviction`",
    ))
}

fn field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    info.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value.trim())
}

#[cfg(test)]
mod tests {
    use portcullis::revocation::StoreErrorKind;

    use super::*;

    fn kind(result: Result<(), StoreError>) -> Option<StoreErrorKind> {
        result.err().map(|error| error.kind())
    }

    #[test]
    fn accepts_redis_6_2_and_later() {
        for (version, is_accepted) in
            [("5.0.14", false), ("6.0.16", false), ("6.2.0", true), ("7.2.4", true), ("10.0", true)]
        {
            let info = format!("# Server\r\nredis_version:{version}\r\nrun_id:0\r\n");
            assert_eq!(kind(check_version(&info)).is_none(), is_accepted, "{version}");
        }
        assert_eq!(kind(check_version("# Server\r\n")), Some(StoreErrorKind::Unusable));
    }

    #[test]
    fn rejects_a_server_that_evicts_keys() {
        for (memory, policy, is_accepted) in [
            ("0", "allkeys-lru", true),
            ("1000", "noeviction", true),
            ("1000", "allkeys-lru", false),
            ("1000", "volatile-ttl", false),
        ] {
            let info = format!("maxmemory:{memory}\r\nmaxmemory_policy:{policy}\r\n");
            assert_eq!(kind(check_eviction(&info)).is_none(), is_accepted, "{memory} {policy}");
        }
        assert_eq!(kind(check_eviction("")), Some(StoreErrorKind::Unusable));
    }
}
