//! Keys in files that change.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use portcullis::{
    Algorithm, Authenticator, Issuer,
    keys::{JwkSetFile, KeySource, PemFile},
};
use portcullis_testkit::{ManualClock, TestIssuer};

use super::support::{chain, clock, engine, issuer, key, set, settle, soon, token, verdict};

/// A directory of its own for each test, gone at the end.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("portcullis-{}-{count}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn join(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

struct Watched {
    clock: ManualClock,
    issuer: TestIssuer,
    auth: Authenticator,
}

impl Watched {
    async fn new(source: impl KeySource + 'static, write: impl FnOnce(&TestIssuer)) -> Self {
        let clock = clock();
        let issuer = issuer(&clock);
        write(&issuer);
        let auth = engine(&clock, [Issuer::new(issuer.name()).key_source(source)]);
        auth.ready().await.unwrap();
        assert_eq!(verdict(&auth, &token(&issuer)), "accepted");
        Self { clock, issuer, auth }
    }

    /// Moves the clock on, and waits until the file was looked at.
    async fn look_after(&self, duration: Duration) {
        let mut changes = self.auth.key_changes();
        self.clock.advance(duration);
        assert!(soon(changes.changed()).await);
    }

    /// Changes the key, and sees that it is taken and that the old one is not.
    async fn rotate(&self, write: impl FnOnce(&TestIssuer)) {
        let old = token(&self.issuer);
        self.issuer.rotate(Algorithm::ES256);
        write(&self.issuer);
        self.look_after(Duration::from_millis(2100)).await;
        assert_eq!(verdict(&self.auth, &token(&self.issuer)), "accepted");
        assert_ne!(verdict(&self.auth, &old), "accepted");
    }
}

fn json(issuer: &TestIssuer) -> String {
    set(&[key(issuer)])
}

#[tokio::test]
async fn a_jwk_set_file_that_is_written_in_place_is_read_again() {
    let directory = Directory::new();
    let path = directory.join("keys.json");
    let write = |issuer: &TestIssuer| fs::write(&path, json(issuer)).unwrap();
    let watched = Watched::new(JwkSetFile::new(&path), write).await;
    watched.rotate(write).await;
    watched.rotate(write).await;
}

#[tokio::test]
async fn a_single_jwk_in_a_watched_file_is_a_set_of_one() {
    let directory = Directory::new();
    let path = directory.join("key.json");
    let write = |issuer: &TestIssuer| {
        fs::write(&path, key(issuer).public_jwk().unwrap().to_string()).unwrap();
    };
    let watched = Watched::new(JwkSetFile::new(&path), write).await;
    watched.rotate(write).await;
    assert!(JwkSetFile::read(&path).is_ok());
}

#[tokio::test]
async fn a_jwk_set_file_that_another_is_renamed_over_is_read_again() {
    let directory = Directory::new();
    let (path, new) = (directory.join("keys.json"), directory.join("new.json"));
    let write = |issuer: &TestIssuer| {
        fs::write(&new, json(issuer)).unwrap();
        fs::rename(&new, &path).unwrap();
    };
    let watched = Watched::new(JwkSetFile::new(&path), write).await;
    watched.rotate(write).await;
}

#[tokio::test]
async fn a_jwk_set_file_behind_a_symbolic_link_that_moves_is_read_again() {
    // As Kubernetes does it: keys.json -> ..data/keys.json, and ..data -> ..<time>.
    let directory = Directory::new();
    symlink("..data/keys.json", directory.join("keys.json")).unwrap();
    let write = |issuer: &TestIssuer| {
        let generation = directory.join(format!("..{}", key(issuer).key_id()));
        fs::create_dir(&generation).unwrap();
        fs::write(generation.join("keys.json"), json(issuer)).unwrap();
        symlink(&generation, directory.join("..data_tmp")).unwrap();
        fs::rename(directory.join("..data_tmp"), directory.join("..data")).unwrap();
    };
    let watched = Watched::new(JwkSetFile::new(directory.join("keys.json")), write).await;
    watched.rotate(write).await;
    watched.rotate(write).await;
}

#[tokio::test]
async fn a_pem_file_is_read_again() {
    let directory = Directory::new();
    let path = directory.join("key.pem");
    let write = |issuer: &TestIssuer| fs::write(&path, pem(issuer)).unwrap();
    let watched = Watched::new(PemFile::new(&path), write).await;
    watched.rotate(write).await;
}

#[tokio::test]
async fn a_file_that_is_half_written_or_gone_keeps_the_old_keys() {
    let directory = Directory::new();
    let path = directory.join("keys.json");
    let write = |issuer: &TestIssuer| fs::write(&path, json(issuer)).unwrap();
    let watched = Watched::new(JwkSetFile::new(&path), write).await;
    let whole = json(&watched.issuer);
    for half in [whole.get(..whole.len() / 2).unwrap(), "", r#"{"keys":[]}"#] {
        fs::write(&path, half).unwrap();
        watched.look_after(Duration::from_secs(10)).await;
        assert!(watched.auth.key_status()[0].failures > 0);
        assert_eq!(verdict(&watched.auth, &token(&watched.issuer)), "accepted");
    }
    fs::remove_file(&path).unwrap();
    watched.look_after(Duration::from_secs(23 * 3600)).await;
    assert_eq!(verdict(&watched.auth, &token(&watched.issuer)), "accepted");
    watched.look_after(Duration::from_secs(2 * 3600)).await;
    assert_eq!(verdict(&watched.auth, &token(&watched.issuer)), "keys_unavailable");
    write(&watched.issuer);
    watched.look_after(Duration::from_secs(64)).await;
    assert_eq!(verdict(&watched.auth, &token(&watched.issuer)), "accepted");
}

#[test]
fn a_file_is_read_beside_the_runtime_and_not_in_it() {
    let directory = Directory::new();
    let issuer = issuer(&clock());
    let sources = [("keys.json", json(&issuer)), ("key.pem", pem(&issuer))];
    for (name, text) in sources {
        let path = directory.join(name);
        fs::write(&path, text).unwrap();
        let trusted = Issuer::new(issuer.name());
        let trusted = if name == "key.pem" {
            trusted.key_source(PemFile::new(path))
        } else {
            trusted.key_source(JwkSetFile::new(path))
        };
        let auth = engine(&clock(), [trusted]);
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        runtime.enable_time().max_blocking_threads(1).build().unwrap().block_on(async {
            // The one thread for such work is busy, and the runtime goes on.
            let (release, busy) = std::sync::mpsc::channel::<()>();
            let busy = tokio::task::spawn_blocking(move || busy.recv());
            let ready = tokio::spawn(async move { auth.ready().await });
            settle().await;
            assert!(!ready.is_finished());
            release.send(()).unwrap();
            busy.await.unwrap().unwrap();
            ready.await.unwrap().unwrap();
        });
    }
}

#[tokio::test]
async fn files_are_read_up_to_a_limit_and_other_things_not_at_all() {
    let directory = Directory::new();
    let long = directory.join("long.json");
    fs::write(&long, " ".repeat(256 * 1024 + 1)).unwrap();
    for (path, reason) in [
        (long, "longer than 262144 bytes"),
        (PathBuf::from("/dev/zero"), "no regular file"),
        (directory.0.clone(), "no regular file"),
        (directory.join("absent.json"), "cannot be read"),
    ] {
        let trusted = Issuer::new("https://idp.test").key_source(JwkSetFile::new(&path));
        let error = chain(&engine(&clock(), [trusted]).ready().await.unwrap_err());
        assert!(error.contains(reason), "{error}");
        assert!(error.contains(&path.display().to_string()), "{error}");
    }
}

fn pem(issuer: &TestIssuer) -> String {
    key(issuer).public_key_pem().unwrap()
}
