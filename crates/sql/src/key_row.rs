//! Signing keys as columns.

use std::time::Duration;

use portcullis::NumericDate;
use portcullis_mint::{KeyTimes, StoredKey};

/// The schema of this library for signing keys. Those of revocations have a version of their own, so that a service
/// which begins to share keys does not stop replicas that only read revocations.
pub(crate) const VERSION: i32 = 1;

pub(crate) const NEWER: &str = "the tables of the signing keys are of a newer version of portcullis-sql; \
                                help: update this service";

/// Returns the times of a key, in milliseconds since 1970.
pub(crate) fn times(key: &StoredKey) -> Option<[i64; 3]> {
    let millis = |date: NumericDate| {
        let since = date.saturating_since(NumericDate::EPOCH).as_millis();
        i64::try_from(since).unwrap_or(i64::MAX)
    };
    key.times.map(|it| [it.published_from, it.signs_from, it.signs_until].map(millis))
}

/// Returns the key of a row.
pub(crate) fn key(
    id: &str,
    algorithm: &str,
    private_key: &[u8],
    times: [Option<i64>; 3],
) -> StoredKey {
    let key = StoredKey::new(id, algorithm, private_key);
    match times.map(|time| time.map(date)) {
        [Some(published_from), Some(signs_from), Some(signs_until)] => {
            key.with_times(KeyTimes { published_from, signs_from, signs_until })
        }
        _ => key,
    }
}

/// Returns a time in milliseconds since 1970.
pub(crate) fn date(millis: i64) -> NumericDate {
    let since = Duration::from_millis(u64::try_from(millis).unwrap_or_default());
    NumericDate::EPOCH.saturating_add(since)
}
