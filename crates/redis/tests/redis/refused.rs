//! Servers and data that must not be used.

use portcullis::revocation::{
    ReplayStore, RevocationStore,
    StoreErrorKind::{self, Unusable},
};
use portcullis_redis::RedisStore;

use crate::{
    ISSUER, kind, prepared, read_all, seconds,
    server::{IN_MEMORY, Server},
    start, token, tokens,
};

/// Returns the kinds of error of all calls that use the data.
async fn all_calls(store: &RedisStore) -> Vec<Option<StoreErrorKind>> {
    vec![
        kind(RevocationStore::prepare(store).await),
        kind(store.add(&[token("refused")]).await),
        kind(store.read(None).await),
        kind(store.find(&[token("refused")]).await),
        kind(RevocationStore::delete_expired(store, seconds(9)).await),
        kind(ReplayStore::delete_expired(store, seconds(9)).await),
        kind(store.consume(ISSUER, "refused", seconds(9)).await),
    ]
}

#[tokio::test]
async fn a_server_that_evicts_keys_is_refused() {
    let server = start!(IN_MEMORY);
    for policy in ["allkeys-lru", "allkeys-random", "volatile-lru", "volatile-ttl"] {
        let _: () =
            server.run(&format!("CONFIG SET maxmemory 100mb maxmemory-policy {policy}")).await;
        assert_eq!(
            kind(RevocationStore::prepare(&server.store()).await),
            Some(Unusable),
            "{policy}"
        );
        // Any first call connects, and so tests the server.
        assert_eq!(kind(server.store().add(&[token("x")]).await), Some(Unusable), "{policy}");
    }
    let _: () = server.run("CONFIG SET maxmemory-policy noeviction").await;
    prepared(server.store()).await;
    let _: () = server.run("CONFIG SET maxmemory 0 maxmemory-policy allkeys-lru").await;
    prepared(server.store()).await;
}

#[tokio::test]
async fn a_policy_that_was_changed_later_is_refused_by_prepare() {
    let server = start!(IN_MEMORY);
    let store = prepared(server.store()).await;
    let _: () = server.run("CONFIG SET maxmemory 100mb maxmemory-policy allkeys-lru").await;
    assert_eq!(kind(RevocationStore::prepare(&store).await), Some(Unusable));
}

/// Managed services forbid `CONFIG`. These permissions are in the crate's documentation.
#[tokio::test]
async fn a_user_with_the_documented_permissions_can_use_the_store() {
    let server = start!(IN_MEMORY);
    let user = "ACL SETUSER app on >secret ~{portcullis}:* -@all +info +evalsha +script|load +type +exists \
                +hget +hmget +hset +hlen +hdel +zadd +zcard +zscore +zrank +zrange +zrangebyscore +zrem \
                +xadd +xrange +xrevrange +xread +xtrim +time +wait";
    let _: () = server.run(user).await;
    let _: () = server.run("CONFIG SET maxmemory 100mb maxmemory-policy allkeys-lru").await;
    let url = server.url().replace("redis://", "redis://app:secret@");
    let open = || RedisStore::open(&url).unwrap();
    assert_eq!(kind(RevocationStore::prepare(&open()).await), Some(Unusable));
    let _: () = server.run("CONFIG SET maxmemory-policy noeviction").await;
    let store = prepared(RedisStore::builder(&url).build().unwrap()).await;
    store.add(&tokens("x", 6_000)).await.unwrap();
    assert!(all_calls(&store).await.iter().all(Option::is_none));
    assert!(read_all(&store).await.has_all(&tokens("x", 6_000)));
}

#[tokio::test]
async fn a_user_without_permissions_is_refused() {
    let server = start!(IN_MEMORY);
    let _: () = server.run("ACL SETUSER app on >secret ~* +info +evalsha +script|load").await;
    let store = RedisStore::open(&server.url().replace("redis://", "redis://app:secret@")).unwrap();
    assert_eq!(kind(RevocationStore::prepare(&store).await), Some(Unusable));
}

#[tokio::test]
async fn data_of_a_newer_version_is_refused_and_not_changed() {
    let server = start!(IN_MEMORY);
    let store = prepared(server.store()).await;
    let _: () = server.run("HSET {portcullis}:set #schema 2").await;
    let before = contents(&server).await;
    for result in all_calls(&store).await {
        assert_eq!(result, Some(Unusable));
    }
    for result in all_calls(&server.store()).await {
        assert_eq!(result, Some(Unusable));
    }
    assert_eq!(contents(&server).await, before);
}

#[tokio::test]
async fn keys_of_another_type_are_refused_and_not_changed() {
    for name in ["set", "ends", "log", "used"] {
        let server = start!(IN_MEMORY);
        let _: () = server.run(&format!("SET {{portcullis}}:{name} other")).await;
        let before = contents(&server).await;
        for result in all_calls(&server.store()).await {
            assert_eq!(result, Some(Unusable), "{name}");
        }
        assert_eq!(contents(&server).await, before, "{name}");
    }
}

#[tokio::test]
async fn sets_that_do_not_agree_are_refused() {
    for command in ["DEL {portcullis}:ends", "DEL {portcullis}:set", "HDEL {portcullis}:set #epoch"]
    {
        let server = start!(IN_MEMORY);
        let store = prepared(server.store()).await;
        store.add(&tokens("x", 3)).await.unwrap();
        let _: () = server.run(command).await;
        for result in all_calls(&store).await {
            assert_eq!(result, Some(Unusable), "{command}");
        }
    }
}

#[tokio::test]
async fn too_many_entries_in_one_call_are_refused() {
    let server = start!(IN_MEMORY);
    let store = prepared(server.store()).await;
    assert_eq!(kind(store.add(&tokens("x", 50_001)).await), Some(Unusable));
    store.add(&tokens("x", 50_000)).await.unwrap();
}

#[tokio::test]
async fn stores_with_different_prefixes_share_nothing() {
    let server = start!(IN_MEMORY);
    let open =
        |prefix: &str| RedisStore::builder(&server.url()).key_prefix(prefix).build().unwrap();
    let (one, two) = (prepared(open("one")).await, prepared(open("two")).await);
    one.add(&tokens("x", 3)).await.unwrap();
    assert!(two.find(&tokens("x", 3)).await.unwrap().is_empty());
    assert!(read_all(&two).await.entries.is_empty());
}

#[test]
fn a_prefix_that_would_change_the_slot_is_refused() {
    for prefix in ["", "a{b", "a}b", &"x".repeat(129)] {
        let built = RedisStore::builder("redis://localhost").key_prefix(prefix).build();
        assert_eq!(kind(built), Some(Unusable), "{prefix}");
    }
}

#[test]
fn an_invalid_url_is_refused() {
    for url in ["", "localhost", "http://localhost", "redis://", "rediss://localhost/#insecure"] {
        assert_eq!(kind(RedisStore::open(url)), Some(Unusable), "{url}");
    }
}

#[cfg(not(feature = "tls"))]
#[test]
fn tls_without_the_feature_is_refused_with_its_name() {
    let error = RedisStore::open("rediss://localhost").unwrap_err();
    assert_eq!(error.kind(), Unusable);
    assert!(error.to_string().contains("`tls`"), "{error}");
}

/// Here the server speaks no TLS: this shows that the feature finds its cryptography.
#[cfg(feature = "tls")]
#[tokio::test]
async fn a_server_without_tls_is_unavailable_with_tls() {
    let server = start!(IN_MEMORY);
    let store = RedisStore::open(&server.url().replace("redis://", "rediss://")).unwrap();
    let unavailable = Some(StoreErrorKind::Unavailable);
    assert_eq!(kind(RevocationStore::prepare(&store).await), unavailable);
}

async fn contents(server: &Server) -> Vec<Vec<u8>> {
    let mut keys: Vec<String> = server.run("KEYS *").await;
    keys.sort();
    let mut contents = Vec::new();
    for key in keys {
        contents.push(server.run(&format!("DUMP {key}")).await);
    }
    contents
}
