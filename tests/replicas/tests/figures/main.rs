//! Many entries: how long a replica takes to load them, and whether requests are served while as many expired
//! ones are deleted.
//!
//! Run them by `cargo test --release -p replicas --features servers --test figures -- --ignored --nocapture
//! --test-threads 1`. `PORTCULLIS_TEST_ENTRIES` is how many entries there are, 1,000,000 by default.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "the tests report what they measured, and stop where they cannot go on"
)]

use std::{
    env,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use portcullis::{
    Authenticator, NumericDate,
    revocation::{Revocation, RevocationStore, Revocations, Revoked},
};
use portcullis_redis::RedisStore;
use portcullis_sql::{PostgresStore, SqliteStore};
use portcullis_testkit::TestIssuer;
use replicas::{Postgres, Redis};

const ISSUER: &str = "https://idp.test";
const CALL: usize = 1_000;
/// What a reader waits for a clean-up at most.
const LONGEST_PAUSE: Duration = Duration::from_millis(50);
/// How long a reader waits between two questions.
const PACE: Duration = Duration::from_millis(2);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes"]
async fn sqlite_with_many_entries() {
    let folder = env::temp_dir().join(format!("portcullis-figures-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("revocations.db");
    measure("SQLite", || SqliteStore::open(&file)).await;
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes"]
async fn postgres_with_many_entries() {
    let server = Postgres::start(&Postgres::find().unwrap()).unwrap();
    measure("PostgreSQL", || PostgresStore::open(&server.url()).unwrap()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes"]
async fn redis_with_many_entries() {
    let server = Redis::start(&Redis::find().unwrap()).unwrap();
    measure("Redis", || RedisStore::open(&server.url()).unwrap()).await;
}

async fn measure<S: RevocationStore + 'static>(name: &str, open: impl Fn() -> S) {
    let count: usize =
        env::var("PORTCULLIS_TEST_ENTRIES").map_or(1_000_000, |text| text.parse().unwrap());
    let store = open();
    store.prepare().await.unwrap();
    let now = NumericDate::EPOCH.saturating_add(std::time::UNIX_EPOCH.elapsed().unwrap());
    let start = Instant::now();
    // They expire after they were loaded.
    fill(&store, count, now.saturating_add(Duration::from_secs(100_000))).await;
    println!("replicas: {name}: {count} entries added in {:.1} s", start.elapsed().as_secs_f64());
    let auth = engine(open());
    let start = Instant::now();
    auth.ready().await.unwrap();
    println!("replicas: {name}: {count} entries loaded in {:.2} s", start.elapsed().as_secs_f64());
    drop(auth);
    clean_up(name, &store, open(), now.saturating_add(Duration::from_secs(200_000))).await;
}

/// Deletes all entries while another handle asks for entries.
async fn clean_up<S: RevocationStore + 'static>(
    name: &str,
    store: &S,
    other: S,
    before: NumericDate,
) {
    other.prepare().await.unwrap();
    let done = Arc::new(AtomicBool::new(false));
    let is_done = Arc::clone(&done);
    let reader = tokio::spawn(async move {
        let wanted = [entry("kept"), entry("unknown")];
        let mut pauses = Vec::new();
        other.add(&[entry("kept")]).await.unwrap();
        loop {
            let start = Instant::now();
            let found = other.find(&wanted).await.unwrap();
            pauses.push(start.elapsed());
            assert_eq!(found.len(), 1);
            if is_done.load(SeqCst) {
                return pauses;
            }
            tokio::time::sleep(PACE).await;
        }
    });
    let start = Instant::now();
    let mut deleted = 0;
    loop {
        let batch = store.delete_expired(before).await.unwrap();
        if batch == 0 {
            break;
        }
        deleted += batch;
    }
    let time = start.elapsed();
    done.store(true, SeqCst);
    let mut pauses = reader.await.unwrap();
    pauses.sort();
    let (p99, longest) = (percentile(&pauses, 99), percentile(&pauses, 100));
    println!(
        "replicas: {name}: {deleted} entries deleted in {:.1} s, {} questions meanwhile: p99 {:.1} ms, \
         at most {:.1} ms",
        time.as_secs_f64(),
        pauses.len(),
        p99.as_secs_f64() * 1_000.0,
        longest.as_secs_f64() * 1_000.0,
    );
    assert!(p99 < LONGEST_PAUSE, "a clean-up blocks readers for {p99:?}");
}

async fn fill<S: RevocationStore>(store: &S, count: usize, until: NumericDate) {
    for first in (0..count).step_by(CALL) {
        let numbers = first..count.min(first + CALL);
        let entries: Vec<Revocation> =
            numbers.map(|number| entry(&format!("token-{number}")).until(until)).collect();
        store.add(&entries).await.unwrap();
    }
}

fn entry(jti: &str) -> Revocation {
    Revocation::new(ISSUER, Revoked::Token(jti.into()))
}

fn engine(store: impl RevocationStore + 'static) -> Authenticator {
    Authenticator::builder()
        .issuer(TestIssuer::new(ISSUER).trusted())
        .audience("orders")
        .revocations(Revocations::new(store))
        .build()
        .unwrap()
}

fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let last = sorted.len().saturating_sub(1);
    *sorted.get(last * percent / 100).unwrap()
}
