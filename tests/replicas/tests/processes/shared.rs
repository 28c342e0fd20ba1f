//! The store that replicas share.

use std::{env, fs, path::PathBuf, process};

use replicas::{Postgres, Redis};

pub(crate) enum Shared {
    Sqlite(PathBuf),
    Postgres(Postgres),
    Redis(Redis),
}

impl Shared {
    pub(crate) fn sqlite(test: &str) -> Self {
        let folder = env::temp_dir().join(format!("portcullis-sqlite-{}-{test}", process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self::Sqlite(folder.join("revocations.db"))
    }

    pub(crate) fn postgres() -> Self {
        Self::Postgres(Postgres::start(&Postgres::find().unwrap()).unwrap())
    }

    pub(crate) fn redis() -> Self {
        Self::Redis(Redis::start(&Redis::find().unwrap()).unwrap())
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "SQLite",
            Self::Postgres(_) => "PostgreSQL",
            Self::Redis(_) => "Redis",
        }
    }

    pub(crate) fn url(&self) -> String {
        match self {
            Self::Sqlite(file) => file.display().to_string(),
            Self::Postgres(server) => server.url(),
            Self::Redis(server) => server.url(),
        }
    }

    /// Kills the server. SQLite has none: its processes are the replicas.
    pub(crate) fn kill(&mut self) {
        match self {
            Self::Sqlite(_) => {}
            Self::Postgres(server) => server.kill(),
            Self::Redis(server) => server.kill(),
        }
    }

    pub(crate) fn start_again(&mut self) {
        match self {
            Self::Sqlite(_) => {}
            Self::Postgres(server) => server.start_again().unwrap(),
            Self::Redis(server) => server.start_again().unwrap(),
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if let Self::Sqlite(file) = self {
            drop(fs::remove_dir_all(file.parent().unwrap()));
        }
    }
}
