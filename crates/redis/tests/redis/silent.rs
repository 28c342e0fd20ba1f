//! Connections that go silent, as when a cable is cut: no byte arrives, and no end.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use portcullis::revocation::RevocationStore;
use portcullis_redis::RedisStore;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
};

use crate::{
    prepared,
    server::{IN_MEMORY, until},
    start, token,
};

/// Forwards connections to a server, except those that were cut.
struct Proxy {
    port: u16,
    /// Connections with a lower number are cut.
    cut: Arc<AtomicU32>,
    accepted: Arc<AtomicU32>,
}

impl Proxy {
    async fn start(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let proxy = Self { port, cut: Arc::default(), accepted: Arc::default() };
        let (cut, accepted) = (Arc::clone(&proxy.cut), Arc::clone(&proxy.accepted));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let number = accepted.fetch_add(1, Ordering::SeqCst);
                let (from_client, to_client) = client.into_split();
                let server = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
                let (from_server, to_server) = server.into_split();
                tokio::spawn(forward(from_client, to_server, number, Arc::clone(&cut)));
                tokio::spawn(forward(from_server, to_client, number, Arc::clone(&cut)));
            }
        });
        proxy
    }

    fn cut_all(&self) {
        self.cut.store(self.accepted.load(Ordering::SeqCst), Ordering::SeqCst);
    }
}

async fn forward(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    number: u32,
    cut: Arc<AtomicU32>,
) {
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        if number < cut.load(Ordering::SeqCst) {
            // Open, but silent.
            std::future::pending::<()>().await;
        }
        if to.write_all(buffer.get(..length).unwrap()).await.is_err() {
            break;
        }
    }
}

#[tokio::test]
async fn a_silent_connection_is_replaced_although_each_caller_waits_only_briefly() {
    let server = start!(IN_MEMORY);
    let proxy = Proxy::start(server.port()).await;
    let store = RedisStore::open(&format!("redis://127.0.0.1:{}", proxy.port)).unwrap();
    let store = prepared(store).await;
    let wanted = [token("x")];
    store.add(&wanted).await.unwrap();
    proxy.cut_all();
    let limit = Duration::from_millis(100);
    assert!(tokio::time::timeout(limit, store.find(&wanted)).await.is_err());
    until("the connection is replaced", async || {
        let found = tokio::time::timeout(limit, store.find(&wanted)).await;
        found.is_ok_and(|found| found.is_ok_and(|found| found.len() == 1))
    })
    .await;
}

#[tokio::test]
async fn a_silent_connection_does_not_stop_notifications_for_good() {
    let server = start!(IN_MEMORY);
    let proxy = Proxy::start(server.port()).await;
    let store = RedisStore::open(&format!("redis://127.0.0.1:{}", proxy.port)).unwrap();
    let store = prepared(store).await;
    drop(tokio::time::timeout(Duration::from_millis(1), store.changed()).await);
    until("the store waits for changes", async || {
        server.run::<String>("CLIENT LIST").await.contains("cmd=xread")
    })
    .await;
    proxy.cut_all();
    let writer = prepared(server.store()).await;
    // The overdue answer wakes once; after that the new connection does.
    for _ in 0..3 {
        until("a change wakes", async || {
            writer.add(&wanted()).await.unwrap();
            tokio::time::timeout(Duration::from_millis(200), store.changed()).await.is_ok()
        })
        .await;
    }
}

fn wanted() -> Vec<portcullis::revocation::Revocation> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    vec![token(&NUMBER.fetch_add(1, Ordering::Relaxed).to_string())]
}
