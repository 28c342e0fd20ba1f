//! Runs of the program, folders for its files, and a service to judge tokens for.

use std::{
    fs,
    io::{Read, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    },
    thread,
};

use portcullis::NumericDate;
use portcullis_testkit::{ManualClock, TestIssuer, TokenBuilder};
use serde_json::Value;

/// The time that tokens are judged by.
pub(crate) const NOW: i64 = 1_800_000_000;

/// A folder of one test, which goes with it.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("cli-{}-{count}", std::process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, content).unwrap();
        path
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// The program, run in this folder.
    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        self.run_with(arguments, "")
    }

    pub(crate) fn run_with(&self, arguments: &[&str], input: impl AsRef<[u8]>) -> Run {
        let mut child = self.start(arguments);
        let (mut stdin, input) = (child.stdin.take().unwrap(), input.as_ref().to_vec());
        // In a thread, because both ends may be full.
        let writing = thread::spawn(move || {
            let _ = stdin.write_all(&input);
        });
        let output = child.wait_with_output().unwrap();
        writing.join().unwrap();
        Run::of(output)
    }

    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        Command::new(env!("CARGO_BIN_EXE_portcullis"))
            .args(arguments)
            .current_dir(&self.0)
            .env_remove("NO_COLOR")
            .env_remove("CLICOLOR_FORCE")
            .env_remove("PORTCULLIS_PRODUCTION")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What came of a run.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    fn of(output: Output) -> Self {
        Self {
            status: output.status.code().expect("no signal"),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The lines of standard output, as JSON.
    pub(crate) fn json_lines(&self) -> Vec<Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    pub(crate) fn json(&self) -> Value {
        let lines = self.json_lines();
        assert_eq!(lines.len(), 1, "{self:?}");
        lines[0].clone()
    }

    /// Checks that the run was a mistake of usage or configuration, which it names.
    pub(crate) fn assert_mistake(&self, text: &str) {
        assert_eq!(self.status, 2, "{self:?}");
        assert!(self.stderr.contains(text), "{text}: {self:?}");
        assert_eq!(self.stdout, "", "{self:?}");
    }
}

/// An issuer, and the configuration of a service that trusts it.
pub(crate) struct Service {
    pub(crate) folder: Folder,
    pub(crate) issuer: TestIssuer,
}

/// What the configuration says of the issuer.
pub(crate) const ISSUER: &str = r#"
[[issuer]]
issuer = "https://idp.test"
audience = ["orders"]
jwks_file = "keys.json"
"#;

impl Service {
    pub(crate) fn new() -> Self {
        Self::with(ISSUER)
    }

    pub(crate) fn with(config: &str) -> Self {
        // Making keys takes a while.
        static SHARED: LazyLock<TestIssuer> = LazyLock::new(|| {
            let clock = ManualClock::at(NumericDate::from_seconds(NOW));
            TestIssuer::new("https://idp.test").clock(clock)
        });
        let issuer = SHARED.clone();
        let folder = Folder::new();
        folder.write("keys.json", issuer.jwk_set_json());
        folder.write("portcullis.toml", config);
        Self { folder, issuer }
    }

    pub(crate) fn valid(&self) -> TokenBuilder {
        self.issuer.token().audience("orders").scope("orders:read")
    }

    pub(crate) fn judge(&self, command: &str, more: &[&str], input: impl AsRef<[u8]>) -> Run {
        let now = NOW.to_string();
        let mut arguments = vec![command, "--config", "portcullis.toml", "--now", &now];
        arguments.extend(more);
        self.folder.run_with(&arguments, input)
    }

    pub(crate) fn verify(&self, input: impl AsRef<[u8]>) -> Run {
        self.judge("verify", &[], input)
    }
}

/// Reads to the end, as text.
pub(crate) fn read_all(mut from: impl Read) -> String {
    let mut text = String::new();
    from.read_to_string(&mut text).unwrap();
    text
}
