//! A private Redis server.

use std::{
    env,
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use crate::{REDIS_SERVER, folder::Folder, port::free_port, process::Process};

/// A Redis server that writes each change to disk before it answers.
#[derive(Debug)]
pub struct Redis {
    program: PathBuf,
    port: u16,
    // Stopped before its folder is deleted.
    process: Option<Process>,
    folder: Folder,
}

impl Redis {
    /// Returns the program that the environment names, or the one in `PATH`.
    #[must_use]
    pub fn find() -> Option<PathBuf> {
        let named = env::var_os(REDIS_SERVER).map(PathBuf::from);
        let program = named.unwrap_or_else(|| "redis-server".into());
        let output = Command::new(&program).arg("--version").output().ok()?;
        output.status.success().then_some(program)
    }

    /// Starts a server.
    ///
    /// # Errors
    ///
    /// The server does not start.
    pub fn start(program: &Path) -> Result<Self, String> {
        for _ in 0..10 {
            let (program, port) = (program.to_path_buf(), free_port()?);
            let mut server = Self { program, port, process: None, folder: Folder::new("redis")? };
            // Another process may have taken the port.
            if server.try_start()? {
                return Ok(server);
            }
        }
        Err("redis-server ended ten times after its start".to_owned())
    }

    /// Returns the URL of the server.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
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
        if self.try_start()? { Ok(()) } else { Err("redis-server does not start again".to_owned()) }
    }

    fn try_start(&mut self) -> Result<bool, String> {
        let mut command = Command::new(&self.program);
        command
            .args(["--bind", "127.0.0.1", "--port", &self.port.to_string(), "--daemonize", "no"])
            .args(["--save", "", "--appendonly", "yes", "--appendfsync", "always"])
            .arg("--dir")
            .arg(self.folder.path());
        let mut process = Process::start(&mut command, "TERM")?;
        let is_ready = process.wait_until(|| is_ready(self.port))?;
        self.process = is_ready.then_some(process);
        Ok(is_ready)
    }
}

/// Whether the server answers, and has loaded its data.
fn is_ready(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    let mut answer = [0; 7];
    stream.set_read_timeout(Some(Duration::from_secs(1))).is_ok()
        && stream.write_all(b"PING\r\n").is_ok()
        && stream.read_exact(&mut answer).is_ok()
        && &answer == b"+PONG\r\n"
}

#[cfg(all(test, feature = "servers"))]
mod tests {
    use super::*;

    #[test]
    fn is_killed_and_started_again_and_stopped() {
        let mut server = Redis::start(&Redis::find().unwrap()).unwrap();
        server.kill();
        assert!(!is_ready(server.port));
        server.start_again().unwrap();
        assert!(is_ready(server.port));
        let (port, folder) = (server.port, server.folder.path().to_path_buf());
        drop(server);
        assert!(!is_ready(port));
        assert!(!folder.exists());
    }
}
