//! Digests of tokens, and their callers.

use std::fmt;

use aws_lc_rs::{
    constant_time,
    digest::{SHA256, SHA256_OUTPUT_LEN, digest},
};

use super::Identity;

/// A token, as its digest, and its caller.
#[derive(Clone)]
pub(super) struct Entry {
    digest: Digest,
    pub(super) identity: Identity,
    /// The length of the token, in bytes. `None`: only its digest is known.
    pub(super) len: Option<usize>,
    /// Whether it comes from a file, which may be withdrawn while it cannot be read.
    pub(super) is_of_file: bool,
}

pub(super) type Digest = [u8; SHA256_OUTPUT_LEN];

/// All tokens that are good at one time.
#[derive(Default)]
pub(super) struct Table {
    entries: Vec<Entry>,
}

impl Entry {
    pub(super) fn of_token(token: &str, identity: Identity) -> Self {
        let len = Some(token.len());
        Self { digest: sha256(token), identity, len, is_of_file: false }
    }

    pub(super) fn of_digest(digest: Digest, identity: Identity) -> Self {
        Self { digest, identity, len: None, is_of_file: false }
    }

    pub(super) fn of_file(self) -> Self {
        Self { is_of_file: true, ..self }
    }
}

impl Table {
    pub(super) fn new(entries: Vec<Entry>) -> Self {
        Self { entries }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns whether the token of the entry is already good.
    pub(super) fn has(&self, entry: &Entry) -> bool {
        self.entries.iter().any(|known| known.digest == entry.digest)
    }

    /// Returns the length of the shortest token, in bytes, of those whose length is known.
    pub(super) fn shortest(&self) -> Option<usize> {
        self.entries.iter().filter_map(|entry| entry.len).min()
    }

    /// Finds the entry of a token. Every entry is compared, to its end, so that the time tells
    /// neither how much of a guess is right nor where in the table the token stands. Digests are what
    /// is compared: a guess does not choose their bytes.
    pub(super) fn find(&self, token: &str) -> Option<&Entry> {
        let digest = sha256(token);
        self.entries.iter().fold(None, |found, entry| {
            let equal = constant_time::verify_slices_are_equal(&entry.digest, &digest).is_ok();
            if equal && found.is_none() { Some(entry) } else { found }
        })
    }
}

fn sha256(token: &str) -> Digest {
    let mut bytes = [0; SHA256_OUTPUT_LEN];
    // Both have the length of the hash.
    for (byte, hashed) in bytes.iter_mut().zip(digest(&SHA256, token.as_bytes()).as_ref()) {
        *byte = *hashed;
    }
    bytes
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table").field("len", &self.entries.len()).finish_non_exhaustive()
    }
}
