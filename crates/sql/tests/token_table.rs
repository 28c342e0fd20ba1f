//! Tables of another system, in real files and on a real server.
//!
//! The ignored tests need the URL of a database in `PORTCULLIS_TEST_POSTGRES_URL`. `cargo xtask test` starts a
//! private server for them.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that cannot go on stops there"
)]

use std::{
    env, fs,
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use portcullis::{
    Authenticator, NumericDate,
    revocation::{Revocation, RevocationStore, Revocations, Revoked, StoreErrorKind},
};
use portcullis_sql::{PostgresStore, SqliteStore};
use portcullis_testkit::TestIssuer;
use tokio_postgres::{Client, NoTls};

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().try_into().unwrap()
}

fn token(id: &str, until: i64) -> Revocation {
    Revocation::new("", Revoked::Token(id.into())).until(NumericDate::from_seconds(until))
}

fn ids(entries: &[Revocation]) -> Vec<&str> {
    let mut ids: Vec<_> = entries.iter().map(|entry| entry.revoked.id()).collect();
    ids.sort_unstable();
    ids
}

/// A table, and another program that uses it.
trait Table {
    fn store(&self) -> impl RevocationStore + 'static;

    /// Runs a statement of the other program.
    async fn execute(&self, sql: &str);

    async fn text(&self, sql: &str) -> String;
}

struct InFile(PathBuf);

static NUMBER: AtomicU32 = AtomicU32::new(0);

fn unique() -> String {
    format!("{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed))
}

impl InFile {
    fn new() -> Self {
        let folder = env::temp_dir().join(format!("portcullis-token-table-{}", unique()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn connection(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.0.join("airflow.db")).unwrap()
    }
}

impl Drop for InFile {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Table for InFile {
    fn store(&self) -> impl RevocationStore + 'static {
        SqliteStore::open(self.0.join("airflow.db")).token_table("revoked_token").unwrap()
    }

    async fn execute(&self, sql: &str) {
        self.connection().execute_batch(&sql.replace("{t}", "revoked_token")).unwrap();
    }

    async fn text(&self, sql: &str) -> String {
        let sql = sql.replace("{t}", "revoked_token");
        self.connection().query_row(&sql, [], |row| row.get(0)).unwrap()
    }
}

struct OnServer {
    url: String,
    name: String,
    client: Client,
}

impl OnServer {
    async fn new() -> Self {
        let url = env::var("PORTCULLIS_TEST_POSTGRES_URL").unwrap();
        let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
        tokio::spawn(connection);
        Self { url, name: format!("revoked_{}", unique()), client }
    }
}

impl Table for OnServer {
    fn store(&self) -> impl RevocationStore + 'static {
        PostgresStore::open(&self.url).unwrap().token_table(&self.name).unwrap()
    }

    async fn execute(&self, sql: &str) {
        self.client.batch_execute(&sql.replace("{t}", &self.name)).await.unwrap();
    }

    async fn text(&self, sql: &str) -> String {
        self.client.query_one(&sql.replace("{t}", &self.name), &[]).await.unwrap().get(0)
    }
}

/// Makes a test for each engine.
macro_rules! on_both {
    ($($(#[$doc:meta])* $name:ident)*) => {
        mod sqlite {
            $(#[tokio::test] async fn $name() { super::$name(super::InFile::new()).await; })*
        }
        mod postgres {
            $(
                #[tokio::test]
                #[ignore = "needs PostgreSQL: `cargo xtask test` starts a server and runs this test"]
                async fn $name() { super::$name(super::OnServer::new().await).await; }
            )*
        }
    };
}

on_both! {
    creates_the_table_once_and_uses_one_that_exists
    what_one_handle_adds_another_reads_and_finds
    rows_of_the_other_program_are_revocations
    of_two_times_the_later_one_counts
    more_than_10000_rows_are_not_listed_and_each_is_found
    deletes_what_no_token_needs_in_batches
    an_entry_that_the_table_cannot_have_adds_nothing
    an_engine_rejects_within_a_second_what_the_other_program_revokes
}

async fn creates_the_table_once_and_uses_one_that_exists(table: impl Table) {
    let store = table.store();
    assert!(store.read(None).await.is_err(), "a missing table is not an empty one");
    store.prepare().await.unwrap();
    store.add(&[token("a", now() + 600)]).await.unwrap();
    let (again, other) = (table.store(), table.store());
    let (one, two) = tokio::join!(again.prepare(), other.prepare());
    one.unwrap();
    two.unwrap();
    assert_eq!(ids(&again.read(None).await.unwrap().entries), ["a"]);
    table.execute(r#"DROP TABLE "{t}""#).await;
    assert!(store.read(None).await.is_err());
    assert!(store.find(&[token("a", 0)]).await.is_err());
}

async fn what_one_handle_adds_another_reads_and_finds(table: impl Table) {
    let (here, there) = (table.store(), table.store());
    here.prepare().await.unwrap();
    here.add(&[token("a", now() + 600), token("b", now() + 600)]).await.unwrap();
    let first = there.read(None).await.unwrap();
    assert_eq!(ids(&first.entries), ["a", "b"]);
    assert!(!first.has_more && !first.is_incomplete);
    assert!(there.read(Some(&first.position)).await.unwrap().entries.is_empty());
    let wanted = [
        token("a", 0),
        token("x", 0),
        token("nul\0", 0),
        token(&"long".repeat(100), 0),
        Revocation::new("", Revoked::Session("a".into())),
    ];
    let found = there.find(&wanted).await.unwrap();
    assert_eq!(ids(&found), ["a"]);
    assert!(matches!(found[0].revoked, Revoked::Token(_)));
    // Needed for the leeway after the token.
    assert!(found[0].until.unwrap().seconds() >= now() + 600);
    assert!(there.ignores_issuers());
}

async fn rows_of_the_other_program_are_revocations(table: impl Table) {
    let store = table.store();
    store.prepare().await.unwrap();
    let position = store.read(None).await.unwrap().position;
    table
        .execute(
            r#"INSERT INTO "{t}" VALUES ('future', '2099-01-31 18:05:09.250000'), ('past', '2001-01-01 00:00:00.000000')"#,
        )
        .await;
    let changes = store.read(Some(&position)).await.unwrap();
    assert_eq!(ids(&changes.entries), ["future"]);
    let until = changes.entries[0].until.unwrap().seconds();
    // 2099-01-31 18:05:09 and the leeway.
    assert!((4_073_565_909 + 60..=4_073_565_910 + 60).contains(&until), "{until}");
    // Before it is deleted, an old row is found.
    assert_eq!(ids(&store.find(&[token("past", 0)]).await.unwrap()), ["past"]);
}

async fn of_two_times_the_later_one_counts(table: impl Table) {
    let store = table.store();
    store.prepare().await.unwrap();
    let end = now() + 1000;
    store.add(&[token("a", end), token("b", end)]).await.unwrap();
    store.add(&[token("a", end - 500), token("b", end + 500)]).await.unwrap();
    store.add(&[Revocation::new("", Revoked::Token("c".into()))]).await.unwrap();
    let find = async |id: &str| {
        store.find(&[token(id, 0)]).await.unwrap()[0].until.unwrap().seconds() - 60
    };
    assert_eq!((find("a").await, find("b").await), (end, end + 500));
    // The end of the year 9999, as no later one exists in Python.
    assert!((253_000_000_000..=253_402_300_799).contains(&find("c").await));
}

async fn more_than_10000_rows_are_not_listed_and_each_is_found(table: impl Table) {
    let store = table.store();
    store.prepare().await.unwrap();
    let tokens: Vec<_> = (0..10_001).map(|n| token(&n.to_string(), now() + 600)).collect();
    store.add(&tokens[..10_000]).await.unwrap();
    let whole = store.read(None).await.unwrap();
    assert_eq!((whole.entries.len(), whole.is_incomplete), (10_000, false));
    store.add(&tokens).await.unwrap();
    // Expired rows do not count.
    let more = store.read(Some(&whole.position)).await.unwrap();
    assert_eq!((more.entries.len(), more.is_incomplete), (0, true));
    assert_eq!(ids(&store.find(&[token("10000", 0)]).await.unwrap()), ["10000"]);
    table.execute(r#"DELETE FROM "{t}" WHERE jti = '0'"#).await;
    let whole = store.read(Some(&more.position)).await.unwrap();
    assert_eq!((whole.entries.len(), whole.is_incomplete), (10_000, false));
}

async fn deletes_what_no_token_needs_in_batches(table: impl Table) {
    let store = table.store();
    store.prepare().await.unwrap();
    let old: Vec<_> = (0..1_500).map(|n| token(&n.to_string(), 1_000_000_000)).collect();
    store.add(&old).await.unwrap();
    let now = now();
    store.add(&[token("leeway", now - 30), token("good", now + 600)]).await.unwrap();
    let mut deleted = Vec::new();
    for _ in 0..3 {
        deleted.push(store.delete_expired(NumericDate::from_seconds(now)).await.unwrap());
    }
    assert_eq!(deleted, [1000, 500, 0]);
    assert_eq!(ids(&store.read(None).await.unwrap().entries), ["good", "leeway"]);
}

async fn an_entry_that_the_table_cannot_have_adds_nothing(table: impl Table) {
    let store = table.store();
    store.prepare().await.unwrap();
    for entry in [token(&"a".repeat(33), now()), Revocation::new("", Revoked::Key("k".into()))] {
        let error = store.add(&[token("good", now() + 600), entry]).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unsupported);
    }
    assert!(store.read(None).await.unwrap().entries.is_empty());
    store.add(&[token(&"a".repeat(32), now() + 600)]).await.unwrap();
}

async fn an_engine_rejects_within_a_second_what_the_other_program_revokes(table: impl Table) {
    let issuer = TestIssuer::new("https://idp.test");
    let build = async || {
        let auth = Authenticator::builder()
            .issuer(issuer.trusted())
            .audience("orders")
            .revocations(Revocations::new(table.store()))
            .build()
            .unwrap();
        auth.ready().await.unwrap();
        auth
    };
    let (here, there) = (build().await, build().await);
    let token = |id: &str| issuer.token().audience("orders").claim("jti", id).build();
    let (elsewhere, own) = (token("elsewhere"), token("own"));
    let caller = here.authenticate_token(&own).await.unwrap();
    here.authenticate_token(&elsewhere).await.unwrap();

    table.execute(r#"INSERT INTO "{t}" VALUES ('elsewhere', '2099-01-31 18:05:09.250000')"#).await;
    here.revoke(&[caller.principal().revocation().unwrap()]).await.unwrap();
    assert!(here.authenticate_token(&own).await.is_err(), "its own revocation holds at once");
    assert_eq!(table.text(r#"SELECT jti FROM "{t}" WHERE jti = 'own'"#).await, "own");
    let begun = Instant::now();
    for (auth, token) in [(&here, &elsewhere), (&there, &elsewhere), (&there, &own)] {
        while auth.authenticate_token(token).await.is_ok() {
            assert!(begun.elapsed() < Duration::from_secs(1), "not within a second");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    for auth in [here, there] {
        auth.shutdown().await;
    }
}

#[tokio::test]
async fn sqlite_keeps_the_journal_mode_and_writes_exp_as_sqlalchemy_does() {
    let table = InFile::new();
    let store = table.store();
    store.prepare().await.unwrap();
    store.add(&[token("a", 4_073_565_909)]).await.unwrap();
    let exp = table.text("SELECT exp FROM revoked_token").await;
    assert_eq!(exp, "2099-01-31 18:05:09.000000");
    let mode: String =
        table.connection().pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
    assert_eq!(mode, "delete");
    // Every row is needed while it cannot be known until when.
    table.execute("INSERT INTO revoked_token VALUES ('odd', 'soon')").await;
    let entries = store.read(None).await.unwrap().entries;
    let odd = entries.iter().find(|entry| entry.revoked.id() == "odd").unwrap();
    assert_eq!(odd.until, None);
}

#[tokio::test]
#[ignore = "needs PostgreSQL: `cargo xtask test` starts a server and runs this test"]
async fn postgres_needs_a_time_zone_in_exp() {
    let table = OnServer::new().await;
    table.execute(r#"CREATE TABLE "{t}" (jti varchar(32), exp timestamp)"#).await;
    let error = table.store().prepare().await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unusable, "{error}");
}
