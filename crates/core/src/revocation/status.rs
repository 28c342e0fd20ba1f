//! The state of the revocations in memory, for operators.

use std::time::Duration;

use super::StoreError;

/// The state of the revocations in the memory of one replica.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RevocationStatus {
    /// Whether all entries of the store were read once. Until then, no token is accepted.
    pub is_loaded: bool,
    /// Whether the entries were read within the [largest staleness](super::Revocations::max_staleness).
    /// Otherwise no token is accepted.
    pub is_current: bool,
    /// The number of entries in memory.
    pub entries: usize,
    /// How long ago the store was last read with success, by the clock of the engine.
    pub age: Option<Duration>,
    /// Why the last read failed; `None` if it succeeded.
    pub error: Option<StoreError>,
}
