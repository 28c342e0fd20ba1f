//! Private Redis servers: one process per server, on a free port of 127.0.0.1, with a folder for its data.

use std::{
    env, fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{self, Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use portcullis_redis::RedisStore;
use redis::{FromRedisValue, aio::MultiplexedConnection};

/// Settings for a server that keeps nothing on disk.
pub(crate) const IN_MEMORY: &[&str] = &["--save", "", "--appendonly", "no"];
/// Settings for a server that writes to disk before it answers.
pub(crate) const DURABLE: &[&str] =
    &["--save", "", "--appendonly", "yes", "--appendfsync", "always"];

/// The environment variable with the path of `redis-server`, if it is not in `PATH`.
const PROGRAM: &str = "PORTCULLIS_TEST_REDIS_SERVER";
/// The environment variable that lets the tests pass without the program.
const WITHOUT_REDIS: &str = "PORTCULLIS_TEST_WITHOUT_REDIS";
const PATIENCE: Duration = Duration::from_secs(20);

/// A server that is stopped, and its data deleted, when the value is dropped.
pub(crate) struct Server {
    port: u16,
    folder: PathBuf,
    arguments: Vec<String>,
    child: Option<Child>,
}

impl Server {
    /// Starts a server; `None` if `redis-server` is absent and the environment allows that.
    pub(crate) async fn start(arguments: &[&str]) -> Option<Self> {
        let arguments: Vec<String> = arguments.iter().map(|it| (*it).to_owned()).collect();
        for _ in 0..10 {
            let mut server = Self {
                port: free_port(),
                folder: new_folder(),
                arguments: arguments.clone(),
                child: None,
            };
            if !server.spawn() {
                return None;
            }
            // Another process may have taken the port.
            if server.is_up().await {
                return Some(server);
            }
        }
        panic!("redis-server ended ten times after its start");
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(crate) fn store(&self) -> RedisStore {
        RedisStore::open(&self.url()).unwrap()
    }

    /// Ends the process as a crash does: SIGKILL.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Starts the process again, with the same port and folder.
    pub(crate) async fn start_again(&mut self) {
        assert!(self.spawn());
        assert!(self.is_up().await, "redis-server does not start again");
    }

    /// Sends a command as an operator does.
    pub(crate) async fn run<T: FromRedisValue>(&self, command: &str) -> T {
        let mut connection = self.connect().await.unwrap();
        let mut words = command.split(' ');
        let mut command = redis::cmd(words.next().unwrap());
        for word in words {
            command.arg(word);
        }
        command.query_async(&mut connection).await.unwrap()
    }

    pub(crate) async fn connect(&self) -> redis::RedisResult<MultiplexedConnection> {
        redis::Client::open(self.url())?.get_multiplexed_async_connection().await
    }

    /// Makes this server a replica, and waits until it has the data of the other one.
    pub(crate) async fn follow(&self, primary: &Self) {
        let _: () = self.run(&format!("REPLICAOF 127.0.0.1 {}", primary.port)).await;
        until("the replica is connected", async || {
            let info: String = self.run("INFO replication").await;
            info.contains("master_link_status:up")
        })
        .await;
    }

    fn spawn(&mut self) -> bool {
        let program = env::var_os(PROGRAM).unwrap_or_else(|| "redis-server".into());
        let spawned = Command::new(program)
            .args(["--bind", "127.0.0.1", "--port", &self.port.to_string(), "--daemonize", "no"])
            .args(["--loglevel", "warning", "--repl-diskless-sync-delay", "0"])
            .arg("--dir")
            .arg(&self.folder)
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        match spawned {
            Ok(child) => self.child = Some(child),
            Err(_) if env::var_os(WITHOUT_REDIS).is_some() => return false,
            Err(error) => panic!(
                "cannot start redis-server: {error}; help: install Redis 6.2 or later, name the program in \
                 {PROGRAM}, or set {WITHOUT_REDIS}=1 to skip these tests"
            ),
        }
        true
    }

    /// Waits until the server answers; false if its process ended.
    async fn is_up(&mut self) -> bool {
        let give_up = Instant::now() + PATIENCE;
        loop {
            if let Ok(mut connection) = self.connect().await {
                let answer = redis::cmd("PING").query_async::<String>(&mut connection).await;
                // An error is an answer too, of a server that wants a password. Loading is not.
                if answer.is_ok() || answer.is_err_and(|error| error.code() == Some("NOAUTH")) {
                    return true;
                }
            }
            if self.child.as_mut().is_none_or(|child| child.try_wait().unwrap().is_some()) {
                return false;
            }
            assert!(Instant::now() < give_up, "redis-server does not answer");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        drop(fs::remove_dir_all(&self.folder));
    }
}

/// Waits until a condition is true.
pub(crate) async fn until(what: &str, condition: impl AsyncFn() -> bool) {
    let give_up = Instant::now() + PATIENCE;
    while !condition().await {
        assert!(Instant::now() < give_up, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn new_folder() -> PathBuf {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let folder = env::temp_dir().join(format!("portcullis-redis-{}-{number}", process::id()));
    fs::create_dir_all(&folder).unwrap();
    folder
}
