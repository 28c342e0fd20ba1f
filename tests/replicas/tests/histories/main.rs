//! Random histories: replicas revoke and check tokens while they are killed, cut off and healed, while expired
//! entries are deleted and the clock is set. A model knows when each revocation was acknowledged.
//!
//! `PORTCULLIS_TEST_HISTORIES` is how many histories each store gets, 20 by default, and
//! `PORTCULLIS_TEST_SEED` is the seed of the first.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "the tests report their seeds, and stop where they cannot go on"
)]

mod defects;
mod history;
mod link;
mod model;
mod random;

use std::{env, sync::Arc};

use portcullis::revocation::{MemoryStore, RevocationStore};
use portcullis_sql::SqliteStore;

use defects::{Defect, SequenceStore};
use history::History;

const HISTORIES: u64 = 20;
/// More than a defect needs to be seen.
const MOST_HISTORIES: u64 = 200;

#[tokio::test]
async fn histories_on_memory_agree_with_the_model() {
    run_all("memory", Arc::new(MemoryStore::new())).await;
}

#[tokio::test]
async fn histories_on_sqlite_agree_with_the_model() {
    let folder = env::temp_dir().join(format!("portcullis-histories-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    run_all("SQLite", Arc::new(SqliteStore::open(folder.join("revocations.db")))).await;
    std::fs::remove_dir_all(&folder).unwrap();
}

#[cfg(feature = "servers")]
#[tokio::test]
async fn histories_on_redis_agree_with_the_model() {
    let server = replicas::Redis::start(&replicas::Redis::find().unwrap()).unwrap();
    let store = portcullis_redis::RedisStore::open(&server.url()).unwrap();
    run_all("Redis", Arc::new(store)).await;
}

#[cfg(feature = "servers")]
#[tokio::test]
async fn histories_on_postgres_agree_with_the_model() {
    let server = replicas::Postgres::start(&replicas::Postgres::find().unwrap()).unwrap();
    let store = portcullis_sql::PostgresStore::open(&server.url()).unwrap();
    run_all("PostgreSQL", Arc::new(store)).await;
}

#[tokio::test]
async fn a_feed_without_gap_read_is_noticed() {
    require_noticed(Defect::NoGapRead, || Arc::new(MemoryStore::new())).await;
}

#[tokio::test]
async fn memory_that_is_written_although_the_store_failed_is_noticed() {
    require_noticed(Defect::IgnoresFailedWrite, || Arc::new(MemoryStore::new())).await;
}

#[tokio::test]
async fn a_sequence_whose_gaps_are_ignored_is_noticed() {
    require_noticed(Defect::None, || Arc::new(SequenceStore::default())).await;
}

async fn run_all(name: &str, store: Arc<dyn RevocationStore>) {
    let first = number("PORTCULLIS_TEST_SEED").unwrap_or(1);
    let last = first + number("PORTCULLIS_TEST_HISTORIES").unwrap_or(HISTORIES) - 1;
    let mut checks = 0;
    for seed in first..=last {
        let outcome = History::new(seed, Arc::clone(&store), Defect::None).run().await;
        checks += outcome.unwrap_or_else(|story| fail(&format!("{name}, seed {seed}: {story}")));
    }
    println!("replicas: histories on {name}: seeds {first} to {last}, {checks} checks");
}

/// Fails unless a history shows that the store has a defect.
async fn require_noticed<S: RevocationStore + 'static>(defect: Defect, store: fn() -> Arc<S>) {
    for seed in 1..=MOST_HISTORIES {
        if let Err(story) = History::new(seed, store(), defect).run().await {
            let reason = story.lines().next().unwrap_or_default();
            return println!("replicas: histories: a defect is noticed by seed {seed}: {reason}");
        }
    }
    fail(&format!("no history of {MOST_HISTORIES} notices the defect"));
}

#[expect(clippy::panic, reason = "this is how a test fails")]
fn fail(text: &str) -> ! {
    panic!("{text}")
}

fn number(variable: &str) -> Option<u64> {
    env::var(variable).ok()?.parse().ok()
}
