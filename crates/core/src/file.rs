//! Files that are read when the program starts, and again when they change.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::Path,
};

use crate::ConfigError;

/// The longest file, in bytes: thousands of tokens, or hundreds of issuers.
const MAX_LEN: u64 = 256 * 1024;

/// Reads a file of text.
///
/// # Errors
///
/// [`ConfigError::File`] if it cannot be read, is too long, or is no regular file.
pub(crate) fn read_text(path: &Path) -> Result<String, ConfigError> {
    let failed = |source| ConfigError::File { path: path.to_owned(), source };
    // Looked at first, because opening a pipe waits for its other end.
    if !fs::metadata(path).map_err(failed)?.is_file() {
        return Err(failed(io::Error::other("it is no regular file")));
    }
    let mut text = String::new();
    let file = File::open(path).map_err(failed)?;
    file.take(MAX_LEN + 1).read_to_string(&mut text).map_err(failed)?;
    if u64::try_from(text.len()).is_ok_and(|len| len <= MAX_LEN) {
        return Ok(text);
    }
    Err(failed(io::Error::other(format!("it is longer than {MAX_LEN} bytes"))))
}
