//! Counters and gauges of tokens, by the names in `docs/operations.md`. Without the feature `metrics` nothing happens.

use portcullis_jose::NumericDate;

/// A token has come, by a renewal or by a reissue.
#[cfg(feature = "metrics")]
pub(super) fn renewed(name: &str, outcome: &'static str, expiry: NumericDate) {
    let name = || name.to_owned();
    metrics::counter!("portcullis_token_renewals_total", "token" => name(), "outcome" => outcome)
        .increment(1);
    let expiry = expiry.saturating_since(NumericDate::EPOCH);
    metrics::gauge!("portcullis_token_expiry_timestamp_seconds", "token" => name()).set(expiry);
}

#[cfg(not(feature = "metrics"))]
pub(super) fn renewed(_name: &str, _outcome: &'static str, _expiry: NumericDate) {}

/// A renewal has failed.
#[cfg(feature = "metrics")]
pub(super) fn failed(name: &str) {
    metrics::counter!("portcullis_token_renewals_total", "token" => name.to_owned(), "outcome" => "failure")
        .increment(1);
}

#[cfg(not(feature = "metrics"))]
pub(super) fn failed(_name: &str) {}

/// A token was discarded, because a server rejected it.
#[cfg(feature = "metrics")]
pub(super) fn discarded(name: &str) {
    metrics::counter!("portcullis_tokens_discarded_total", "token" => name.to_owned()).increment(1);
}

#[cfg(not(feature = "metrics"))]
pub(super) fn discarded(_name: &str) {}
