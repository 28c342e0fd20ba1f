//! One event for each refused request.

use crate::{AuthError, BearerToken};

/// Tells the log that a request was refused, and why. The token is named by its fingerprint.
#[cfg(feature = "tracing")]
pub(crate) fn report(error: &AuthError, token: Option<&BearerToken<'_>>) {
    use std::error::Error;

    // The fingerprint is a hash over the whole token: made only where someone listens.
    if tracing::enabled!(target: "portcullis::rejection", tracing::Level::DEBUG) {
        let token = token.map(BearerToken::fingerprint);
        tracing::debug!(
            target: "portcullis::rejection",
            code = error.kind().code(),
            token = token.as_deref(),
            cause = error.source().map(tracing::field::display),
            "request refused"
        );
    }
}

#[cfg(not(feature = "tracing"))]
pub(crate) fn report(_error: &AuthError, _token: Option<&BearerToken<'_>>) {}
