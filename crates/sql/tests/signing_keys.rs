//! Signing keys in SQLite and PostgreSQL.

#![expect(clippy::unwrap_used, reason = "tests stop where they cannot go on")]

use std::{
    env, fs,
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
};

use portcullis::revocation::RevocationStore;
use portcullis_mint::{SigningKeyStore, SigningKeyStoreError};
use portcullis_sql::{PostgresStore, SqliteStore};
use portcullis_testkit::store_suite;
use tokio_postgres::NoTls;

static COUNT: AtomicU32 = AtomicU32::new(0);

#[tokio::test]
async fn sqlite_passes_the_suite() {
    let folder = Folder::new();
    // Two handles share a file, and each property has one of its own.
    let handles = AtomicU32::new(0);
    store_suite::signing_keys(async || {
        let file = handles.fetch_add(1, Ordering::Relaxed) / 2;
        SqliteStore::open(folder.0.join(format!("{file}.db")))
    })
    .await;
}

#[tokio::test]
async fn sqlite_keeps_keys_and_revocations_in_one_file() {
    let folder = Folder::new();
    let store = SqliteStore::open(folder.0.join("both.db"));
    SigningKeyStore::prepare(&store).await.unwrap();
    SigningKeyStore::read(&store).await.unwrap();
    RevocationStore::read(&store, None).await.unwrap();
}

#[tokio::test]
async fn a_newer_schema_in_sqlite_is_unusable_also_while_the_store_runs() {
    let folder = Folder::new();
    let file = folder.0.join("newer.db");
    let store = SqliteStore::open(&file);
    SigningKeyStore::prepare(&store).await.unwrap();
    let revision = SigningKeyStore::read(&store).await.unwrap().revision;
    let other = rusqlite::Connection::open(&file).unwrap();
    other.execute("UPDATE portcullis_signing_ring SET version = 2", []).unwrap();
    require_unusable(SigningKeyStore::read(&store).await);
    require_unusable(SigningKeyStore::prepare(&store).await);
    assert_eq!(store.write(&[], revision).await, Ok(false));
    // Replicas that only read revocations go on.
    RevocationStore::read(&store, None).await.unwrap();
}

#[tokio::test]
#[ignore = "needs PostgreSQL: `cargo xtask test` starts a server and runs this test"]
async fn postgres_passes_the_suite() {
    let run = new_prefix();
    let handles = AtomicU32::new(0);
    store_suite::signing_keys(async || {
        let pair = handles.fetch_add(1, Ordering::Relaxed) / 2;
        open(&format!("{run}_{pair}"))
    })
    .await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL: `cargo xtask test` starts a server and runs this test"]
async fn ten_replicas_prepare_postgres_at_once() {
    prepare_at_once(&url()).await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL: `cargo xtask test` starts a server and runs this test"]
async fn ten_replicas_prepare_postgres_at_once_where_transactions_keep_their_first_snapshot() {
    for level in ["repeatable%5C%20read", "serializable"] {
        let options = format!("options=-c%20default_transaction_isolation%3D{level}");
        prepare_at_once(&with_parameter(&options)).await;
    }
}

async fn prepare_at_once(url: &str) {
    let prefix = new_prefix();
    let replicas: Vec<_> = (0..10)
        .map(|_| {
            let store = PostgresStore::open(url).unwrap().table_prefix(&prefix).unwrap();
            tokio::spawn(async move { SigningKeyStore::prepare(&store).await })
        })
        .collect();
    for replica in replicas {
        replica.await.unwrap().unwrap();
    }
    let (client, table) = (client().await, format!("{prefix}_signing_ring"));
    let count = format!("SELECT count(*) FROM {table}");
    assert_eq!(client.query_one(&count, &[]).await.unwrap().get::<_, i64>(0), 1);
    for one in [1, 2] {
        let second = format!("INSERT INTO {table} (one, version, revision) VALUES ({one}, 1, 1)");
        client.batch_execute(&second).await.unwrap_err();
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL: `cargo xtask test` starts a server and runs this test"]
async fn a_newer_schema_in_postgres_is_unusable_also_while_the_store_runs() {
    let prefix = new_prefix();
    let store = open(&prefix);
    SigningKeyStore::prepare(&store).await.unwrap();
    let revision = SigningKeyStore::read(&store).await.unwrap().revision;
    let sql = format!("UPDATE {prefix}_signing_ring SET version = 2");
    client().await.batch_execute(&sql).await.unwrap();
    require_unusable(SigningKeyStore::read(&store).await);
    require_unusable(SigningKeyStore::prepare(&open(&prefix)).await);
    assert_eq!(store.write(&[], revision).await, Ok(false));
}

#[tokio::test]
#[ignore = "needs PostgreSQL: `cargo xtask test` starts a server and runs this test"]
async fn a_user_without_rights_needs_none_once_the_tables_exist() {
    let prefix = new_prefix();
    SigningKeyStore::prepare(&open(&prefix)).await.unwrap();
    let sql = format!(
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC;
         CREATE ROLE {prefix}_user LOGIN;
         GRANT SELECT, UPDATE ON {prefix}_signing_ring TO {prefix}_user;
         GRANT SELECT, INSERT, UPDATE, DELETE ON {prefix}_signing_key TO {prefix}_user;"
    );
    client().await.batch_execute(&sql).await.unwrap();
    let url = with_parameter(&format!("user={prefix}_user"));
    let store = PostgresStore::open(&url).unwrap().table_prefix(&prefix).unwrap();
    SigningKeyStore::prepare(&store).await.unwrap();
    let revision = SigningKeyStore::read(&store).await.unwrap().revision;
    assert_eq!(store.write(&[], revision).await, Ok(true));
    let no_tables = PostgresStore::open(&url).unwrap().table_prefix(&new_prefix()).unwrap();
    require_unusable(SigningKeyStore::prepare(&no_tables).await);
}

#[tokio::test]
#[ignore = "needs PostgreSQL: `cargo xtask test` starts a server and runs this test"]
async fn commits_wait_for_the_disk_although_the_server_does_not_ask_for_it() {
    let prefix = new_prefix();
    let url = with_parameter("options=-c%20synchronous_commit%3Doff");
    let store = PostgresStore::open(&url).unwrap().table_prefix(&prefix).unwrap();
    SigningKeyStore::prepare(&store).await.unwrap();
    let client = client().await;
    // A deferred trigger runs at the commit, after all parts of the statement.
    let sql = format!(
        "CREATE TABLE {prefix}_commits (setting text);
         CREATE FUNCTION {prefix}_note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             INSERT INTO {prefix}_commits VALUES (current_setting('synchronous_commit'));
             RETURN NULL; END $$;
         CREATE CONSTRAINT TRIGGER note AFTER UPDATE ON {prefix}_signing_ring
             DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION {prefix}_note();"
    );
    client.batch_execute(&sql).await.unwrap();
    let revision = SigningKeyStore::read(&store).await.unwrap().revision;
    assert_eq!(store.write(&[], revision).await, Ok(true));
    let rows = client.query(&format!("SELECT setting FROM {prefix}_commits"), &[]).await.unwrap();
    let settings: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(settings, ["on"]);
}

#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "callers pass what a call returns")]
fn require_unusable<T: std::fmt::Debug>(result: Result<T, SigningKeyStoreError>) {
    assert!(matches!(result, Err(SigningKeyStoreError::Unusable(_))), "{result:?}");
}

async fn client() -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(&url(), NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

fn open(prefix: &str) -> PostgresStore {
    PostgresStore::open(&url()).unwrap().table_prefix(prefix).unwrap()
}

fn url() -> String {
    env::var("PORTCULLIS_TEST_POSTGRES_URL").unwrap()
}

fn with_parameter(parameter: &str) -> String {
    let url = url();
    format!("{url}{}{parameter}", if url.contains('?') { '&' } else { '?' })
}

/// Tables of its own for each test and run.
fn new_prefix() -> String {
    let time = std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos() % 1_000_000_000;
    format!("k{}_{time}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = env::temp_dir().join(format!("portcullis-keys-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}
