//! A browser that shows one page.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{self, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use tokio::process::{Child, Command};

const FLAGS: [&str; 13] = [
    "--headless",
    // It shows our own page only, and in containers there is nothing to build a sandbox with.
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-quic",
    "--no-proxy-server",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--disable-breakpad",
];

/// How long it may take to end.
const PATIENCE: Duration = Duration::from_secs(10);

/// A running browser, which ends with this value.
pub(super) struct Chromium {
    process: Child,
    profile: PathBuf,
    log: PathBuf,
}

impl Chromium {
    /// Starts it with an empty profile and further flags. It opens the page by itself.
    pub(super) fn open(program: &Path, flags: &[&str], url: &str) -> Self {
        static STARTED: AtomicUsize = AtomicUsize::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let profile = folder.join(format!("chromium-{}-{number}", process::id()));
        let _ = fs::remove_dir_all(&profile);
        fs::create_dir_all(&profile).unwrap();
        let log = profile.join("stderr.log");
        let process = Command::new(program)
            .args(FLAGS)
            .args(flags)
            .arg(format!("--user-data-dir={}", profile.display()))
            .arg(url)
            // Crash reports and the like would be left with the user otherwise.
            .env("XDG_CONFIG_HOME", &profile)
            .env("XDG_CACHE_HOME", &profile)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(&log).unwrap())
            // It starts many others, which end with their group.
            .process_group(0)
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        Self { process, profile, log }
    }

    /// Returns the folder of its profile.
    pub(super) fn profile(&self) -> &Path {
        &self.profile
    }

    /// Waits for an end that it comes to by itself, and returns what it said.
    pub(super) async fn ended(&mut self) -> String {
        let status = self.process.wait().await.unwrap();
        format!("{status}\n{}", self.said())
    }

    /// Asks it to end, with all that it started, and waits for that.
    pub(super) async fn close(mut self) {
        if let Some(id) = self.process.id() {
            signal("TERM", &id.to_string());
        }
        let _ = tokio::time::timeout(PATIENCE, self.process.wait()).await;
    }

    /// Returns what it wrote to its log.
    pub(super) fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Chromium {
    /// Ends what `close` has not, by force and with all that it started.
    fn drop(&mut self) {
        // A test that fails must not fail twice, so that errors are left alone here.
        if let Some(id) = self.process.id() {
            signal("KILL", &format!("-{id}"));
        }
        // The one folder outside of its profile, which it leaves there.
        let socket = fs::read_link(self.profile.join("SingletonSocket")).unwrap_or_default();
        if let Some(folder) = socket.parent().filter(|folder| folder.is_absolute()) {
            let _ = fs::remove_dir_all(folder);
        }
        let _ = fs::remove_dir_all(&self.profile);
    }
}

fn signal(name: &str, process: &str) {
    let _ = process::Command::new("sh").args(["-c", "kill -s $0 -- $1", name, process]).status();
}
