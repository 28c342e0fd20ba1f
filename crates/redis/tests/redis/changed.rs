//! `changed` wakes a follower.

use std::time::Duration;

use portcullis::revocation::RevocationStore;

use crate::{
    prepared, read_all,
    server::{IN_MEMORY, until},
    start, token,
};

const LONG: Duration = Duration::from_secs(20);

#[tokio::test]
async fn wakes_all_that_wait_when_another_replica_adds_an_entry() {
    let server = start!(IN_MEMORY);
    let (first, second) = (prepared(server.store()).await, prepared(server.store()).await);
    let (one, two) = (first.clone(), first.clone());
    let waiting = [
        tokio::spawn(async move { one.changed().await }),
        tokio::spawn(async move { two.changed().await }),
    ];
    until("the store waits for changes", async || {
        server.run::<String>("CLIENT LIST").await.contains("cmd=xread")
    })
    .await;
    assert!(waiting.iter().all(|task| !task.is_finished()));
    second.add(&[token("x")]).await.unwrap();
    for task in waiting {
        tokio::time::timeout(LONG, task).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_change_between_two_calls_wakes_the_second_one() {
    let server = start!(IN_MEMORY);
    let store = prepared(server.store()).await;
    // Starts the task, and is dropped, as a follower does when it polls.
    drop(tokio::time::timeout(Duration::from_millis(1), store.changed()).await);
    until("the store waits for changes", async || {
        server.run::<String>("CLIENT LIST").await.contains("cmd=xread")
    })
    .await;
    server.store().add(&[token("x")]).await.unwrap();
    tokio::time::timeout(LONG, store.changed()).await.unwrap();
}

#[tokio::test]
async fn wakes_after_the_server_was_away() {
    let mut server = start!(IN_MEMORY);
    let store = prepared(server.store()).await;
    drop(tokio::time::timeout(Duration::from_millis(1), store.changed()).await);
    server.kill();
    server.start_again().await;
    until("a change wakes", async || {
        let added = server.store().add(&[token("x")]).await;
        let wait = tokio::time::timeout(Duration::from_millis(200), store.changed());
        added.is_ok() && wait.await.is_ok()
    })
    .await;
}

#[tokio::test]
async fn calls_share_one_connection_that_ends_with_the_store() {
    let server = start!(IN_MEMORY);
    let store = prepared(server.store()).await;
    let waiting = async || server.run::<String>("CLIENT LIST").await.matches("cmd=xread").count();
    for _ in 0..20 {
        drop(tokio::time::timeout(Duration::from_millis(5), store.changed()).await);
    }
    until("the store waits for changes", async || waiting().await == 1).await;
    drop(store);
    until("the connection ends", async || waiting().await == 0).await;
}

#[tokio::test]
async fn polling_alone_returns_changes() {
    let server = start!(IN_MEMORY);
    let (writer, store) = (prepared(server.store()).await, prepared(server.store()).await);
    let mut reader = read_all(&store).await;
    for round in 0..20 {
        let added = [token(&format!("round {round}"))];
        writer.add(&added).await.unwrap();
        reader.catch_up(&store).await.unwrap();
        assert!(reader.has_all(&added));
    }
}
