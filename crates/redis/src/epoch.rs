//! Names of data.

use std::hash::{BuildHasher, RandomState};

/// Returns a new random text. Only its being new matters, not that it cannot be guessed.
pub(crate) fn new_epoch() -> String {
    // Each state hashes with new keys.
    let random = || RandomState::new().hash_one(());
    format!("{:016x}{:016x}", random(), random())
}
