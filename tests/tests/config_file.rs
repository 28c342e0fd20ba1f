//! Configuration files that change while the service runs, by a clock that the tests move.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops there")]

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    time::Duration,
};

use portcullis::{
    Algorithm, AuthErrorKind, Authenticator, ConfigError, NumericDate, clock::Clock,
    error::FileError, future::BoxFuture,
};
use portcullis_config::{Config, ConfigFile};
use portcullis_testkit::{ManualClock, SigningKey, TestIssuer};
use tokio::task::yield_now;

const WRONG: AuthErrorKind = AuthErrorKind::WrongAudience;
const MILLIS: fn(u64) -> Duration = Duration::from_millis;

fn verdict(auth: &Authenticator, token: &str) -> Result<(), AuthErrorKind> {
    auth.authenticate_token_now(token).map(|_| ()).map_err(|error| error.kind())
}

/// A clock that the test moves, and that counts who waits: each look at a file ends in a wait.
#[derive(Clone, Debug)]
struct Counting {
    clock: ManualClock,
    waits: Arc<AtomicUsize>,
}

impl Clock for Counting {
    fn now(&self) -> NumericDate {
        self.clock.now()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()> {
        // Those of fetches of keys are longer.
        if duration <= Duration::from_secs(1) {
            self.waits.fetch_add(1, Ordering::SeqCst);
        }
        self.clock.sleep(duration)
    }

    fn sleep_until(&self, deadline: NumericDate) -> BoxFuture<'_, ()> {
        self.clock.sleep_until(deadline)
    }
}

/// A folder with a configuration file.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("portcullis-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn file(&self) -> PathBuf {
        self.0.join("portcullis.toml")
    }

    fn keys(&self, issuer: &TestIssuer) -> &Self {
        fs::write(self.0.join("keys.json"), issuer.jwk_set_json()).unwrap();
        self
    }

    /// Trusts the issuer's tokens for one audience.
    fn write(&self, audience: &str) {
        replace(&self.file(), &text(audience));
    }
}

fn text(audience: &str) -> String {
    format!(
        "[[issuer]]\nissuer = 'https://idp.test'\njwks_file = 'keys.json'\naudience = ['{audience}']\n"
    )
}

/// Puts a file in another one's place, as deployments do.
fn replace(path: &Path, text: &str) {
    let new = path.with_extension("new");
    fs::write(&new, text).unwrap();
    fs::rename(new, path).unwrap();
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A configuration file, and the engine that follows it.
struct Followed {
    folder: Folder,
    issuer: TestIssuer,
    clock: Counting,
    config: ConfigFile,
    auth: Authenticator,
    /// How many engines were built.
    built: Arc<AtomicUsize>,
}

impl Followed {
    fn new(name: &str, write: impl FnOnce(&Folder)) -> Self {
        Self::with(name, write, |_| {})
    }

    fn with(
        name: &str,
        write: impl FnOnce(&Folder),
        look: impl Fn(&Config) + Send + Sync + 'static,
    ) -> Self {
        let now = NumericDate::from_seconds(1_800_000_000);
        let clock = Counting { clock: ManualClock::at(now), waits: Arc::default() };
        let issuer = TestIssuer::new("https://idp.test").clock(clock.clock.clone());
        let folder = Folder::new(name);
        write(folder.keys(&issuer));
        let built = Arc::<AtomicUsize>::default();
        let (count, of_engine) = (Arc::clone(&built), clock.clone());
        let config = ConfigFile::open_with(folder.file(), move |config| {
            count.fetch_add(1, Ordering::SeqCst);
            look(config);
            config.builder()?.clock(of_engine.clone()).build()
        });
        let config = config.unwrap();
        let auth = config.authenticator();
        Self { folder, issuer, clock, config, auth, built }
    }

    fn watch(&self) -> tokio::task::JoinHandle<()> {
        let watched = self.config.clone();
        tokio::spawn(async move { watched.watch(MILLIS(400)).await })
    }

    /// Moves the clock on, and waits until the watch has looked at the file.
    async fn look_after(&self, duration: Duration) {
        while self.clock.waits.load(Ordering::SeqCst) == 0 {
            yield_now().await;
        }
        let before = self.clock.waits.load(Ordering::SeqCst);
        self.clock.clock.advance(duration);
        while self.clock.waits.load(Ordering::SeqCst) == before {
            yield_now().await;
        }
    }

    /// Reloads while time goes by.
    async fn reload(&self) -> Result<(), Arc<ConfigError>> {
        tokio::select! {
            result = self.config.reload() => result,
            () = self.time_goes_by() => unreachable!(),
        }
    }

    async fn time_goes_by(&self) {
        loop {
            yield_now().await;
            self.clock.clock.advance(MILLIS(10));
        }
    }

    fn verdicts(&self) -> (Result<(), AuthErrorKind>, Result<(), AuthErrorKind>) {
        let of =
            |audience: &str| verdict(&self.auth, &self.issuer.token().audience(audience).build());
        (of("a"), of("b"))
    }
}

const A: (Result<(), AuthErrorKind>, Result<(), AuthErrorKind>) = (Ok(()), Err(WRONG));
const B: (Result<(), AuthErrorKind>, Result<(), AuthErrorKind>) = (Err(WRONG), Ok(()));

#[tokio::test]
async fn a_bad_file_changes_nothing_and_is_told() {
    let followed = Followed::new("config-bad", |folder| folder.write("a"));
    let file = followed.folder.file();
    assert_eq!(followed.verdicts(), A);
    for bad in ["[[issuer]]\nissuer = 'https://idp.test", "produktion = true", "", "[[issuer]]\n"] {
        replace(&file, bad);
        let error = followed.reload().await.unwrap_err().to_string();
        assert!(error.starts_with(&file.display().to_string()), "{error}");
        assert_eq!(followed.config.last_error().unwrap().to_string(), error);
        assert_eq!(followed.verdicts(), A);
    }
    fs::remove_file(&file).unwrap();
    assert!(matches!(
        *followed.reload().await.unwrap_err(),
        ConfigError::File(FileError::Unreadable { .. })
    ));

    followed.folder.write("b");
    followed.reload().await.unwrap();
    assert!(followed.config.last_error().is_none());
    assert_eq!(followed.verdicts(), B);
}

#[tokio::test]
async fn a_file_that_is_watched_is_read_when_it_changes_and_after_an_error() {
    let followed = Followed::new("config-watch", |folder| folder.write("a"));
    let watching = followed.watch();
    // What has not changed makes no new engine.
    for _ in 0..20 {
        followed.look_after(MILLIS(400)).await;
    }
    assert_eq!(followed.built.load(Ordering::SeqCst), 1);

    let settle = async || {
        for _ in 0..5 {
            followed.look_after(MILLIS(400)).await;
        }
    };
    followed.folder.write("b");
    settle().await;
    assert_eq!(followed.verdicts(), B);

    fs::remove_file(followed.folder.0.join("keys.json")).unwrap();
    followed.folder.write("a");
    settle().await;
    assert!(followed.config.last_error().is_some());
    assert_eq!(followed.verdicts(), B);
    // The configuration is the same, and what it names is there again.
    followed.folder.keys(&followed.issuer);
    settle().await;
    assert_eq!(followed.verdicts(), A);
    assert!(followed.config.last_error().is_none());
    watching.abort();
}

/// Returns whether a text is part of what a configuration sets.
fn has(config: &Config, text: &str) -> bool {
    format!("{:?}", config.builder().unwrap()).contains(text)
}

/// Collects whether each configuration that is built has the claims that it requires at its end.
fn claims(seen: &Arc<Mutex<Vec<bool>>>) -> impl Fn(&Config) + Send + Sync + 'static {
    let seen = Arc::clone(seen);
    move |config| {
        seen.lock().unwrap().push(has(config, "\"role\""));
    }
}

const REQUIRED: &str = "required_claims = ['role']\n";

#[tokio::test]
async fn a_file_that_is_half_written_is_not_adopted_while_its_writer_is_at_work() {
    let seen = Arc::default();
    let write = |folder: &Folder| replace(&folder.file(), &(text("a") + REQUIRED));
    let followed = Followed::with("config-half", write, claims(&seen));
    let file = followed.folder.file();
    let watching = followed.watch();
    // Each half is a valid configuration, which allows more, and stays for less than a second.
    for half in [text("b"), text("b") + "# the claims\n", text("b")] {
        fs::write(&file, half).unwrap();
        followed.look_after(MILLIS(400)).await;
        followed.look_after(MILLIS(400)).await;
    }
    fs::write(&file, text("b") + REQUIRED).unwrap();
    followed.look_after(MILLIS(400)).await;
    followed.look_after(MILLIS(400)).await;
    assert_eq!(*seen.lock().unwrap(), [true], "the first alone");
    followed.look_after(MILLIS(400)).await;
    followed.look_after(MILLIS(400)).await;
    assert_eq!(*seen.lock().unwrap(), [true, true]);
    watching.abort();
}

#[tokio::test]
async fn a_reload_waits_for_a_file_that_is_half_written() {
    let seen = Arc::default();
    let write = |folder: &Folder| replace(&folder.file(), &(text("a") + REQUIRED));
    let followed = Followed::with("config-reload-half", write, claims(&seen));
    let file = followed.folder.file();
    fs::write(&file, text("b")).unwrap();
    let writer = async {
        // The reload has looked at the half, and waits.
        while followed.clock.waits.load(Ordering::SeqCst) == 0 {
            yield_now().await;
        }
        fs::write(&file, text("b") + REQUIRED).unwrap();
        followed.time_goes_by().await;
    };
    tokio::select! {
        result = followed.config.reload() => result.unwrap(),
        () = writer => unreachable!(),
    }
    assert_eq!(*seen.lock().unwrap(), [true, true]);
}

#[tokio::test]
async fn a_reload_gives_up_on_a_file_that_changes_all_the_time() {
    let followed = Followed::new("config-endless", |folder| folder.write("a"));
    let writer = async {
        for round in 0_u64.. {
            fs::write(followed.folder.file(), text("b") + &format!("# {round}\n")).unwrap();
            followed.clock.clock.advance(MILLIS(10));
            yield_now().await;
        }
    };
    let error = tokio::select! {
        result = followed.config.reload() => result.unwrap_err(),
        () = writer => unreachable!(),
    };
    assert!(matches!(*error, ConfigError::File(FileError::Unreadable { .. })), "{error}");
    assert_eq!((followed.verdicts(), followed.built.load(Ordering::SeqCst)), (A, 1));
}

#[tokio::test]
async fn a_token_file_that_is_half_written_is_not_adopted_by_a_reload() {
    let tokens = "\n[[static_token]]\nname = 's'\ntoken_file = 'tokens'\n";
    let followed = Followed::new("config-tokens", |folder| {
        fs::write(folder.0.join("tokens"), "etl=first-token\n").unwrap();
        replace(&folder.file(), &(text("a") + tokens));
    });
    let accepted = |token| verdict(&followed.auth, token).is_ok();
    replace(&followed.folder.file(), &(text("b") + tokens));
    let file = followed.folder.0.join("tokens");
    fs::write(&file, "etl=first-token\ns").unwrap();
    let writer = async {
        for _ in 0..500 {
            assert!(!accepted("s"));
            yield_now().await;
            followed.clock.clock.advance(MILLIS(10));
        }
        fs::write(&file, "etl=first-token\nsecond-token\n").unwrap();
        followed.time_goes_by().await;
    };
    tokio::select! {
        result = followed.config.reload() => result.unwrap(),
        () = writer => unreachable!(),
    }
    assert_eq!(["first-token", "s", "second-token"].map(accepted), [true, false, true]);
    assert_eq!(followed.verdicts(), B);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_reading_does_not_replace_the_engine_of_a_newer_one() {
    let (begun, has_begun) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let released = Mutex::new(Some(released));
    let stalls = move |config: &Config| {
        // The first reload is delayed between its reading and its end.
        if has(config, "\"stalls\"")
            && let Some(released) = released.lock().unwrap().take()
        {
            begun.send(()).unwrap();
            let _ = released.recv();
        }
    };
    let followed = Followed::with("config-twice", |folder| folder.write("a"), stalls);
    followed.folder.write("stalls");
    let older = followed.config.clone();
    let older = tokio::spawn(async move { older.reload().await });
    while has_begun.try_recv().is_err() {
        followed.clock.clock.advance(MILLIS(10));
        yield_now().await;
    }
    followed.folder.write("b");
    let newer = followed.config.clone();
    let newer = tokio::spawn(async move { newer.reload().await });
    // Many turns, in which it would end if it did not wait for the older one.
    for _ in 0..100_000 {
        if newer.is_finished() {
            break;
        }
        followed.clock.clock.advance(MILLIS(10));
        yield_now().await;
    }
    drop(release);
    tokio::select! {
        results = async { (newer.await, older.await) } => {
            results.0.unwrap().unwrap();
            results.1.unwrap().unwrap();
        }
        () = followed.time_goes_by() => unreachable!(),
    }
    assert_eq!(followed.verdicts(), B);
}

/// A configuration whose issuer signs with a shared secret.
fn of_secret(folder: &Folder) {
    fs::write(folder.0.join("secret"), "0123456789abcdef0123456789abcdef\n").unwrap();
    let text =
        "[[issuer]]\nissuer = 'https://idp.test'\nsecret_file = 'secret'\naudience = ['a']\n";
    replace(&folder.file(), text);
}

#[tokio::test]
async fn a_secret_that_is_withdrawn_from_its_file_is_not_accepted_any_more() {
    let followed = Followed::new("config-secret", of_secret);
    let auth = &followed.auth;
    let signed = |secret: &str| {
        let key = SigningKey::from_secret(Algorithm::HS256, "s", secret.as_bytes());
        followed.issuer.token().audience("a").key(&key).without_key_id().build()
    };
    let (old, new) = ("0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210");
    auth.ready().await.unwrap();
    assert_eq!(verdict(auth, &signed(old)), Ok(()));
    let mut changes = auth.key_changes();
    let mut looks = async |count: usize| {
        for _ in 0..count {
            followed.clock.clock.advance(Duration::from_secs(3));
            assert!(changes.changed().await);
        }
    };
    looks(2).await;
    fs::write(followed.folder.0.join("secret"), new).unwrap();
    looks(1).await;
    // One look does not prove that the writer is done.
    assert_eq!(verdict(auth, &signed(old)), Ok(()));
    assert!(verdict(auth, &signed(new)).is_err());
    looks(1).await;
    assert!(verdict(auth, &signed(old)).is_err());
    assert_eq!(verdict(auth, &signed(new)), Ok(()));
    // A file that is gone, or cut short, keeps the secret until it is too old.
    fs::write(followed.folder.0.join("secret"), "fedc").unwrap();
    looks(3).await;
    assert_eq!(verdict(auth, &signed(new)), Ok(()));
    assert!(auth.key_status()[0].failures > 0);
    followed.clock.clock.advance(Duration::from_secs(25 * 3600));
    assert_eq!(verdict(auth, &signed(new)), Err(AuthErrorKind::KeysUnavailable));
}
