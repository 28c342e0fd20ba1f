//! A private PostgreSQL server.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use crate::{POSTGRES_PROGRAMS, folder::Folder, port::free_port, process::Process};

/// Where Debian and its descendants keep the programs, in a folder for each version.
const DEBIAN: &str = "/usr/lib/postgresql";

/// A PostgreSQL server with one database, `postgres`, and one user, `portcullis`.
#[derive(Debug)]
pub struct Postgres {
    programs: PathBuf,
    port: u16,
    // Stopped before its folder is deleted.
    process: Option<Process>,
    folder: Folder,
}

impl Postgres {
    /// Returns the folder of the programs: that which the environment names, or one in `PATH`, or the newest
    /// in `/usr/lib/postgresql`.
    #[must_use]
    pub fn find() -> Option<PathBuf> {
        let named = env::var_os(POSTGRES_PROGRAMS).map(PathBuf::from);
        let path = env::var_os("PATH").unwrap_or_default();
        let mut folders: Vec<PathBuf> = named.into_iter().chain(env::split_paths(&path)).collect();
        let mut debian: Vec<(u32, PathBuf)> = fs::read_dir(DEBIAN)
            .into_iter()
            .flatten()
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let version = entry.file_name().to_str()?.parse().ok()?;
                Some((version, entry.path().join("bin")))
            })
            .collect();
        debian.sort();
        folders.extend(debian.into_iter().rev().map(|(_, folder)| folder));
        folders
            .into_iter()
            .find(|folder| folder.join("initdb").is_file() && folder.join("postgres").is_file())
    }

    /// Creates a database and starts a server.
    ///
    /// # Errors
    ///
    /// A program is missing or fails.
    pub fn start(programs: &Path) -> Result<Self, String> {
        for _ in 0..10 {
            let (programs, port) = (programs.to_path_buf(), free_port()?);
            let folder = Folder::new("postgres")?;
            let mut server = Self { programs, port, process: None, folder };
            server.create()?;
            // Another process may have taken the port.
            if server.try_start()? {
                return Ok(server);
            }
        }
        Err("postgres ended ten times after its start".to_owned())
    }

    /// Returns the URL of the database.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_at(self.port)
    }

    /// Returns the URL of the database through another port of 127.0.0.1.
    #[must_use]
    pub fn url_at(&self, port: u16) -> String {
        format!("postgres://portcullis@127.0.0.1:{port}/postgres")
    }

    /// Returns the port of 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Ends the process as a crash does: SIGKILL.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill();
        }
    }

    /// Starts the server again on its data, if it was killed.
    ///
    /// # Errors
    ///
    /// The server does not start.
    pub fn start_again(&mut self) -> Result<(), String> {
        if self.process.is_some() {
            return Ok(());
        }
        // The server refuses to start until the processes of the killed one have seen that it is gone.
        for _ in 0..100 {
            if self.try_start()? {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(100));
        }
        Err("postgres does not start again".to_owned())
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn create(&self) -> Result<(), String> {
        if let Some(user) = User::find()? {
            user.own(self.folder.path())?;
        }
        let mut command = self.command("initdb")?;
        command.args(["--auth=trust", "--username=portcullis", "--encoding=UTF8", "--no-locale"]);
        command.arg("--no-sync").arg("-D").arg(self.data()).current_dir(self.folder.path());
        let output = command.output().map_err(|error| format!("initdb: {error}"))?;
        if output.status.success() {
            return Ok(());
        }
        Err(format!("initdb: {}", String::from_utf8_lossy(&output.stderr).trim()))
    }

    fn try_start(&mut self) -> Result<bool, String> {
        let mut command = self.command("postgres")?;
        command
            .arg("-D")
            .arg(self.data())
            .args(["-p", &self.port.to_string(), "-c", "listen_addresses=127.0.0.1"])
            .args(["-c", "unix_socket_directories=", "-c", "max_connections=200"])
            .current_dir(self.folder.path());
        // SIGQUIT: at once, and the shared memory is removed.
        let mut process = Process::start(&mut command, "QUIT")?;
        let is_ready = process.wait_until(|| self.is_ready(&process_line(&self.data())))?;
        self.process = is_ready.then_some(process);
        Ok(is_ready)
    }

    fn is_ready(&self, state: &Option<String>) -> bool {
        state.as_deref() == Some("ready")
            && std::net::TcpStream::connect(("127.0.0.1", self.port)).is_ok()
    }

    /// A command of PostgreSQL, which refuses to run as root.
    fn command(&self, program: &str) -> Result<Command, String> {
        let program = self.programs.join(program);
        let Some(user) = User::find()? else { return Ok(Command::new(program)) };
        let mut command = Command::new("setpriv");
        command
            .args(["--reuid", &user.name, "--regid", &user.group, "--clear-groups"])
            .arg(program)
            .env("HOME", self.folder.path());
        Ok(command)
    }
}

/// What the server says of its state in the last line of its file of the process id.
fn process_line(data: &Path) -> Option<String> {
    let text = fs::read_to_string(data.join("postmaster.pid")).ok()?;
    Some(text.lines().nth(7)?.trim().to_owned())
}

/// The user that runs PostgreSQL where this process is root.
struct User {
    name: String,
    group: String,
}

impl User {
    /// Returns `None` if this process is not root.
    fn find() -> Result<Option<Self>, String> {
        if id(&["-u"]).as_deref() != Some("0") {
            return Ok(None);
        }
        for name in ["postgres", "nobody"] {
            if let Some(group) = id(&["-gn", name]) {
                return Ok(Some(Self { name: name.to_owned(), group }));
            }
        }
        Err("PostgreSQL does not run as root, and there is no user `postgres` or `nobody`"
            .to_owned())
    }

    fn own(&self, folder: &Path) -> Result<(), String> {
        let owner = format!("{}:{}", self.name, self.group);
        let status = Command::new("chown").arg(owner).arg(folder).status();
        match status {
            Ok(status) if status.success() => Ok(()),
            _ => Err(format!("cannot give {} to the user {}", folder.display(), self.name)),
        }
    }
}

fn id(arguments: &[&str]) -> Option<String> {
    let output = Command::new("id").args(arguments).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok().filter(|_| output.status.success())?;
    Some(text.trim().to_owned())
}

#[cfg(all(test, feature = "servers"))]
mod tests {
    use super::*;

    #[test]
    fn is_killed_and_started_again_and_stopped() {
        let mut server = Postgres::start(&Postgres::find().unwrap()).unwrap();
        server.kill();
        server.start_again().unwrap();
        let folder = server.folder.path().to_path_buf();
        assert!(server.is_ready(&process_line(&server.data())));
        let port = server.port;
        drop(server);
        assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err());
        assert!(!folder.exists());
    }
}
