//! The store in a SQLite file, with real files and processes.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that cannot go on stops there, and a process of a test reports by its output"
)]

use std::{
    env, fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use portcullis::{
    NumericDate,
    revocation::{Revocation, RevocationStore, Revoked, StoreErrorKind},
};
use portcullis_sql::SqliteStore;
use portcullis_testkit::store_suite;
use tokio::time::timeout;

const ISSUER: &str = "https://idp.example.com";
const FILE: &str = "PORTCULLIS_TEST_SQLITE_FILE";
const NAME: &str = "PORTCULLIS_TEST_NAME";
const LONG: Duration = Duration::from_secs(20);

#[tokio::test]
async fn passes_the_suite_for_revocations() {
    let folder = Folder::new();
    store_suite::revocations(async || SqliteStore::open(folder.file())).await;
}

#[tokio::test]
async fn passes_the_suite_for_used_tokens() {
    let folder = Folder::new();
    store_suite::replays(async || SqliteStore::open(folder.file())).await;
}

#[tokio::test]
async fn wakes_for_a_change_also_if_it_came_before_the_wait() {
    let folder = Folder::new();
    let (here, there) = (prepared(folder.file()).await, prepared(folder.file()).await);
    let position = here.read(None).await.unwrap().position;
    there.add(&[token("before")]).await.unwrap();
    timeout(LONG, here.changed()).await.expect("a change before the wait");
    assert_eq!(here.read(Some(&position)).await.unwrap().entries, [token("before")]);

    let (woken, added) = tokio::join!(timeout(LONG, here.changed()), async {
        tokio::time::sleep(Duration::from_millis(150)).await;
        there.add(&[token("during")]).await
    });
    woken.expect("a change during the wait");
    added.unwrap();
    here.add(&[token("own")]).await.unwrap();
    timeout(LONG, here.changed()).await.expect("a change by the same store");
}

#[tokio::test]
async fn numbers_are_not_used_again_after_a_clean_up() {
    let folder = Folder::new();
    let store = prepared(folder.file()).await;
    let old = token("old").until(NumericDate::from_seconds(10));
    store.add(&[old]).await.unwrap();
    let position = store.read(None).await.unwrap().position;
    let deleted = RevocationStore::delete_expired(&store, NumericDate::from_seconds(20)).await;
    assert_eq!(deleted.unwrap(), 1);
    store.add(&[token("new")]).await.unwrap();
    assert_eq!(store.read(Some(&position)).await.unwrap().entries, [token("new")]);
}

#[tokio::test]
async fn a_write_of_another_process_blocks_no_question() {
    let folder = Folder::new();
    let store = prepared(folder.file()).await;
    store.add(&[token("a")]).await.unwrap();
    let other = rusqlite::Connection::open(folder.file()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let b = [token("b")];
    let questions = async {
        for _ in 0..50 {
            assert_eq!(store.find(&[token("a")]).await.unwrap(), [token("a")]);
            assert_eq!(store.read(None).await.unwrap().entries, [token("a")]);
        }
        std::time::Instant::now()
    };
    let write = async { (store.add(&b).await, std::time::Instant::now()) };
    let ((error, failed_at), answered_at) = tokio::join!(write, questions);
    assert_eq!(error.unwrap_err().kind(), StoreErrorKind::Unavailable);
    assert!(answered_at < failed_at, "the questions waited for the write");
    other.execute_batch("ROLLBACK").unwrap();
    store.add(&[token("b")]).await.unwrap();
}

#[tokio::test]
async fn calls_that_are_dropped_leave_the_store_usable() {
    let folder = Folder::new();
    let store = prepared(folder.file()).await;
    for n in 0..300 {
        let entries = [token(&n.to_string())];
        let add = store.add(&entries);
        drop(timeout(Duration::from_micros(n * 10), add).await);
        drop(timeout(Duration::ZERO, store.read(None)).await);
        drop(timeout(Duration::ZERO, store.changed()).await);
    }
    store.add(&[token("last")]).await.unwrap();
    assert_eq!(store.find(&[token("last")]).await.unwrap(), [token("last")]);
}

#[tokio::test]
async fn a_newer_schema_is_unusable_also_while_the_store_runs() {
    let folder = Folder::new();
    let store = prepared(folder.file()).await;
    let other = rusqlite::Connection::open(folder.file()).unwrap();
    other.execute_batch("UPDATE portcullis_schema SET version = 2").unwrap();
    assert_eq!(kind(store.read(None).await), StoreErrorKind::Unusable);
    assert_eq!(kind(RevocationStore::prepare(&store).await), StoreErrorKind::Unusable);
    let other_tables = SqliteStore::open(folder.file()).table_prefix("orders").unwrap();
    RevocationStore::prepare(&other_tables).await.unwrap();
    other_tables.add(&[token("a")]).await.unwrap();
}

#[tokio::test]
async fn what_is_no_database_is_unusable_and_a_missing_folder_unavailable() {
    let folder = Folder::new();
    fs::write(folder.file(), "not a database, but long enough to have a header".repeat(100))
        .unwrap();
    let store = SqliteStore::open(folder.file());
    assert_eq!(kind(RevocationStore::prepare(&store).await), StoreErrorKind::Unusable);
    for path in [folder.0.join("missing/revoked.db"), folder.0.clone()] {
        let store = SqliteStore::open(path);
        assert_eq!(kind(RevocationStore::prepare(&store).await), StoreErrorKind::Unavailable);
    }
}

#[tokio::test]
async fn a_lost_file_is_an_error_and_not_an_empty_store() {
    let folder = Folder::new();
    let store = prepared(folder.file()).await;
    store.add(&[token("a")]).await.unwrap();
    assert_eq!(store.find(&[token("a")]).await.unwrap().len(), 1);
    let position = store.read(None).await.unwrap().position;
    for suffix in ["", "-wal", "-shm"] {
        fs::remove_file(folder.0.join(format!("revoked.db{suffix}"))).unwrap();
    }
    assert_eq!(kind(store.find(&[token("a")]).await), StoreErrorKind::Unavailable);
    assert_eq!(kind(store.read(Some(&position)).await), StoreErrorKind::Unavailable);
    assert_eq!(kind(store.add(&[token("b")]).await), StoreErrorKind::Unavailable);
    RevocationStore::prepare(&store).await.unwrap();
    assert_eq!(kind(store.read(Some(&position)).await), StoreErrorKind::PositionLost);
    store.add(&[token("a")]).await.unwrap();
    assert_eq!(store.find(&[token("a")]).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_file_from_an_older_backup_loses_the_position() {
    let folder = Folder::new();
    let backup = folder.0.join("backup.db");
    {
        let store = prepared(folder.file()).await;
        store.add(&[token("a")]).await.unwrap();
        let other = rusqlite::Connection::open(folder.file()).unwrap();
        other.execute("VACUUM INTO ?1", [backup.to_str().unwrap()]).unwrap();
    }
    let store = prepared(folder.file()).await;
    store.add(&[token("b")]).await.unwrap();
    let position = store.read(None).await.unwrap().position;
    let restored = prepared(backup).await;
    assert_eq!(kind(restored.read(Some(&position)).await), StoreErrorKind::PositionLost);
}

#[tokio::test]
async fn five_processes_create_and_use_one_file() {
    let folder = Folder::new();
    let mut writers: Vec<_> =
        (0..5).map(|n| start("child_adds_entries", &folder, &format!("w{n}"), "exec")).collect();
    for writer in &mut writers {
        assert!(acknowledged(writer).count() >= 20);
        assert!(writer.wait().unwrap().success());
    }
    let store = prepared(folder.file()).await;
    assert_eq!(store.read(None).await.unwrap().entries.len(), 5 * 20);
}

#[tokio::test]
async fn entries_that_were_acknowledged_survive_a_kill_of_their_writer() {
    let folder = Folder::new();
    let reader = prepared(folder.file()).await;
    for round in 0..8 {
        let mut writer =
            start("child_adds_entries_until_killed", &folder, &format!("r{round}"), "exec");
        let mut names: Vec<_> = acknowledged(&mut writer).take(3 + round * 2).collect();
        // SIGKILL. The writer is in the middle of a later write.
        writer.kill().unwrap();
        names.extend(acknowledged_rest(writer));
        for name in names {
            let found = reader.find(&[token(&name)]).await.unwrap();
            assert_eq!(found, [token(&name)], "{name} was acknowledged");
        }
        reader.add(&[token("after")]).await.unwrap();
    }
    let check = rusqlite::Connection::open(folder.file()).unwrap();
    let check: String = check.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
}

#[cfg(unix)]
#[tokio::test]
async fn a_full_disk_is_unavailable_and_loses_nothing() {
    let folder = Folder::new();
    // The limit of a file's size fails a write as a full disk does.
    let limited = r#"trap "" XFSZ; ulimit -f 3000; exec"#;
    let mut writer = start("child_fills_the_disk", &folder, "full", limited);
    let names: Vec<_> = acknowledged(&mut writer).collect();
    assert!(writer.wait().unwrap().success());
    assert!(!names.is_empty());
    let store = prepared(folder.file()).await;
    for name in names {
        assert_eq!(store.find(&[token(&name)]).await.unwrap().len(), 1, "{name}");
    }
}

#[tokio::test]
#[ignore = "a process of other tests"]
async fn child_adds_entries() {
    let (store, name) = child().await;
    for n in 0..20 {
        add_and_acknowledge(&store, &format!("{name}-{n}")).await.unwrap();
    }
}

#[tokio::test]
#[ignore = "a process of other tests"]
async fn child_adds_entries_until_killed() {
    let (store, name) = child().await;
    for n in 0.. {
        add_and_acknowledge(&store, &format!("{name}-{n}")).await.unwrap();
    }
}

#[tokio::test]
#[ignore = "a process of other tests"]
async fn child_fills_the_disk() {
    let (store, name) = child().await;
    for n in 0..10_000 {
        let filler: Vec<_> =
            (0..50).map(|i| token(&format!("{n} {i} {}", "x".repeat(100)))).collect();
        let added = match store.add(&filler).await {
            Ok(()) => add_and_acknowledge(&store, &format!("{name}-{n}")).await,
            error => error,
        };
        if let Err(error) = added {
            assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error}");
            store.read(None).await.unwrap();
            return;
        }
    }
    panic!("the disk was never full");
}

async fn child() -> (SqliteStore, String) {
    let file = env::var(FILE).expect("run by another test");
    (prepared(file).await, env::var(NAME).unwrap())
}

async fn add_and_acknowledge(
    store: &SqliteStore,
    name: &str,
) -> Result<(), portcullis::revocation::StoreError> {
    store.add(&[token(name)]).await?;
    println!("\nadded {name}");
    Ok(())
}

/// Starts a test of this file as a process. The shell command ends with `exec`.
fn start(test: &str, folder: &Folder, name: &str, shell: &str) -> Child {
    Command::new("sh")
        .args(["-c", &format!(r#"{shell} "$0" "$@""#)])
        .arg(env::current_exe().unwrap())
        .args(["--exact", test, "--ignored", "--nocapture"])
        .env(FILE, folder.file())
        .env(NAME, name)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

fn acknowledged(child: &mut Child) -> impl Iterator<Item = String> + '_ {
    Lines(child.stdout.as_mut().unwrap())
}

fn acknowledged_rest(mut child: Child) -> Vec<String> {
    let names = acknowledged(&mut child).collect();
    child.wait().unwrap();
    names
}

/// Reads byte by byte, so that nothing is lost in a buffer between two readers.
struct Lines<R>(R);

impl<R: std::io::Read> Iterator for Lines<R> {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        loop {
            let mut line = String::new();
            let reader = BufReader::with_capacity(1, &mut self.0);
            if { reader }.read_line(&mut line).unwrap() == 0 {
                return None;
            }
            // A line without an end was cut off.
            if let Some(name) = line.strip_prefix("added ").and_then(|name| name.strip_suffix('\n'))
            {
                return Some(name.to_owned());
            }
        }
    }
}

async fn prepared(file: impl AsRef<Path>) -> SqliteStore {
    let store = SqliteStore::open(file);
    RevocationStore::prepare(&store).await.unwrap();
    store
}

fn token(jti: &str) -> Revocation {
    Revocation::new(ISSUER, Revoked::Token(jti.into()))
}

fn kind<T: std::fmt::Debug>(
    result: Result<T, portcullis::revocation::StoreError>,
) -> StoreErrorKind {
    result.unwrap_err().kind()
}

/// A new folder, deleted with the value.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let n = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = env::temp_dir().join(format!("portcullis-sqlite-{}-{n}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn file(&self) -> PathBuf {
        self.0.join("revoked.db")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}
