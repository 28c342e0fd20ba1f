//! Writes that wait for replicas of Redis.

use portcullis::revocation::{ReplayStore, RevocationStore, StoreErrorKind::Unavailable, Use};
use portcullis_redis::RedisStore;

use crate::{
    ISSUER, kind, prepared, seconds,
    server::{IN_MEMORY, Server},
    start, token, tokens,
};

fn waiting_store(server: &Server, replicas: u32) -> RedisStore {
    RedisStore::builder(&server.url()).wait_for_replicas(replicas).build().unwrap()
}

#[tokio::test]
async fn a_write_waits_for_replicas() {
    let primary = start!(IN_MEMORY);
    let replica = start!(IN_MEMORY);
    replica.follow(&primary).await;
    let store = prepared(waiting_store(&primary, 1)).await;
    for round in 0..20 {
        store.add(&[token(&format!("round {round}"))]).await.unwrap();
        // Both sets and the log have it: the entry, `#schema` and `#epoch`.
        assert_eq!(replica.run::<u64>("HLEN {portcullis}:set").await, round + 3);
        assert_eq!(replica.run::<u64>("XLEN {portcullis}:log").await, round + 2);
    }
    // The same entries again: nothing new in the log, but waited for as well.
    store.add(&[token("round 0")]).await.unwrap();
    assert_eq!(store.consume(ISSUER, "once", seconds(9)).await.unwrap(), Use::First);
    assert_eq!(replica.run::<u64>("ZCARD {portcullis}:used").await, 1);
}

#[tokio::test]
async fn a_write_fails_if_too_few_replicas_have_it() {
    let primary = start!(IN_MEMORY);
    let mut replica = start!(IN_MEMORY);
    replica.follow(&primary).await;
    let two = prepared(waiting_store(&primary, 2)).await;
    let one = prepared(waiting_store(&primary, 1)).await;
    one.add(&[token("x")]).await.unwrap();
    let error = two.add(&[token("x")]).await.unwrap_err();
    assert_eq!(error.kind(), Unavailable);
    assert!(error.to_string().contains("1 of 2 replicas"), "{error}");
    replica.kill();
    assert_eq!(kind(one.add(&[token("y")]).await), Some(Unavailable));
    assert_eq!(kind(one.consume(ISSUER, "once", seconds(9)).await), Some(Unavailable));
    // The caller may try again: the token then counts as used, which is the safe side.
    assert_eq!(one.find(&[token("y")]).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_write_that_waits_does_not_delay_requests() {
    let primary = start!(IN_MEMORY);
    let store = prepared(waiting_store(&primary, 1)).await;
    let writer = store.clone();
    let write = tokio::spawn(async move { writer.add(&tokens("slow", 3)).await });
    crate::server::until("the write waits", async || {
        primary.run::<String>("CLIENT LIST").await.contains("cmd=wait")
    })
    .await;
    assert_eq!(store.find(&tokens("slow", 3)).await.unwrap().len(), 3);
    assert!(!write.is_finished());
    assert_eq!(kind(write.await.unwrap()), Some(Unavailable));
}
