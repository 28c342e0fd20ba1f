//! Crashes, a full memory, lost connections and dropped calls.

use std::time::{Duration, Instant};

use portcullis::revocation::{ReplayStore, RevocationStore, StoreErrorKind::Unavailable, Use};
use portcullis_redis::RedisStore;

use crate::{
    ISSUER, kind, prepared, read_all, seconds,
    server::{DURABLE, IN_MEMORY, until},
    start, token, tokens,
};

/// `kill -9` ends the process, not the machine: this shows that the data left the process before it answered.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_keeps_all_acknowledged_writes_of_two_writers() {
    let mut server = start!(DURABLE);
    let write = |name: &'static str, store: RedisStore| async move {
        let mut acknowledged = Vec::new();
        for round in 0.. {
            let entries = tokens(&format!("{name}-{round}"), 3);
            if store.add(&entries).await.is_err() {
                break;
            }
            acknowledged.extend(entries);
            let jti = format!("{name}-{round}");
            match store.consume(ISSUER, &jti, seconds(i64::MAX)).await {
                Ok(first) => assert_eq!(first, Use::First),
                Err(_) => break,
            }
        }
        acknowledged
    };
    let mut acknowledged = Vec::new();
    for (first, second) in [("first", "a"), ("second", "b"), ("third", "c")] {
        let (one, two) = (prepared(server.store()).await, prepared(server.store()).await);
        let writers = [tokio::spawn(write(first, one)), tokio::spawn(write(second, two))];
        let start: u64 = server.run("HLEN {portcullis}:set").await;
        until("some is written", async || {
            server.run::<u64>("HLEN {portcullis}:set").await > start + 100
        })
        .await;
        server.kill();
        for writer in writers {
            acknowledged.extend(writer.await.unwrap());
        }
        server.start_again().await;
        let store = prepared(server.store()).await;
        assert!(read_all(&store).await.has_all(&acknowledged));
        assert_eq!(
            store.consume(ISSUER, "first-0", seconds(i64::MAX)).await.unwrap(),
            Use::Replayed
        );
    }
    assert!(acknowledged.len() > 100);
}

#[tokio::test]
async fn a_full_server_returns_an_error_and_has_nothing_half_written() {
    let server = start!(IN_MEMORY);
    let store = prepared(server.store()).await;
    store.add(&tokens("before", 10)).await.unwrap();
    store.add(&[token("expired").until(seconds(5))]).await.unwrap();
    let reader = read_all(&store).await;
    let _: () = server.run("CONFIG SET maxmemory 1kb maxmemory-policy noeviction").await;
    assert_eq!(kind(store.add(&tokens("after", 10)).await), Some(Unavailable));
    assert_eq!(kind(store.consume(ISSUER, "once", seconds(9)).await), Some(Unavailable));
    // A server that has no data yet, and is full.
    let other = RedisStore::builder(&server.url()).key_prefix("other").build().unwrap();
    assert_eq!(kind(other.add(&tokens("after", 10)).await), Some(Unavailable));
    assert!(server.run::<Vec<String>>("KEYS {other}*").await.is_empty());
    // Requests are answered, and expired entries deleted.
    assert_eq!(store.find(&tokens("before", 10)).await.unwrap().len(), 10);
    assert_eq!(RevocationStore::delete_expired(&store, seconds(6)).await.unwrap(), 1);
    let mut again = reader;
    again.catch_up(&store).await.unwrap();
    assert_eq!(again.entries.len(), 11);
    let _: () = server.run("CONFIG SET maxmemory 0").await;
    assert!(store.find(&tokens("after", 10)).await.unwrap().is_empty());
    store.add(&tokens("after", 10)).await.unwrap();
    assert_eq!(store.consume(ISSUER, "once", seconds(9)).await.unwrap(), Use::First);
    assert!(read_all(&store).await.has_all(&tokens("after", 10)));
}

/// The memory is used up by the entries of the call: either all are added or none.
#[tokio::test]
async fn a_call_that_fills_the_memory_adds_all_entries_or_none() {
    let server = start!(IN_MEMORY);
    let store = prepared(server.store()).await;
    let info: String = server.run("INFO memory").await;
    let used: u64 = info
        .lines()
        .find_map(|line| line.strip_prefix("used_memory:"))
        .and_then(|used| used.trim().parse().ok())
        .unwrap();
    let limit = used + 4_000_000;
    let _: () =
        server.run(&format!("CONFIG SET maxmemory {limit} maxmemory-policy noeviction")).await;
    let mut failures = 0;
    for round in 0..40 {
        let entries = tokens(&format!("round {round}"), 1_000);
        let added = store.add(&entries).await;
        let found = store.find(&entries).await.unwrap().len();
        assert_eq!(found, if added.is_ok() { 1_000 } else { 0 }, "round {round}");
        failures += usize::from(added.is_err());
    }
    assert!((1..40).contains(&failures), "{failures}");
}

#[tokio::test]
async fn scripts_are_loaded_again_after_they_were_flushed() {
    let server = start!(IN_MEMORY);
    let store = prepared(server.store()).await;
    for round in 0..3 {
        store.add(&[token(&format!("round {round}"))]).await.unwrap();
        assert_eq!(store.find(&[token("round 0")]).await.unwrap().len(), 1);
        let _: () = server.run("SCRIPT FLUSH").await;
    }
}

#[tokio::test]
async fn dropped_calls_leave_the_connection_usable() {
    let server = start!(IN_MEMORY);
    let store = prepared(server.store()).await;
    let connections = async || server.run::<String>("CLIENT LIST").await.lines().count();
    let before = connections().await;
    for round in 0..200_u64 {
        let entries = tokens(&format!("round {round}"), 5);
        let limit = Duration::from_micros(round * 10);
        drop(tokio::time::timeout(limit, store.add(&entries)).await);
        drop(tokio::time::timeout(limit, store.find(&entries)).await);
        drop(tokio::time::timeout(limit, store.read(None)).await);
        drop(tokio::time::timeout(limit, store.consume(ISSUER, "x", seconds(9))).await);
    }
    // Answers are not mixed up: each call has its own.
    let added = [token("at last")];
    store.add(&added).await.unwrap();
    assert_eq!(store.find(&added).await.unwrap(), added);
    assert_eq!(store.consume(ISSUER, "y", seconds(9)).await.unwrap(), Use::First);
    assert_eq!(connections().await, before);
}

#[tokio::test]
async fn a_server_that_does_not_answer_delays_only_its_callers() {
    let server = start!(IN_MEMORY);
    let store = prepared(server.store()).await;
    store.add(&[token("x")]).await.unwrap();
    let _: () = server.run("CLIENT PAUSE 600 ALL").await;
    let start = Instant::now();
    let wanted = [token("x")];
    let limit = Duration::from_millis(100);
    assert!(tokio::time::timeout(limit, store.find(&wanted)).await.is_err());
    assert!(start.elapsed() < Duration::from_millis(500));
    until("it answers again", async || store.find(&wanted).await.is_ok_and(|it| it.len() == 1))
        .await;
}

#[tokio::test]
async fn a_connection_that_was_cut_is_made_again() {
    let server = start!(IN_MEMORY);
    let store = prepared(server.store()).await;
    for round in 0..5 {
        let _: u64 = server.run("CLIENT KILL TYPE normal SKIPME yes").await;
        let entry = [token(&format!("round {round}"))];
        until("the store connects again", async || store.add(&entry).await.is_ok()).await;
        assert_eq!(store.find(&entry).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn an_absent_server_fails_at_once_and_is_found_when_it_is_there() {
    let mut server = start!(IN_MEMORY);
    let store = server.store();
    server.kill();
    let start = Instant::now();
    for _ in 0..1_000 {
        assert_eq!(kind(store.find(&[token("x")]).await), Some(Unavailable));
    }
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    server.start_again().await;
    until("the store connects", async || RevocationStore::prepare(&store).await.is_ok()).await;
    assert!(ReplayStore::prepare(&store).await.is_ok());
}

/// A store outlives the runtime that made its connections, as in an application with several.
#[test]
fn a_store_can_be_used_from_another_runtime() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let first = runtime();
    let Some(server) = first.block_on(crate::server::Server::start(IN_MEMORY)) else { return };
    let store = first.block_on(prepared(server.store()));
    drop(
        first.block_on(async {
            tokio::time::timeout(Duration::from_millis(1), store.changed()).await
        }),
    );
    drop(first);
    runtime().block_on(async {
        until("the store connects again", async || store.add(&[token("x")]).await.is_ok()).await;
        until("a change wakes", async || {
            server.store().add(&[token("y")]).await.unwrap();
            tokio::time::timeout(Duration::from_millis(200), store.changed()).await.is_ok()
        })
        .await;
    });
}
