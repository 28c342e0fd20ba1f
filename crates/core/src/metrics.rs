//! Counters and gauges, by the names in `docs/operations.md`. Without the feature `metrics` nothing
//! happens.

/// A request was rejected.
#[cfg(feature = "metrics")]
pub(crate) fn rejected(code: &'static str) {
    metrics::counter!("portcullis_rejections_total", "code" => code).increment(1);
}

#[cfg(not(feature = "metrics"))]
pub(crate) fn rejected(_code: &'static str) {}

/// A fetch of keys is over.
#[cfg(feature = "metrics")]
pub(crate) fn fetched(source: &str, succeeded: bool, failures_in_a_row: u32) {
    let source = || source.to_owned();
    let outcome = if succeeded { "success" } else { "failure" };
    metrics::counter!("portcullis_key_fetches_total", "source" => source(), "outcome" => outcome)
        .increment(1);
    metrics::gauge!("portcullis_key_fetch_failures", "source" => source()).set(failures_in_a_row);
}

#[cfg(not(feature = "metrics"))]
pub(crate) fn fetched(_source: &str, _succeeded: bool, _failures_in_a_row: u32) {}

/// A call of a store has failed.
#[cfg(feature = "metrics")]
pub(crate) fn store_failed(store: &str) {
    metrics::counter!("portcullis_store_failures_total", "store" => store.to_owned()).increment(1);
}

#[cfg(not(feature = "metrics"))]
pub(crate) fn store_failed(_store: &str) {}

/// There are this many revocations in memory, and the store was last read this long ago.
#[cfg(feature = "metrics")]
pub(crate) fn revocations(store: &str, entries: usize, age: Option<std::time::Duration>) {
    let store = || store.to_owned();
    if let Some(age) = age {
        metrics::gauge!("portcullis_revocation_staleness_seconds", "store" => store()).set(age);
    }
    let entries = u32::try_from(entries).unwrap_or(u32::MAX);
    metrics::gauge!("portcullis_revocations", "store" => store()).set(entries);
}

#[cfg(not(feature = "metrics"))]
pub(crate) fn revocations(_store: &str, _entries: usize, _age: Option<std::time::Duration>) {}

/// A source has this many usable keys.
#[cfg(feature = "metrics")]
pub(crate) fn keys(source: &str, keys: usize) {
    let keys = u32::try_from(keys).unwrap_or(u32::MAX);
    metrics::gauge!("portcullis_keys", "source" => source.to_owned()).set(keys);
}

#[cfg(not(feature = "metrics"))]
pub(crate) fn keys(_source: &str, _keys: usize) {}
