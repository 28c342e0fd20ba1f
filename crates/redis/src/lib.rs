//! Stores of revocations and used tokens in Redis and Valkey.
//!
//! [`RedisStore`] keeps the revocations of [`Revocations`](portcullis::revocation) and the ids of tokens that
//! may be used once, for all replicas of a service.
//!
//! # Examples
//!
//! ```no_run
//! use portcullis::revocation::{Revocation, RevocationStore, Revoked, StoreError};
//! use portcullis_redis::RedisStore;
//!
//! # async fn example() -> Result<(), StoreError> {
//! let store = RedisStore::builder("redis://cache.internal:6379")
//!     .key_prefix("orders")
//!     .password_file("/run/secrets/redis")
//!     .build()?;
//! store.prepare().await?;
//!
//! let session = Revocation::new("https://idp.example.com", Revoked::Session("8f2a".into()));
//! store.add(&[session]).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Servers
//!
//! Redis 6.2 or later. The tests run on Redis 7.0; Valkey has the same commands, but is not tested. The store
//! uses one server, by a name or address that is the current master. Clients of Redis Cluster and Sentinel are
//! not supported. All keys have one hash tag, so a node of a cluster that has their slot can be used, as long
//! as the slot stays there. The store needs the runtime of tokio.
//!
//! The server must not evict keys: an evicted revocation is a token that is accepted again. With a
//! `maxmemory` other than 0, `maxmemory-policy` must be `noeviction`, else all calls on a new connection return
//! [`StoreErrorKind::Unusable`](portcullis::revocation::StoreErrorKind::Unusable). A full server rejects writes,
//! still answers reads, and has nothing half written.
//!
//! A user of the server needs the keys `{portcullis}:*` (or your prefix) and these permissions:
//!
//! ```text
//! +info +evalsha +script|load +type +exists +hget +hmget +hset +hlen +hdel +zadd +zcard +zscore +zrank +zrange
//! +zrangebyscore +zrem +xadd +xrange +xrevrange +xread +xtrim +time +wait
//! ```
//!
//! # What a crash or failover loses
//!
//! A call returns when the server has acknowledged the write. Whether an acknowledged write survives is a
//! setting of the server:
//!
//! | setting | the process crashes | the machine crashes |
//! |---|---|---|
//! | `appendonly yes`, `appendfsync always` | nothing is lost | nothing is lost if the disk keeps its promise |
//! | `appendonly yes`, `appendfsync everysec` (Redis' default with `appendonly`) | usually nothing | up to about 2 seconds |
//! | RDB snapshots only (the default) | everything since the last snapshot | the same |
//! | no persistence | everything | everything |
//!
//! Use `appendfsync always` for revocations that must not be lost; with the other settings,
//! [`add`](portcullis::revocation::RevocationStore::add) does not promise what its documentation says.
//!
//! Replication is asynchronous. A failover loses what the old master acknowledged and the new one had not
//! received. [`wait_for_replicas`](RedisStoreBuilder::wait_for_replicas) makes that less likely, not
//! impossible. A master that is cut off from its replicas still answers; `min-replicas-to-write` stops its
//! writes.
//!
//! Lost data is noticed. Each position names the data it belongs to (a random text that is written with the
//! first entry), `master_replid` of the server, and an item of the log that must still be there. A restart, a
//! failover, `FLUSHALL`, or a restored backup makes one of them differ. The next read then returns
//! [`StoreErrorKind::PositionLost`](portcullis::revocation::StoreErrorKind::PositionLost), and so does
//! [`find`](portcullis::revocation::RevocationStore::find) until all entries were read again. A replica of the
//! service keeps in memory what it knew, and writes back its latest revocations. Lost for good are revocations
//! that no running replica of the service knew, those that are older than what they write back (they
//! still hold in the replicas that are running, but not in those that start later), and the ids of used
//! tokens: a token whose use was lost can be used once more.
//!
//! A restart of Redis that loses nothing also changes `master_replid`: it costs one read of all entries.
//!
//! # Data
//!
//! | key | type | content |
//! |---|---|---|
//! | `{prefix}:set` | hash | entries and their times; version of the schema |
//! | `{prefix}:ends` | sorted set | entries by their end |
//! | `{prefix}:log` | stream | added and changed entries of the last hour at least |
//! | `{prefix}:used` | sorted set | used tokens by their end |
//!
//! Keys and entries have no expiry of Redis: they are deleted by `delete_expired`, by the time of the service.
//! So a server whose clock is wrong neither accepts a revoked token again nor forgets a use. Memory that no
//! running service cleans up is not freed.
//!
//! A revocation takes about 300 bytes, and about 110 more as long as it is in the log.
//!
//! Do not change the keys by hand. To start anew, delete all four at once.
//!
//! # Features
//!
//! - `tls` (off): `rediss://` URLs, by rustls with the certificates that the system trusts.

mod answer;
mod builder;
mod entry;
mod epoch;
mod error;
mod link;
mod notify;
mod position;
mod scripts;
mod server;
mod store;

pub use builder::RedisStoreBuilder;
pub use store::RedisStore;
