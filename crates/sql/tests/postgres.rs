//! The store in PostgreSQL, with a real server.
//!
//! The ignored tests need the URL of a database in `PORTCULLIS_TEST_POSTGRES_URL`, of a user that may create
//! tables and end connections. `cargo xtask test` starts a private server for them.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test that cannot go on stops there"
)]

use std::{
    env,
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use portcullis::{
    NumericDate,
    revocation::{
        Position, ReplayStore, Revocation, RevocationStore, Revoked, StoreError, StoreErrorKind,
    },
};
use portcullis_sql::PostgresStore;
use portcullis_testkit::store_suite;
use tokio::time::timeout;
use tokio_postgres::{Client, NoTls};

const ISSUER: &str = "https://idp.example.com";
const LONG: Duration = Duration::from_secs(20);

#[tokio::test]
#[ignore = "needs PostgreSQL: `cargo xtask test` starts a server and runs this test"]
async fn passes_the_suite_for_revocations() {
    let prefix = new_prefix();
    store_suite::revocations(async || open(&prefix)).await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL: `cargo xtask test` starts a server and runs this test"]
async fn passes_the_suite_for_used_tokens() {
    let prefix = new_prefix();
    store_suite::replays(async || open(&prefix)).await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL: `cargo xtask test` starts a server and runs this test"]
async fn a_long_transaction_delays_no_other_entry_and_is_not_skipped() {
    let (prefix, store, client) = prepared().await;
    add_by_hand(&client, &prefix, "slow").await;
    let mut position = None;
    for n in 0..3 {
        store.add(&[token(&n.to_string())]).await.unwrap();
        let changes = store.read(position.as_ref()).await.unwrap();
        assert!(changes.entries.contains(&token(&n.to_string())), "{n} waits for the transaction");
        assert!(!changes.entries.contains(&token("slow")));
        position = Some(changes.position);
    }
    client.batch_execute("COMMIT").await.unwrap();
    let changes = store.read(position.as_ref()).await.unwrap();
    assert!(changes.entries.contains(&token("slow")), "the long transaction was skipped");
    store.add(&[token("after")]).await.unwrap();
    let changes = store.read(Some(&changes.position)).await.unwrap();
    assert_eq!(changes.entries, [token("after")], "the position stayed behind");
}

#[tokio::test]
#[ignore = "needs PostgreSQL: `cargo xtask test` starts a server and runs this test"]
async fn a_transaction_that_commits_between_two_pages_is_not_skipped() {
    let (prefix, store, client) = prepared().await;
    add_by_hand(&client, &prefix, "slow").await;
    let many: Vec<_> = (0..15_000).map(|n| token(&n.to_string())).collect();
    store.add(&many).await.unwrap();
    let first = store.read(None).await.unwrap();
    assert!(first.has_more);
    client.batch_execute("COMMIT").await.unwrap();
    let second = store.read(Some(&first.position)).await.unwrap();
    assert!(!second.has_more);
    assert_eq!(first.entries.len() + second.entries.len(), 15_000);
    // The pass went on behind the transaction; the next one begins before it.
    let mut next = store.read(Some(&second.position)).await.unwrap();
    let mut entries = next.entries;
    while next.has_more {
        next = store.read(Some(&next.position)).await.unwrap();
        entries.append(&mut next.entries);
    }
    assert!(entries.contains(&token("slow")));
}

#[tokio::test]
#[ignore = "needs PostgreSQL: `cargo xtask test` starts a server and runs this test"]
async fn a_transaction_that_is_rolled_back_leaves_a_gap_and_nothing_else() {
    let (prefix, store, client) = prepared().await;
    let position = store.read(None).await.unwrap().position;
    add_by_hand(&client, &prefix, "never").await;
    client.batch_execute("ROLLBACK").await.unwrap();
    store.add(&[token("a")]).await.unwrap();
    assert_eq!(store.read(Some(&position)).await.unwrap().entries, [token("a")]);
}

#[tokio::test]
#[ignore = "needs PostgreSQL: `cargo xtask test` starts a server and runs this test"]
async fn a_position_of_another_history_is_lost() {
    let (prefix, store, client) = prepared().await;
    let position = store.read(None).await.unwrap().position;
    let (origin, _) = position.as_str().rsplit_once(' ').unwrap();
    let future = Position::new(format!("{origin} {}", i64::MAX));
    assert_eq!(kind(store.read(Some(&future)).await), StoreErrorKind::PositionLost);
    let (tables, timeline) = origin.rsplit_once('/').unwrap();
    assert_eq!(timeline.len(), 8, "the timeline is part of the position");
    let standby = Position::new(format!("{tables}/000000FF 3"));
    assert_eq!(kind(store.read(Some(&standby)).await), StoreErrorKind::PositionLost);
    let sql = format!("UPDATE {prefix}_schema SET identity = 'restored'");
    client.batch_execute(&sql).await.unwrap();
    assert_eq!(kind(store.read(Some(&position)).await), StoreErrorKind::PositionLost);
    store.read(None).await.unwrap();
}

#[tokio::test]
#[ignore = "needs PostgreSQL: `cargo xtask test` starts a server and runs this test"]
async fn wakes_for_a_change_also_if_it_came_before_the_wait() {
    let (prefix, here, _) = prepared().await;
    let there = open(&prefix);
    // The first wait ends when the connection listens.
    timeout(LONG, here.changed()).await.expect("the start of listening");
    here.read(None).await.unwrap();
    there.add(&[token("before")]).await.unwrap();
    timeout(LONG, here.changed()).await.expect("a change before the wait");
    let (woken, added) = tokio::join!(timeout(LONG, here.changed()), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        there.add(&[token("during")]).await
    });
    woken.expect("a change during the wait");
    added.unwrap();
}

#[tokio::test]
#[ignore = "needs PostgreSQL: `cargo xtask test` starts a server and runs this test"]
async fn connects_and_listens_again_after_its_connections_were_ended() {
    let (prefix, store, client) = prepared_as("ended").await;
    timeout(LONG, store.changed()).await.unwrap();
    store.find(&[token("a")]).await.unwrap();
    let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1";
    let name = format!("ended_{prefix}");
    assert_eq!(client.query(sql, &[&name]).await.unwrap().len(), 3, "connections of the store");
    until(async || store.add(&[token("a")]).await.is_ok()).await;
    until(async || store.find(&[token("a")]).await.is_ok_and(|found| found.len() == 1)).await;
    // Listening again is a reason to read: notifications may have been lost.
    timeout(LONG, store.changed()).await.expect("a change after the reconnect");
    store.read(None).await.unwrap();
    until(async || {
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1";
        client.query_one(sql, &[&name]).await.unwrap().get::<_, i64>(0) == 3
    })
    .await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL: `cargo xtask test` starts a server and runs this test"]
async fn a_write_that_waits_for_a_lock_blocks_no_question_and_ends() {
    let (prefix, store, client) = prepared().await;
    store.add(&[token("a")]).await.unwrap();
    add_by_hand(&client, &prefix, "locked").await;
    // The key of the row that the other transaction holds.
    let sql = format!("SELECT key FROM {prefix}_revocation WHERE id = 'locked'");
    let key: Vec<u8> = client.query_one(&sql, &[]).await.unwrap().get(0);
    assert_eq!(key.len(), 32);
    client
        .batch_execute(&format!("LOCK TABLE {prefix}_revocation IN EXCLUSIVE MODE"))
        .await
        .unwrap();
    let write = async { (store.add(&[token("b")]).await, Instant::now()) };
    let questions = async {
        for n in 0..50 {
            assert_eq!(store.find(&[token("a")]).await.unwrap().len(), 1);
            let until = NumericDate::from_seconds(i64::MAX);
            store.consume(ISSUER, &n.to_string(), until).await.unwrap();
        }
        Instant::now()
    };
    let ((result, failed_at), answered_at) = tokio::join!(write, questions);
    assert_eq!(kind(result), StoreErrorKind::Unavailable);
    assert!(answered_at < failed_at, "the questions waited for the write");
    client.batch_execute("ROLLBACK").await.unwrap();
    store.add(&[token("b")]).await.unwrap();
}

#[tokio::test]
#[ignore = "needs PostgreSQL: `cargo xtask test` starts a server and runs this test"]
async fn calls_that_are_dropped_leave_the_connections_usable() {
    let (_, store, _) = prepared().await;
    for n in 0..200 {
        let entries = [token(&n.to_string())];
        drop(timeout(Duration::from_micros(n * 20), store.add(&entries)).await);
        drop(timeout(Duration::from_micros(n), store.read(None)).await);
        drop(timeout(Duration::from_micros(n), store.changed()).await);
    }
    store.add(&[token("last")]).await.unwrap();
    assert_eq!(store.find(&[token("last")]).await.unwrap(), [token("last")]);
}

#[tokio::test]
#[ignore = "needs PostgreSQL: `cargo xtask test` starts a server and runs this test"]
async fn ten_replicas_prepare_at_once() {
    let prefix = new_prefix();
    let replicas: Vec<_> = (0..10)
        .map(|_| {
            let store = open(&prefix);
            tokio::spawn(async move { RevocationStore::prepare(&store).await })
        })
        .collect();
    for replica in replicas {
        replica.await.unwrap().unwrap();
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL: `cargo xtask test` starts a server and runs this test"]
async fn a_newer_schema_is_unusable_also_while_the_store_runs() {
    let (prefix, store, client) = prepared().await;
    client.batch_execute(&format!("UPDATE {prefix}_schema SET version = 2")).await.unwrap();
    assert_eq!(kind(store.read(None).await), StoreErrorKind::Unusable);
    assert_eq!(kind(RevocationStore::prepare(&store).await), StoreErrorKind::Unusable);
    assert_eq!(kind(RevocationStore::prepare(&open(&prefix)).await), StoreErrorKind::Unusable);
}

#[tokio::test]
#[ignore = "needs PostgreSQL: `cargo xtask test` starts a server and runs this test"]
async fn commits_wait_for_the_disk_although_the_server_does_not_ask_for_it() {
    let prefix = new_prefix();
    let url = with_parameter("options=-c%20synchronous_commit%3Doff");
    let store = PostgresStore::open(&url).unwrap().table_prefix(&prefix).unwrap();
    RevocationStore::prepare(&store).await.unwrap();
    let client = client().await;
    // A deferred trigger runs at the commit, after all parts of the statement.
    let sql = format!(
        "CREATE TABLE {prefix}_commits (setting text);
         CREATE FUNCTION {prefix}_note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             INSERT INTO {prefix}_commits VALUES (current_setting('synchronous_commit'));
             RETURN NULL; END $$;
         CREATE CONSTRAINT TRIGGER note AFTER INSERT ON {prefix}_revocation
             DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION {prefix}_note();
         CREATE CONSTRAINT TRIGGER note AFTER INSERT ON {prefix}_used_token
             DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION {prefix}_note();"
    );
    client.batch_execute(&sql).await.unwrap();
    store.add(&[token("a")]).await.unwrap();
    store.consume(ISSUER, "a", NumericDate::from_seconds(1)).await.unwrap();
    let rows = client.query(&format!("SELECT setting FROM {prefix}_commits"), &[]).await.unwrap();
    let settings: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(settings, ["on", "on"]);
}

#[tokio::test]
#[ignore = "needs PostgreSQL: `cargo xtask test` starts a server and runs this test"]
async fn a_user_without_rights_needs_none_once_the_tables_exist() {
    let (prefix, _, client) = prepared().await;
    let sql = format!(
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC;
         CREATE ROLE {prefix}_user LOGIN;
         GRANT SELECT ON {prefix}_schema TO {prefix}_user;
         GRANT SELECT, INSERT, UPDATE, DELETE ON {prefix}_revocation, {prefix}_used_token
             TO {prefix}_user;"
    );
    client.batch_execute(&sql).await.unwrap();
    let url = with_parameter(&format!("user={prefix}_user"));
    let open_as_user =
        |prefix: &str| PostgresStore::open(&url).unwrap().table_prefix(prefix).unwrap();
    let store = open_as_user(&prefix);
    RevocationStore::prepare(&store).await.unwrap();
    store.add(&[token("a")]).await.unwrap();
    assert_eq!(store.read(None).await.unwrap().entries, [token("a")]);
    let no_tables = open_as_user(&new_prefix());
    assert_eq!(kind(RevocationStore::prepare(&no_tables).await), StoreErrorKind::Unusable);
}

#[tokio::test]
async fn no_credential_is_in_an_error_or_a_debug_text() {
    // Nothing listens on the port.
    let store = PostgresStore::open("postgres://zaphod:s3cret@127.0.0.1:1/orders").unwrap();
    let error = RevocationStore::prepare(&store).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    let text = format!("{error} {error:?} {store:?} {}", RevocationStore::label(&store));
    assert!(!text.contains("s3cret") && !text.contains("zaphod"), "{text}");

    let store = store.password_file("/nowhere/s3cret-file");
    let error = RevocationStore::prepare(&store).await.unwrap_err();
    assert!(!format!("{error} {error:?} {store:?}").contains("s3cret"));
}

#[tokio::test]
async fn another_host_is_not_reached_without_tls_unless_the_url_says_so() {
    for url in [
        "postgres://ann:s3cret@db.invalid/orders",
        "postgres://ann:s3cret@db.invalid/orders?sslmode=prefer",
        "postgres://ann:s3cret@db.invalid/orders?sslmode=require",
        "postgres://ann:s3cret@localhost,db.invalid/orders",
        "postgres://ann:s3cret@localhost/orders?hostaddr=192.0.2.1",
        "postgres://ann:s3cret@localhost/orders?sslmode=require",
    ] {
        let store = PostgresStore::open(url).unwrap();
        assert_eq!(kind(RevocationStore::prepare(&store).await), StoreErrorKind::Unusable, "{url}");
    }
    let store = PostgresStore::open("postgres://ann@127.0.0.1:1/orders?sslmode=disable").unwrap();
    assert_eq!(kind(RevocationStore::prepare(&store).await), StoreErrorKind::Unavailable);
}

async fn prepared() -> (String, PostgresStore, Client) {
    prepared_as("portcullis").await
}

async fn prepared_as(name: &str) -> (String, PostgresStore, Client) {
    let prefix = new_prefix();
    let url = with_parameter(&format!("application_name={name}_{prefix}"));
    let store = PostgresStore::open(&url).unwrap().table_prefix(&prefix).unwrap();
    RevocationStore::prepare(&store).await.unwrap();
    (prefix, store, client().await)
}

/// Adds an entry as a store does, in a transaction that stays open.
async fn add_by_hand(client: &Client, prefix: &str, jti: &str) {
    let sql = format!(
        "BEGIN; INSERT INTO {prefix}_revocation (key, issuer, kind, id, transaction)
         VALUES (sha256('{jti}'), '{ISSUER}', 'token', '{jti}', pg_current_xact_id()::text::bigint)"
    );
    client.batch_execute(&sql).await.unwrap();
}

async fn client() -> Client {
    let (client, connection) = tokio_postgres::connect(&url(), NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

fn open(prefix: &str) -> PostgresStore {
    PostgresStore::open(&url()).unwrap().table_prefix(prefix).unwrap()
}

fn url() -> String {
    env::var("PORTCULLIS_TEST_POSTGRES_URL").expect("PORTCULLIS_TEST_POSTGRES_URL is set")
}

fn with_parameter(parameter: &str) -> String {
    let url = url();
    format!("{url}{}{parameter}", if url.contains('?') { '&' } else { '?' })
}

/// Tables of its own for each test and run.
fn new_prefix() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let n = COUNT.fetch_add(1, Ordering::Relaxed);
    let time = std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos() % 1_000_000_000_000;
    format!("t{}_{time}_{n}", std::process::id())
}

fn token(jti: &str) -> Revocation {
    Revocation::new(ISSUER, Revoked::Token(jti.into()))
}

fn kind<T: std::fmt::Debug>(result: Result<T, StoreError>) -> StoreErrorKind {
    result.unwrap_err().kind()
}

async fn until(condition: impl AsyncFn() -> bool) {
    let wait = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(LONG, wait).await.expect("the condition is met in time");
}
