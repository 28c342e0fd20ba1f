//! Errors of Redis as errors of a store.

use portcullis::revocation::{StoreError, StoreErrorKind};
use redis::{ErrorKind, RedisError, ServerErrorKind};

const DENIED: &str =
    "the user of Redis lacks permissions; help: the documentation of portcullis-redis lists them";

/// Converts an error, without the text of the server: that text may repeat arguments of a command, and
/// these may be credentials or claims.
pub(crate) fn store_error(error: &RedisError) -> StoreError {
    use StoreErrorKind::{PositionLost, Unavailable, Unusable};
    let (kind, text) = match error.code().unwrap_or_default() {
        "LOST" => (PositionLost, "entries of Redis were lost or replaced since they were read"),
        "NOTMASTER" | "READONLY" => (Unavailable, "this Redis server is a replica, not the master"),
        "OOM" => (Unavailable, "Redis is full; help: raise `maxmemory`"),
        "MISCONF" => (Unavailable, "Redis cannot write to its disk"),
        "NOREPLICAS" => (Unavailable, "Redis has too few replicas for `min-replicas-to-write`"),
        "LOADING" => (Unavailable, "Redis is loading its data"),
        "BUSY" => (Unavailable, "Redis is busy with a script"),
        "NEWSCHEMA" => {
            (Unusable, "a newer version wrote the data in Redis; help: update this service")
        }
        "WRONGKEY" | "WRONGTYPE" => {
            (Unusable, "another application uses keys with this prefix; help: set `key_prefix`")
        }
        "BROKEN" => (
            Unusable,
            "keys in Redis were changed by hand; help: delete all keys with the prefix, and running \
             replicas write back the revocations that they know from the last minutes",
        ),
        "NOAUTH" | "WRONGPASS" => (Unusable, "Redis rejected the user name or password"),
        "NOPERM" => (Unusable, DENIED),
        "MOVED" | "ASK" | "CROSSSLOT" => (
            Unusable,
            "this node of a Redis Cluster does not have the keys; help: cluster clients are not \
             supported, use one server",
        ),
        _ => return other_error(error),
    };
    StoreError::new(kind, text)
}

fn other_error(error: &RedisError) -> StoreError {
    match error.kind() {
        // The system's words: "connection refused", "certificate expired".
        ErrorKind::Io => unavailable(format!("Redis cannot be reached: {error}")),
        ErrorKind::AuthenticationFailed => unusable("Redis rejected the user name or password"),
        ErrorKind::InvalidClientConfig => {
            unusable("the settings of the connection to Redis are invalid")
        }
        ErrorKind::Server(ServerErrorKind::ResponseError) if is_denied_in_script(error) => {
            unusable(DENIED)
        }
        ErrorKind::Server(ServerErrorKind::ResponseError) => {
            unavailable("Redis rejected a command")
        }
        _ => unavailable(format!("Redis failed: {}", error.category())),
    }
}

/// Redis has no code for a command of a script that the user may not run: the texts of 6.2 and 7.0, and
/// of 7.2.
fn is_denied_in_script(error: &RedisError) -> bool {
    let texts = ["can't run this command", "ACL failure"];
    error.detail().is_some_and(|detail| texts.iter().any(|text| detail.contains(text)))
}

/// Whether a new connection may succeed where this one failed.
pub(crate) fn needs_new_connection(error: &RedisError) -> bool {
    // A replica: the name may have moved to another server.
    matches!(error.code(), Some("NOTMASTER" | "READONLY"))
        || error.is_io_error()
        || error.is_timeout()
        || error.is_unrecoverable_error()
}

pub(crate) fn unavailable(text: impl Into<Box<str>>) -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, text)
}

pub(crate) fn unusable(text: impl Into<Box<str>>) -> StoreError {
    StoreError::new(StoreErrorKind::Unusable, text)
}
