//! The store on real Redis servers.

#![expect(clippy::panic, clippy::unwrap_used, reason = "this is how a test fails")]

mod changed;
mod faults;
mod loss;
mod pages;
mod refused;
mod replicas;
mod secrets;
mod server;
mod service;
mod silent;
mod suite;

use std::collections::HashMap;

use portcullis::{
    NumericDate,
    revocation::{Position, Revocation, RevocationStore, Revoked, StoreError, StoreErrorKind},
};
use portcullis_redis::RedisStore;

const ISSUER: &str = "https://idp.example.com";

/// Starts a server, or ends the test if there is no Redis and that is allowed.
macro_rules! start {
    ($arguments:expr) => {
        match crate::server::Server::start($arguments).await {
            Some(server) => server,
            None => return,
        }
    };
}
pub(crate) use start;

fn token(jti: &str) -> Revocation {
    Revocation::new(ISSUER, Revoked::Token(jti.into()))
}

fn tokens(prefix: &str, count: usize) -> Vec<Revocation> {
    (0..count).map(|number| token(&format!("{prefix}-{number}"))).collect()
}

fn seconds(seconds: i64) -> NumericDate {
    NumericDate::from_seconds(seconds)
}

fn kind<T>(result: Result<T, StoreError>) -> Option<StoreErrorKind> {
    result.err().map(|error| error.kind())
}

async fn prepared(store: RedisStore) -> RedisStore {
    RevocationStore::prepare(&store).await.unwrap();
    store
}

/// A replica of a service: what it has read, and its position.
#[derive(Default)]
struct Reader {
    entries: HashMap<Revoked, Option<NumericDate>>,
    position: Option<Position>,
    /// The last entry of the page that was read last.
    last: Option<Revocation>,
}

impl Reader {
    /// Reads until there is no more.
    async fn catch_up(&mut self, store: &RedisStore) -> Result<(), StoreError> {
        while self.read_page(store).await? {}
        Ok(())
    }

    /// Reads a page, and returns whether there is another.
    async fn read_page(&mut self, store: &RedisStore) -> Result<bool, StoreError> {
        let page = store.read(self.position.as_ref()).await?;
        self.last = page.entries.last().cloned();
        for entry in page.entries {
            self.entries.insert(entry.revoked, entry.until);
        }
        self.position = Some(page.position);
        Ok(page.has_more)
    }

    fn has_all(&self, entries: &[Revocation]) -> bool {
        entries.iter().all(|entry| self.entries.contains_key(&entry.revoked))
    }
}

async fn read_all(store: &RedisStore) -> Reader {
    let mut reader = Reader::default();
    reader.catch_up(store).await.unwrap();
    reader
}
