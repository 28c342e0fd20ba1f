//! Lost data is noticed: after the last position, and by `find`.

use std::fs;

use portcullis::revocation::{RevocationStore, StoreErrorKind::PositionLost};
use portcullis_redis::RedisStore;

use crate::{
    Reader, kind, prepared, read_all,
    server::{DURABLE, IN_MEMORY, Server},
    start, token, tokens,
};

/// A store with three entries, and a replica that has read them.
async fn store_and_reader(server: &Server) -> (RedisStore, Reader) {
    let store = prepared(server.store()).await;
    store.add(&tokens("before", 3)).await.unwrap();
    let reader = read_all(&store).await;
    assert_eq!(reader.entries.len(), 3);
    (store, reader)
}

/// Repeats a call until the connection is there again.
async fn reconnect(store: &RedisStore) {
    crate::server::until("the store connects again", async || {
        RevocationStore::prepare(store).await.is_ok()
    })
    .await;
}

/// Asserts that position and data are lost, and that reading from the start repairs both.
async fn require_lost(store: &RedisStore, reader: &mut Reader) {
    assert_eq!(kind(reader.catch_up(store).await), Some(PositionLost));
    assert_eq!(kind(store.find(&[token("before-0")]).await), Some(PositionLost));
    reader.position = None;
    reader.catch_up(store).await.unwrap();
    reader.catch_up(store).await.unwrap();
    store.find(&[token("before-0")]).await.unwrap();
}

#[tokio::test]
async fn notices_a_restart_without_persistence() {
    let mut server = start!(IN_MEMORY);
    let (store, mut reader) = store_and_reader(&server).await;
    server.kill();
    server.start_again().await;
    reconnect(&store).await;
    require_lost(&store, &mut reader).await;
}

#[tokio::test]
async fn notices_a_restart_from_an_older_copy() {
    let mut server = start!(IN_MEMORY);
    let (store, mut reader) = store_and_reader(&server).await;
    let _: () = server.run("SAVE").await;
    let copy = fs::read(server.folder().join("dump.rdb")).unwrap();
    let lost = tokens("lost", 2);
    store.add(&lost).await.unwrap();
    reader.catch_up(&store).await.unwrap();
    assert!(reader.has_all(&lost));
    server.kill();
    fs::write(server.folder().join("dump.rdb"), copy).unwrap();
    server.start_again().await;
    reconnect(&store).await;
    // The newest item of the log is later than the position, as if nothing was lost.
    server.store().add(&tokens("after", 2)).await.unwrap();
    require_lost(&store, &mut reader).await;
    assert!(reader.has_all(&tokens("after", 2)));
    assert!(store.find(&lost).await.unwrap().is_empty());
}

#[tokio::test]
async fn notices_that_all_keys_were_deleted() {
    let server = start!(IN_MEMORY);
    let (store, mut reader) = store_and_reader(&server).await;
    let _: () = server.run("FLUSHALL").await;
    require_lost(&store, &mut reader).await;
}

#[tokio::test]
async fn notices_that_all_keys_were_deleted_and_others_added() {
    let server = start!(IN_MEMORY);
    let (store, mut reader) = store_and_reader(&server).await;
    let _: () = server.run("FLUSHALL").await;
    store.add(&tokens("after", 3)).await.unwrap();
    require_lost(&store, &mut reader).await;
    assert!(reader.has_all(&tokens("after", 3)));
}

#[tokio::test]
async fn notices_that_the_log_was_deleted() {
    let server = start!(IN_MEMORY);
    let (store, mut reader) = store_and_reader(&server).await;
    let _: () = server.run("DEL {portcullis}:log").await;
    store.add(&tokens("after", 3)).await.unwrap();
    require_lost(&store, &mut reader).await;
    assert!(reader.has_all(&tokens("after", 3)));
}

#[tokio::test]
async fn notices_a_position_before_the_first_item_of_the_log() {
    let server = start!(IN_MEMORY);
    let (store, mut reader) = store_and_reader(&server).await;
    store.add(&tokens("missed", 2)).await.unwrap();
    let _: () = server.run("XTRIM {portcullis}:log MAXLEN 1").await;
    assert_eq!(kind(reader.catch_up(&store).await), Some(PositionLost));
    reader.position = None;
    reader.catch_up(&store).await.unwrap();
    assert!(reader.has_all(&tokens("missed", 2)));
}

#[tokio::test]
async fn notices_that_a_replica_was_promoted() {
    let primary = start!(IN_MEMORY);
    let replica = start!(IN_MEMORY);
    let (_, mut reader) = store_and_reader(&primary).await;
    replica.follow(&primary).await;
    // The first replica changes the id as well.
    let _ = reader.catch_up(&primary.store()).await;
    reader.position = None;
    let store = prepared(primary.store()).await;
    reader.catch_up(&store).await.unwrap();
    let _: () = replica.run("REPLICAOF NO ONE").await;
    let promoted = prepared(replica.store()).await;
    assert_eq!(kind(reader.catch_up(&promoted).await), Some(PositionLost));
    reader.position = None;
    reader.catch_up(&promoted).await.unwrap();
}

#[tokio::test]
async fn notices_a_restart_between_two_pages() {
    let mut server = start!(DURABLE);
    let store = prepared(server.store()).await;
    store.add(&tokens("page", 6_000)).await.unwrap();
    let mut reader = Reader::default();
    assert!(reader.read_page(&store).await.unwrap());
    server.kill();
    server.start_again().await;
    reconnect(&store).await;
    assert_eq!(kind(reader.read_page(&store).await), Some(PositionLost));
}

#[tokio::test]
async fn a_server_that_became_a_replica_is_not_asked() {
    let primary = start!(IN_MEMORY);
    let other = start!(IN_MEMORY);
    let (store, mut reader) = store_and_reader(&primary).await;
    primary.follow(&other).await;
    let unavailable = Some(portcullis::revocation::StoreErrorKind::Unavailable);
    assert_eq!(kind(store.find(&[token("before-0")]).await), unavailable);
    assert_eq!(kind(reader.catch_up(&store).await), unavailable);
    assert_eq!(kind(store.add(&[token("x")]).await), unavailable);
}
