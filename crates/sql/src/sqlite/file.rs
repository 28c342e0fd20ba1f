//! The file, and connections to it.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use rusqlite::{Connection, OpenFlags};

use super::{Seen, error::Failure, schema, token_table};
use crate::prefix::TablePrefix;

/// How long a statement waits for the write of another connection.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);

/// Versions before this one can corrupt a WAL file when one process resets it while another one writes
/// (<https://sqlite.org/wal.html>).
const OLDEST_SQLITE: i32 = 3_051_003;

/// Which file it is.
#[derive(Debug)]
pub(super) struct File {
    path: PathBuf,
    prefix: TablePrefix,
    tables: Tables,
    /// How many connections were opened.
    connections: AtomicU64,
}

/// Which tables a file has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Tables {
    /// Those of this library.
    Own,
    /// One of another system. The prefix is its name.
    TokenTable,
}

/// What a connection is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Access {
    Read,
    Write,
}

/// The connection of one thread. It is closed after an error, and opened by the next call.
#[derive(Debug)]
pub(super) struct Session {
    file: Arc<File>,
    access: Access,
    open: Option<Open>,
}

/// An open connection to a file with the right tables.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) connection: Connection,
    pub(super) prefix: TablePrefix,
    number: u64,
    stamp: Option<Stamp>,
}

/// Device and number of a file. A file that is replaced has another one.
type Stamp = (u64, u64);

impl File {
    pub(super) fn new(path: &Path, prefix: TablePrefix, tables: Tables) -> Self {
        Self { path: path.to_owned(), prefix, tables, connections: AtomicU64::new(0) }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn open(&self, access: Access, flags: OpenFlags) -> Result<Open, Failure> {
        if rusqlite::version_number() < OLDEST_SQLITE {
            return Err(Failure::unusable(
                "this program has SQLite before 3.51.3, which can corrupt a file in WAL mode; \
                 help: build without LIBSQLITE3_SYS_USE_PKG_CONFIG, or update the library",
            ));
        }
        let before = stamp(&self.path);
        let flags = flags | OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        // Only macOS needs it: there, a plain fsync leaves data in the cache of the disk.
        connection.pragma_update(None, "fullfsync", true)?;
        connection.pragma_update(None, "query_only", access == Access::Read)?;
        let stamp = stamp(&self.path);
        if before.is_some() && before != stamp {
            return Err(Failure::unavailable("the SQLite file was replaced while it was opened"));
        }
        let number = self.connections.fetch_add(1, Ordering::Relaxed);
        Ok(Open { connection, prefix: self.prefix.clone(), number, stamp })
    }
}

impl Session {
    pub(super) fn new(file: &Arc<File>, access: Access) -> Self {
        Self { file: Arc::clone(file), access, open: None }
    }

    /// Runs statements on the connection.
    pub(super) fn run<T>(
        &mut self,
        work: impl FnOnce(&mut Open) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.close_if_replaced();
        let open = match &mut self.open {
            Some(open) => open,
            closed => {
                // The file is not created here: a store that has lost its file must not look like an empty
                // one to a request.
                let open = self.file.open(self.access, OpenFlags::empty())?;
                match self.file.tables {
                    Tables::Own => schema::check(&open)?,
                    Tables::TokenTable => token_table::check(&open)?,
                }
                closed.insert(open)
            }
        };
        let result = work(open);
        if result.as_ref().is_err_and(|failure| !failure.leaves_the_connection_good()) {
            self.open = None;
        }
        result
    }

    /// Opens the file, creates what is missing in it, and keeps the connection.
    pub(super) fn prepare(&mut self) -> Result<(), Failure> {
        self.open = None;
        let mut open = self.file.open(self.access, OpenFlags::SQLITE_OPEN_CREATE)?;
        match self.file.tables {
            Tables::Own => schema::migrate(&mut open)?,
            Tables::TokenTable => token_table::create(&open)?,
        }
        // The file may have been created by this call.
        open.stamp = stamp(&self.file.path);
        self.open = Some(open);
        Ok(())
    }

    /// A connection to a deleted file goes on working, apart from all other processes.
    fn close_if_replaced(&mut self) {
        if self.open.as_ref().is_some_and(|open| open.stamp != stamp(&self.file.path)) {
            self.open = None;
        }
    }
}

impl Open {
    pub(super) fn seen(&self) -> Result<Seen, Failure> {
        let data_version =
            self.connection.pragma_query_value(None, "data_version", |row| row.get(0))?;
        Ok(Seen { connection: self.number, data_version })
    }
}

#[cfg(unix)]
fn stamp(path: &Path) -> Option<Stamp> {
    use std::os::unix::fs::MetadataExt;

    fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn stamp(path: &Path) -> Option<Stamp> {
    // An open file cannot be deleted or replaced on Windows.
    fs::metadata(path).ok().map(|_| (0, 0))
}
