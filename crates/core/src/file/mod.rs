//! Files that are read when the program starts, and again when they change.

mod settling;
#[cfg(test)]
mod tests;
mod warnings;

use std::{
    fs::{self, File, Metadata},
    io::{self, Read},
    path::Path,
    time::SystemTime,
};

use aws_lc_rs::digest::{SHA256, digest};

pub use self::{
    settling::{SETTLED, Settling},
    warnings::Warnings,
};
use crate::FileError;

/// The longest file, in bytes: thousands of tokens, or hundreds of issuers.
const MAX_LEN: u64 = 256 * 1024;

/// What one look at a file finds.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "only the crates of this workspace use it")]
pub struct Content<T> {
    /// The content.
    pub data: T,
    /// What tells it from other content.
    pub stamp: Stamp,
}

/// What distinguishes the content of a file from that of another look.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Stamp {
    digest: Vec<u8>,
    len: u64,
    modified: Option<SystemTime>,
    /// Device and inode. `None` where the platform does not have them.
    identity: Option<(u64, u64)>,
}

impl Stamp {
    /// Returns the stamp of a file that is absent, which counts as an empty one.
    #[must_use]
    pub fn absent() -> Self {
        Self { digest: Vec::new(), len: 0, modified: None, identity: None }
    }

    fn new(data: &[u8], metadata: &Metadata) -> Self {
        Self {
            digest: digest(&SHA256, data).as_ref().to_vec(),
            len: metadata.len(),
            modified: metadata.modified().ok(),
            identity: identity(metadata),
        }
    }

    /// Returns whether both files have the same content.
    #[must_use]
    pub fn has_content_of(&self, other: &Self) -> bool {
        self.digest == other.digest
    }

    /// Returns whether this is another file than the earlier one at the same path, which was replaced as
    /// a whole: by a rename, or by a symbolic link that moved.
    #[must_use]
    pub fn has_replaced(&self, earlier: &Self) -> bool {
        self.identity.is_some() && earlier.identity.is_some() && self.identity != earlier.identity
    }

    /// Returns whether this is the very file of the earlier look, or may be.
    #[must_use]
    pub fn is_same_file(&self, earlier: &Self) -> bool {
        let was_there = *earlier != Self::absent();
        was_there && !self.has_replaced(earlier)
    }

    /// Returns the digest of the content, in hexadecimal digits.
    #[must_use]
    pub fn hex(&self) -> String {
        self.digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Returns a text that differs where length, modification time or file differ.
    #[must_use]
    pub fn version(&self) -> String {
        format!("{} {:?} {:?}", self.len, self.modified, self.identity)
    }
}

/// Reads a file of text.
///
/// # Errors
///
/// [`FileError::Unreadable`] if it cannot be read, is too long, is not a regular file or not UTF-8.
pub fn read_text(path: &Path) -> Result<Content<String>, FileError> {
    let Content { data, stamp } = read(path)?;
    let data = String::from_utf8(data).map_err(|error| FileError::Unreadable {
        path: path.to_owned(),
        source: io::Error::new(io::ErrorKind::InvalidData, error.utf8_error()),
    })?;
    Ok(Content { data, stamp })
}

/// Reads a file.
///
/// # Errors
///
/// [`FileError::Unreadable`] if it cannot be read, is too long, or is not a regular file.
pub fn read(path: &Path) -> Result<Content<Vec<u8>>, FileError> {
    read_limited(path).map_err(|source| FileError::Unreadable { path: path.to_owned(), source })
}

fn read_limited(path: &Path) -> io::Result<Content<Vec<u8>>> {
    // Before it is opened, because opening a pipe waits for its other end.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let mut data = Vec::new();
    let file = File::open(path)?;
    // Limited while it is read, because it may grow, or have a length of zero as those of /proc do.
    (&file).take(MAX_LEN + 1).read_to_end(&mut data)?;
    if u64::try_from(data.len()).is_ok_and(|len| len > MAX_LEN) {
        return Err(io::Error::other(format!("it is longer than {MAX_LEN} bytes")));
    }
    // After it is read: a change in between shows at the next look.
    let stamp = Stamp::new(&data, &file.metadata()?);
    Ok(Content { data, stamp })
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "other platforms have none")]
fn identity(metadata: &Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;

    Some((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> Option<(u64, u64)> {
    None
}
